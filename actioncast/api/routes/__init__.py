"""The routes of the API: thin; whatever takes time is done by Forecasts."""

from __future__ import annotations

from fastapi import APIRouter

from actioncast.api.routes import forecasts, operation, stored, what_if

router = APIRouter()
router.include_router(forecasts.router)
router.include_router(stored.router)
router.include_router(what_if.router)
router.include_router(operation.router)

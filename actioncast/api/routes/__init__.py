"""The routes of the API: thin; whatever takes time is done by Forecasts."""

from __future__ import annotations

from actioncast.api.routes import forecasts, operation, stored, what_if

# Not one router that holds them: each level costs every request a few microseconds.
ROUTERS = (forecasts.router, stored.router, what_if.router, operation.router)

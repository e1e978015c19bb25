"""Errors as RFC 9457 problems: one JSON shape for all, with the field that is wrong, and never a secret."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from actioncast.database.connection import DatabaseError
from actioncast.errors import ActioncastError
from actioncast.redaction import masked
from actioncast.settings import SettingsError

log = logging.getLogger("actioncast")
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = {True: 5, False: 60}  # a database comes back by itself; data and models take a job
WARN_EVERY_SECONDS, KEPT_WARNINGS = 10, 100
UNREACHABLE = "the database does not answer; try again"

WHEN = {
    400: "The request cannot be read",
    401: "A key is needed: X-API-Key, or Authorization: Bearer",
    404: "There is no such series, or nothing is stored yet",
    405: "This address does not know the method",
    413: "The request is larger than api.maximum_body_bytes",
    422: "A parameter is wrong; errors names it",
    429: "More requests than api.requests_per_minute; Retry-After says when to come back",
    503: "The database, the champion or the data is missing; Retry-After says when to come back",
}


class FieldError(BaseModel):
    """One parameter and what is wrong with it."""

    field: str
    location: str
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class Missing(ActioncastError):  # noqa: N818  the name of what the caller sees
    """What was asked for is not stored yet."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail in these ways."""
    return {
        status: {
            "description": WHEN[status],
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _body(status, WHEN[status], _EXAMPLES.get(status, [])).model_dump(),
                }
            },
        }
        for status in statuses
    }


_EXAMPLES = {
    422: [FieldError(field="num_predictions", location="query", detail="Input should be greater than or equal to 1")]
}


def problem(
    status: int, detail: str, *, errors: list[FieldError] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer for a failure."""
    body = _body(status, detail, errors or [])
    return JSONResponse(body.model_dump(), status, headers=headers, media_type=MEDIA_TYPE)


def _body(status: int, detail: str, errors: list[FieldError]) -> Problem:
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)


def install(app: FastAPI) -> None:
    """Answer every failure with a problem."""
    app.state.warned = {}
    app.exception_handler(RequestValidationError)(_wrong_parameter)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(ActioncastError)(_failed)
    app.exception_handler(Exception)(_broken)


async def _wrong_parameter(_request: Request, error: RequestValidationError) -> Response:
    errors = [
        FieldError(
            field=".".join(str(part) for part in fault["loc"][1:]),
            location=str(fault["loc"][0]),
            detail=fault["msg"].removeprefix("Value error, "),
        )
        for fault in error.errors()
    ]
    return problem(422, "; ".join(f"{fault.field}: {fault.detail}" for fault in errors), errors=errors)


async def _refused(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405 and (methods := request.app.openapi()["paths"].get(request.url.path)):
        allowed = {method.upper() for method in methods}  # not of the first route alone
        headers["Allow"] = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
    return problem(error.status_code, error.detail, headers=headers)


async def _failed(request: Request, error: ActioncastError) -> Response:
    """An unknown series is the caller's mistake; a database that is away, no data or no champion may pass."""
    secrets = request.app.state.settings.environment.secrets()
    message = masked(str(error), secrets)
    if isinstance(error, SettingsError):
        field = FieldError(field="series", location="query", detail=message)
        return problem(404, message, errors=[field])
    if isinstance(error, Missing):
        return problem(404, message)
    away = isinstance(error, DatabaseError)
    _warn_seldom(request.app.state.warned, message)
    # Where the database stands is nobody's business outside.
    return problem(503, UNREACHABLE if away else message, headers={"Retry-After": str(RETRY_SECONDS[away])})


def _warn_seldom(warned: dict[str, float], message: str) -> None:
    """The same warning once in a while: under load a database that is away would fill the log."""
    now = time.monotonic()
    if now - warned.get(message, -math.inf) < WARN_EVERY_SECONDS:
        return
    if len(warned) > KEPT_WARNINGS:
        warned.clear()
    warned[message] = now
    log.warning("cannot serve: %s", message)


async def _broken(_request: Request, _error: Exception) -> Response:
    return problem(500, "an error that nobody foresaw; the log has it")

"""Errors as RFC 9457 problems: one JSON shape for all, with the field that is wrong, and never a secret.

By hand, because a library for problem+json neither masks secrets nor names the wrong fields.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from cachetools import TTLCache
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from actioncast.database.connection import DatabaseError
from actioncast.errors import ActioncastError, InputError
from actioncast.redaction import masked
from actioncast.settings import SettingsError

log = logging.getLogger("actioncast")
MEDIA_TYPE = "application/problem+json"
DATABASE_RETRY_SECONDS = 5  # a database comes back by itself
JOB_RETRY_SECONDS = 60  # data and models wait for a job
WARN_EVERY_SECONDS = 10  # the same warning
KEPT_WARNINGS = 100
UNREACHABLE = "the database does not answer; try again"

DESCRIPTIONS = {
    400: "The request cannot be read",
    401: "A key is needed: X-API-Key, or Authorization: Bearer",
    404: "There is no such series, or nothing is stored yet",
    405: "This address does not know the method",
    409: "The champion cannot forecast under these assumptions: it uses other columns, or the outcome is absurd",
    413: "The request is larger than api.maximum_body_bytes",
    422: "A parameter or the body is wrong or unknown; errors names it",
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


EXAMPLE_ERRORS = {
    422: [
        FieldError(
            field="num_predictions",
            location="query",
            detail="Input should be greater than or equal to 1",
        )
    ]
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail in these ways, for OpenAPI."""
    return {status: _described(status) for status in statuses}


def _described(status: int) -> dict[str, Any]:
    description = DESCRIPTIONS[status]
    example = _problem(status, description, EXAMPLE_ERRORS.get(status, []))
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "example": example.model_dump(),
    }
    return {"description": description, "content": {MEDIA_TYPE: content}}


def problem(
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer to a request that failed."""
    content = _problem(status, detail, errors).model_dump()
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def _problem(status: int, detail: str, errors: Sequence[FieldError]) -> Problem:
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=list(errors),
    )


def install(app: FastAPI, secrets: Sequence[str]) -> None:
    """Answer every failure with a problem in which these secrets are masked."""
    app.exception_handler(RequestValidationError)(_wrong_parameter)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(ActioncastError)(Failures(secrets).answer)
    app.exception_handler(Exception)(_broken)


async def _wrong_parameter(_request: Request, error: RequestValidationError) -> Response:
    errors = [_field_error(detail) for detail in error.errors()]
    summary = "; ".join(f"{field.field}: {field.detail}" for field in errors)
    return problem(422, summary, errors=errors)


def _field_error(detail: Mapping[str, Any]) -> FieldError:
    location, *path = detail["loc"]
    return FieldError(
        field=".".join(str(part) for part in path),
        location=str(location),
        detail=detail["msg"].removeprefix("Value error, "),
    )


async def _refused(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        operations = request.app.openapi()["paths"].get(request.url.path)
        if operations:
            headers["Allow"] = _allowed_methods(operations)
    return problem(error.status_code, error.detail, headers=headers)


def _allowed_methods(operations: Mapping[str, Any]) -> str:
    """The methods of all routes with one address; Starlette names those of the first route only."""
    methods = {method.upper() for method in operations}
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))


class Failures:
    """Answers the errors of the project."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        # The warnings that were logged a moment ago.
        self._warnings: TTLCache[str, bool] = TTLCache(KEPT_WARNINGS, WARN_EVERY_SECONDS)

    async def answer(self, _request: Request, error: ActioncastError) -> Response:
        """404 for an unknown series or nothing stored; 409 for assumptions that do not fit; 503 for what may pass: no
        database, no data, no champion."""
        detail = masked(str(error), self._secrets)
        if isinstance(error, SettingsError):
            field = FieldError(field="series", location="query", detail=detail)
            return problem(404, detail, errors=[field])
        if isinstance(error, Missing):
            return problem(404, detail)
        if isinstance(error, InputError):
            return problem(409, detail, errors=[FieldError(field="body", location="body", detail=detail)])
        self._warn(detail)
        if isinstance(error, DatabaseError):
            # Do not reveal the database address to clients.
            return _unavailable(UNREACHABLE, DATABASE_RETRY_SECONDS)
        return _unavailable(detail, JOB_RETRY_SECONDS)

    def _warn(self, detail: str) -> None:
        """Log a warning unless the same was just logged: under load a missing database would fill the log."""
        if detail in self._warnings:
            return
        self._warnings[detail] = True
        log.warning("cannot serve: %s", detail)


def _unavailable(detail: str, retry_seconds: int) -> Response:
    return problem(503, detail, headers={"Retry-After": str(retry_seconds)})


async def _broken(_request: Request, _error: Exception) -> Response:
    return problem(500, "internal error; see the server log")

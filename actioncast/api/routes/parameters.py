"""What the routes share: their parameters, who may ask, and how answers are described."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from actioncast.api.access import reading, writing
from actioncast.forecasting.recipes import LONGEST_HORIZON

Responses = dict[int | str, dict[str, Any]]  # status -> what OpenAPI says about it
UNCHANGED: Responses = {304: {"description": "What If-None-Match names is still the answer"}}
AS_CSV: Responses = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


def _iso_text(value: object) -> object:
    """Refuse what pydantic would take for a time: a number of seconds, or a date alone."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:", value):
        raise ValueError("expected ISO 8601 with a time and a zone, such as 2022-03-04T03:00:00Z (+ is %2B in a URL)")
    return value


def _utc(moment: datetime) -> datetime:
    """The same moment in UTC, which may lie outside of the years that Python knows."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of the range of years 1 to 9999") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_iso_text), AfterValidator(_utc)]
SeriesName = Annotated[
    str | None,
    Query(
        description="Name in config.toml or the table series; by default the first in config.toml",
        examples=["bitcoin_transactions"],
    ),
]
NumPredictions = Annotated[
    int | None,
    Query(
        ge=1,
        le=LONGEST_HORIZON,
        description="Periods to answer, from the first unknown one on; the series' horizon by default",
        examples=[24],
    ),
]


Periods = Annotated[
    int | None,
    Query(ge=1, le=LONGEST_HORIZON, description="Periods to answer, from the first on; all by default", examples=[24]),
]


def has_body(request: Request) -> bool:
    """Whether the request has one; one of unknown length was refused before."""
    return request.headers.get("content-length", "0") != "0"


async def writing_or_assuming(request: Request) -> None:
    """The caller may write; with a body, which assumes and stores nothing, reading is enough."""
    await (reading(request) if has_body(request) else writing(request))


async def only_documented(request: Request) -> None:
    """The request holds nothing that would be ignored: no parameter of another name, and no body.

    Raises RequestValidationError, which names them and what is allowed.
    """
    if not request.scope["query_string"] and not has_body(request):
        return
    route = request.scope["route"]
    allowed = [parameter.alias for parameter in route.dependant.query_params]
    names = ", ".join(allowed) or "none"
    errors = [
        _undocumented("query", name, f"unknown parameter; allowed: {names}")
        for name in request.query_params
        if name not in allowed
    ]
    if has_body(request) and "requestBody" not in (route.openapi_extra or {}):
        errors.append(_undocumented("body", "body", f"expected none; parameters of the URL: {names}"))
    if errors:
        raise RequestValidationError(errors)


def _undocumented(location: str, name: str, message: str) -> dict[str, Any]:
    """An error of the shape that FastAPI gives to a wrong parameter."""
    return {"loc": (location, name), "msg": message}


TO_ANYONE = [Depends(only_documented)]
TO_READERS = [Depends(reading), *TO_ANYONE]
TO_WRITERS = [Depends(writing), *TO_ANYONE]
TO_WRITERS_OR_ASSUMING = [Depends(writing_or_assuming), *TO_ANYONE]

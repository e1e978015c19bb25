"""Forecasts, and the models and series behind them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError

from actioncast.api.body import CSV, Body, csv_of, wants_csv
from actioncast.api.keys import TO_READ, TO_WRITE
from actioncast.api.problems import problems
from actioncast.api.routes.parameters import (
    AS_CSV,
    TO_READERS,
    TO_WRITERS_OR_ASSUMING,
    UNCHANGED,
    Moment,
    NumPredictions,
    Periods,
    SeriesName,
    has_body,
)
from actioncast.api.schemas import Assumed, Forecast, SeriesInfo, Shift
from actioncast.api.state import state_of
from actioncast.forecasting.card import Card

if TYPE_CHECKING:
    from actioncast.forecasting.exogenous import Assumptions

router = APIRouter()
# Read by hand: with a parameter FastAPI would look for a body in every request.
OPTIONAL_ASSUMPTIONS = {
    "required": False,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Assumed"}}},
}
FORECAST_COLUMNS = ("prediction_date", "prediction", "lower", "upper")


@router.post(
    "/forecast",
    tags=["forecast"],
    response_model=Forecast,
    dependencies=TO_WRITERS_OR_ASSUMING,
    openapi_extra={"security": [*TO_WRITE, {}], "requestBody": OPTIONAL_ASSUMPTIONS},
    responses=problems(401, 404, 409, 413, 422, 429, 503),
)
async def forecast(
    request: Request,
    num_predictions: NumPredictions = None,
    periods: Periods = None,
    return_predictions: Annotated[bool, Query(description="false: an empty list instead of the periods")] = True,
    series: SeriesName = None,
) -> Response:
    """Forecast the next periods from the newest stored ones, store them, and answer the first of them.

    With a body the forecast is hypothetical: made under its assumptions and not stored. Reading is enough for that.

    At least the series' whole horizon is stored. The same data and the same model give the same forecast, so that it
    is made once: asking again answers the stored one, until a new or corrected period or a new champion comes.
    `periods` is another name of `num_predictions`.
    """
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    if not has_body(request):
        body = await forecasts.forecast(series_id, num_predictions or periods, listed=return_predictions)
        return body.answer(request)
    assumptions = _assumptions(await request.body())
    vintage = await forecasts.hypothetical(series_id, num_predictions or periods, assumptions)
    document = (vintage if return_predictions else vintage.first(0)).as_json() | {"hypothetical": True}
    return Body(json.dumps(document).encode()).answer(request)


def _assumptions(body: bytes) -> Assumptions:
    """What the body of a hypothetical forecast assumes. Raises RequestValidationError."""
    # Serving a stored forecast needs no features.
    from actioncast.forecasting import exogenous

    try:
        assumed = Assumed.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None
    shifts = {name: column.add for name, column in assumed.columns.items() if isinstance(column, Shift)}
    columns = {name: column for name, column in assumed.columns.items() if not isinstance(column, Shift)}
    return exogenous.Assumptions(shifts, columns, assumed.newest)


@router.get(
    "/forecast",
    tags=["forecast"],
    response_model=Forecast,
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED | AS_CSV,
)
async def latest_forecast(
    request: Request,
    series: SeriesName = None,
    periods: Periods = None,
    issued_at: Annotated[
        Moment | None, Query(description="That of this moment, of those that GET /vintages lists; the last by default")
    ] = None,
) -> Response:
    """The forecast that was issued last, or an earlier one, or the first periods of it, as JSON or CSV."""
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    if issued_at is None and not wants_csv(request):
        body = await forecasts.latest(series_id, periods)
        return body.answer(request)
    vintage = await forecasts.issued(series_id, issued_at)
    document = vintage.first(periods or len(vintage)).as_json()
    if wants_csv(request):
        return csv_of(document["predictions"], FORECAST_COLUMNS).answer(request, CSV)
    return Body(json.dumps(document).encode()).answer(request)


@router.get(
    "/model",
    tags=["model"],
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503),
)
async def model(request: Request, series: SeriesName = None) -> Card:
    """The champion's card: what it is, what it learned from, how good it was in the backtest."""
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    return forecasts.champions.card(series_id)


@router.get(
    "/series",
    tags=["model"],
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 413, 422, 429, 503),
)
async def series_list(request: Request) -> list[SeriesInfo]:
    """The series of config.toml and of the table `series`, with what is stored of each."""
    forecasts = state_of(request).forecasts
    series = await forecasts.catalogue.series()
    infos = []
    for series_id, series_settings in series.items():
        state = await forecasts.state(series_id)
        info = SeriesInfo(
            series=series_id,
            title=series_settings.title,
            unit=series_settings.unit,
            frequency=str(series_settings.frequency),
            timezone=series_settings.timezone,
            open=str(series_settings.open) if series_settings.open else None,
            horizon=series_settings.horizon_periods,
            newest_period=state.newest.period,
            issued_at=state.newest.issued_at,
            model_version=state.model_version,
        )
        infos.append(info)
    return infos

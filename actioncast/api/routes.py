"""The routes of the API: thin; whatever takes time is done by Forecasts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from actioncast import quantiles
from actioncast.api.access import reading, writing
from actioncast.api.body import Body
from actioncast.api.keys import TO_READ, TO_WRITE
from actioncast.api.problems import problems
from actioncast.api.readiness import readiness
from actioncast.api.schemas import Forecast, Health, Performance, Readiness, ScoredPeriod, SeriesInfo, Summary
from actioncast.api.state import state_of
from actioncast.forecasting.card import Card
from actioncast.forecasting.recipes import LONGEST_HORIZON
from actioncast.monitoring import live_error

router = APIRouter()
Responses = dict[int | str, dict[str, Any]]  # status -> what OpenAPI says about it
UNCHANGED: Responses = {304: {"description": "What If-None-Match names is still the answer"}}
NOT_READY: Responses = {503: {"model": Readiness, "description": "Not ready; checks says why"}}
PLAIN_TEXT: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
LONGEST_PAGE = 1000  # periods
DEFAULT_WINDOW = timedelta(days=7)
# The window before an earlier end would begin before year 1.
EARLIEST_END = datetime.min.replace(tzinfo=UTC) + DEFAULT_WINDOW


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


async def only_documented(request: Request) -> None:
    """The request holds nothing that would be ignored: no parameter of another name, and no body.

    Raises RequestValidationError, which names them and what is allowed.
    """
    if not request.scope["query_string"] and request.headers.get("content-length", "0") == "0":
        return
    allowed = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    names = ", ".join(allowed) or "none"
    errors = [
        _undocumented("query", name, f"unknown parameter; allowed: {names}")
        for name in request.query_params
        if name not in allowed
    ]
    if request.headers.get("content-length", "0") != "0":
        errors.append(_undocumented("body", "body", f"expected none; parameters of the URL: {names}"))
    if errors:
        raise RequestValidationError(errors)


def _undocumented(location: str, name: str, message: str) -> dict[str, Any]:
    """An error of the shape that FastAPI gives to a wrong parameter."""
    return {"loc": (location, name), "msg": message}


TO_ANYONE = [Depends(only_documented)]
TO_READERS = [Depends(reading), *TO_ANYONE]
TO_WRITERS = [Depends(writing), *TO_ANYONE]


@router.post(
    "/forecast",
    tags=["forecast"],
    response_model=Forecast,
    dependencies=TO_WRITERS,
    openapi_extra={"security": TO_WRITE},
    responses=problems(401, 404, 413, 422, 429, 503),
)
async def forecast(
    request: Request,
    num_predictions: NumPredictions = None,
    periods: Periods = None,
    return_predictions: Annotated[bool, Query(description="false: an empty list instead of the periods")] = True,
    series: SeriesName = None,
) -> Response:
    """Forecast the next periods from the newest stored ones, store them, and answer the first of them.

    At least the series' whole horizon is stored. The same data and the same model give the same forecast, so that it
    is made once: asking again answers the stored one, until a new or corrected period or a new champion comes.
    `periods` is another name of `num_predictions`.
    """
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    body = await forecasts.forecast(series_id, num_predictions or periods, listed=return_predictions)
    return body.answer(request)


@router.get(
    "/forecast",
    tags=["forecast"],
    response_model=Forecast,
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED,
)
async def latest_forecast(request: Request, series: SeriesName = None, periods: Periods = None) -> Response:
    """The forecast that was issued last, or the first periods of it."""
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    body = await forecasts.latest(series_id, periods)
    return body.answer(request)


@router.get(
    "/performance",
    tags=["monitoring"],
    response_model=Performance,
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED,
)
async def performance(
    request: Request,
    series: SeriesName = None,
    since: Annotated[
        Moment | None, Query(description="First period; by default as long before the end as the page shows")
    ] = None,
    until: Annotated[Moment | None, Query(description="End, not included; now by default")] = None,
    periods: Annotated[
        int | None, Query(ge=1, le=LONGEST_PAGE, description="Instead of `since`: so many before the end")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Periods on one page")] = 168,
) -> Response:
    """Forecast periods beside what happened and the naive. For the next page ask again with since=next_since."""
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    series_settings = forecasts.catalogue.settings.series[series_id]
    end = until or forecasts.clock()
    shown = series_settings.defaults.shown.periods(series_settings.frequency)
    begin = since or series_settings.timeline.shift(max(end, EARLIEST_END), -(periods or shown))
    rows = await forecasts.threads.ask(
        lambda database: database.performance(series_id, since=begin, until=end, limit=limit + 1)
    )
    page = rows[:limit]
    next_since = rows[limit]["prediction_date"] if len(rows) > limit else None
    answer = Performance(
        series=series_id,
        unit=series_settings.unit,
        since=begin,
        until=end,
        summary=_summary(page),
        periods=[ScoredPeriod.model_validate(row) for row in page],
        next_since=next_since,
    )
    return Body(answer.model_dump_json().encode()).answer(request)


def _summary(page: Sequence[Mapping[str, Any]]) -> Summary:
    score = live_error.live_score(page, backtest_mae_by_lead=[])
    distribution = quantiles.score_rows(page)
    return Summary(
        scored_periods=score.scored_periods,
        mae=score.mae,
        naive_mae=score.naive_mae,
        coverage=score.coverage,
        crps=distribution.crps if distribution else None,
        wql=distribution.wql if distribution else None,
        below=distribution.below if distribution else None,
    )


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


@router.get("/health", tags=["operation"], dependencies=TO_ANYONE, responses=problems(413, 422))
async def health(request: Request) -> Health:
    """The process is alive, and which champions it serves. The database is not asked: /ready does."""
    forecasts = state_of(request).forecasts
    settings = forecasts.catalogue.settings
    versions = {series_id: forecasts.champions.version(series_id) for series_id in settings.series}
    return Health(
        status="ok",
        revision=settings.environment.revision,
        model_version=next(iter(versions.values())),
        models=versions,
    )


@router.get(
    "/ready",
    tags=["operation"],
    dependencies=TO_ANYONE,
    responses=problems(413, 422, 429) | NOT_READY,
)
async def ready(request: Request, response: Response) -> Readiness:
    """The database answers, every champion matches its card, the data are fresh."""
    report = await readiness(state_of(request).forecasts)
    response.status_code = 200 if report.ready else 503
    return report


@router.get(
    "/metrics",
    tags=["operation"],
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    response_class=Response,
    responses=problems(401, 413, 422, 429) | PLAIN_TEXT,
)
async def metrics(request: Request) -> Response:
    """Latency, ages, live error, coverage and model, for Prometheus."""
    state = state_of(request)
    text = await state.metrics.exposition(state.forecasts)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

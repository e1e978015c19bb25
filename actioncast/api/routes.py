"""The routes: thin, and all that may wait goes through Service."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from actioncast.api.body import Body
from actioncast.api.forecasts import Service
from actioncast.api.keys import TO_READ, TO_WRITE, reading, writing
from actioncast.api.metrics import Metrics
from actioncast.api.problems import problems
from actioncast.api.readiness import readiness
from actioncast.api.schemas import Forecast, Health, Performance, Readiness, ScoredHour, SeriesInfo, Summary
from actioncast.forecasting.card import Card
from actioncast.forecasting.recipes import LONGEST_HORIZON
from actioncast.monitoring import live_error

router = APIRouter()
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "What If-None-Match names is still the answer"}}
LONGEST_PAGE = 1000  # hours
DEFAULT_WINDOW = timedelta(days=7)


def _iso_text(value: object) -> object:
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:", value):
        raise ValueError("expected ISO 8601 with a time and a zone, such as 2022-03-04T03:00:00Z (+ is %2B in a URL)")
    return value


def _utc(moment: datetime) -> datetime:
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
        description="Hours to answer, from the first unknown one on; the series' horizon by default",
        examples=[24],
    ),
]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


@router.post(
    "/forecast",
    tags=["forecast"],
    response_model=Forecast,
    dependencies=[Depends(writing)],
    openapi_extra={"security": TO_WRITE},
    responses=problems(401, 404, 413, 422, 429, 503),
)
async def forecast(
    request: Request,
    num_predictions: NumPredictions = None,
    return_predictions: Annotated[bool, Query(description="false: an empty list instead of the hours")] = True,
    series: SeriesName = None,
) -> Response:
    """Forecast the next hours from the newest stored ones, store them, and answer the first of them.

    At least the series' whole horizon is stored. The same hours and the same model give the same forecast, so that it
    is made once: asking again answers the stored one, until a new hour, a corrected hour or a new champion comes.
    """
    service = _service(request)
    series_id = await service.series_id(series)
    body = await service.forecast(series_id, num_predictions, listed=return_predictions)
    return body.answer(request)


@router.get(
    "/forecast",
    tags=["forecast"],
    response_model=Forecast,
    dependencies=[Depends(reading)],
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED,
)
async def latest_forecast(request: Request, series: SeriesName = None) -> Response:
    """The forecast that was issued last."""
    service = _service(request)
    body = await service.latest(await service.series_id(series))
    return body.answer(request)


@router.get(
    "/performance",
    tags=["monitoring"],
    response_model=Performance,
    dependencies=[Depends(reading)],
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED,
)
async def performance(
    request: Request,
    series: SeriesName = None,
    since: Annotated[Moment | None, Query(description="First hour; 7 days before the end by default")] = None,
    until: Annotated[Moment | None, Query(description="End, not included; now by default")] = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Hours on one page")] = 168,
) -> Response:
    """Forecast hours beside what happened and the weekly naive. For the next page ask again with since=next_since."""
    service = _service(request)
    series_id = await service.series_id(series)
    unit = service.settings.series[series_id].unit
    end = until or service.clock()
    begin = since or max(end, _EARLIEST) - DEFAULT_WINDOW
    rows = await service.ask(lambda database: database.performance(series_id, since=begin, until=end, limit=limit + 1))
    page = rows[:limit]
    score = live_error.live_score(page, [])
    answer = Performance(
        series=series_id,
        unit=unit,
        since=begin,
        until=end,
        summary=Summary(
            scored_hours=score.scored_hours, mae=score.mae, naive_mae=score.naive_mae, coverage=score.coverage
        ),
        hours=[ScoredHour.model_validate(row) for row in page],
        next_since=rows[limit]["prediction_date"] if len(rows) > limit else None,
    )
    return Body(answer.model_dump_json().encode()).answer(request)


_EARLIEST = datetime.min.replace(tzinfo=UTC) + DEFAULT_WINDOW


@router.get(
    "/model",
    tags=["model"],
    dependencies=[Depends(reading)],
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503),
)
async def model(request: Request, series: SeriesName = None) -> Card:
    """The champion's card: what it is, what it learned from, how good it was in the backtest."""
    service = _service(request)
    return service.card(await service.series_id(series))


@router.get(
    "/series",
    tags=["model"],
    dependencies=[Depends(reading)],
    openapi_extra={"security": TO_READ},
    responses=problems(401, 413, 429, 503),
)
async def series_list(request: Request) -> list[SeriesInfo]:
    """The series of config.toml and of the table `series`, with what is stored of each."""
    service = _service(request)
    infos = []
    for series_id, wanted in (await service.series()).items():
        state = await service.state(series_id)
        infos.append(
            SeriesInfo(
                series=series_id,
                title=wanted.title,
                unit=wanted.unit,
                horizon=wanted.horizon,
                newest_hour=state.newest.hour,
                issued_at=state.newest.issued_at,
                model_version=state.model_version,
            )
        )
    return infos


@router.get("/health", tags=["operation"], responses=problems(413))
async def health(request: Request) -> Health:
    """The process is alive, and which champions it serves. The database is not asked: /ready does."""
    service = _service(request)
    versions = {series_id: service.version(series_id) for series_id in service.settings.series}
    return Health(
        status="ok",
        revision=service.settings.environment.revision,
        model_version=next(iter(versions.values())),
        models=versions,
    )


_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Readiness, "description": "Not ready; checks says why"}}


@router.get("/ready", tags=["operation"], responses=problems(413, 429) | _NOT_READY)
async def ready(request: Request, response: Response) -> Readiness:
    """The database answers, every champion matches its card, the data are fresh."""
    found = await readiness(_service(request))
    response.status_code = 200 if found.ready else 503
    return found


@router.get(
    "/metrics",
    tags=["operation"],
    dependencies=[Depends(reading)],
    openapi_extra={"security": TO_READ},
    response_class=Response,
    responses=problems(401, 413, 429) | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Latency, ages, live error, coverage and model, for Prometheus."""
    instruments: Metrics = request.app.state.metrics
    text = await instruments.exposition(_service(request))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

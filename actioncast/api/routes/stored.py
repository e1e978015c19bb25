"""What is stored: reality, forecasts beside it, earlier forecasts, and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from actioncast import quantiles
from actioncast.api.body import CSV, Body, csv_of, wants_csv
from actioncast.api.keys import TO_READ, TO_WRITE
from actioncast.api.problems import problems
from actioncast.api.routes.parameters import (
    AS_CSV,
    TO_READERS,
    TO_WRITERS,
    UNCHANGED,
    Moment,
    SeriesName,
)
from actioncast.api.schemas import (
    Annotation,
    IssuedVintage,
    Performance,
    Reality,
    ScoredPeriod,
    StoredPeriod,
    Summary,
    Vintages,
)
from actioncast.api.state import state_of
from actioncast.database.database import Database
from actioncast.forecasting.recipes import LONGEST_HORIZON
from actioncast.monitoring import live_error

router = APIRouter()
SCORED_COLUMNS = [name for name in ScoredPeriod.model_fields if name != "quantiles"]
LONGEST_PAGE = 1000  # periods
LONGEST_NOTE = 300  # characters
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"  # what both databases store, and a line of a list shows
LONGEST_HISTORY = 20_000  # periods
DEFAULT_WINDOW = timedelta(days=7)
# The window before an earlier end would begin before year 1.
EARLIEST_END = datetime.min.replace(tzinfo=UTC) + DEFAULT_WINDOW


@router.get(
    "/performance",
    tags=["monitoring"],
    response_model=Performance,
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED | AS_CSV,
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
    lead: Annotated[
        int | None,
        Query(
            ge=1,
            le=LONGEST_HORIZON,
            description="As said so many periods before or earlier; by default the last forecast before a period began",
        ),
    ] = None,
) -> Response:
    """Forecast periods beside what happened and the naive, as JSON or CSV.

    For the next page ask again with since=next_since.
    """
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    series_settings = forecasts.catalogue.settings.series[series_id]
    end = until or forecasts.clock()
    shown = series_settings.defaults.shown.periods(series_settings.frequency)
    begin = since or series_settings.timeline.shift(max(end, EARLIEST_END), -(periods or shown))
    if lead is None:
        read = partial(Database.performance, series_id=series_id, since=begin, until=end, limit=limit + 1)
    else:
        read = partial(Database.said_before, series_id=series_id, lead=lead, since=begin, until=end, limit=limit + 1)
    rows = await forecasts.threads.ask(read)
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
    if wants_csv(request):
        return csv_of([_as_text(period) for period in answer.periods], SCORED_COLUMNS).answer(request, CSV)
    return Body(answer.model_dump_json().encode()).answer(request)


def _as_text(row: BaseModel) -> dict[str, Any]:
    """A row as JSON has it, with times as text."""
    document: dict[str, Any] = row.model_dump(mode="json")
    return document


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
    "/reality",
    tags=["monitoring"],
    response_model=Reality,
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED | AS_CSV,
)
async def reality(
    request: Request,
    series: SeriesName = None,
    since: Annotated[Moment | None, Query(description="First period; the oldest stored one by default")] = None,
    until: Annotated[Moment | None, Query(description="End, not included; now by default")] = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_HISTORY, description="Periods on one page")] = LONGEST_PAGE,
) -> Response:
    """The stored periods, as JSON or CSV. For the next page ask again with since=next_since."""
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    read = partial(
        Database.stored_periods,
        series_id=series_id,
        since=since or datetime.min.replace(tzinfo=UTC),
        until=until or forecasts.clock(),
        limit=limit + 1,
    )
    rows = await forecasts.threads.ask(read)
    periods = [
        StoredPeriod(period=row["reality_date"], value=row["value"], set_aside=row["set_aside"]) for row in rows[:limit]
    ]
    if wants_csv(request):
        return csv_of([_as_text(period) for period in periods], list(StoredPeriod.model_fields)).answer(request, CSV)
    answer = Reality(
        series=series_id,
        unit=forecasts.catalogue.settings.series[series_id].unit,
        periods=periods,
        next_since=rows[limit]["reality_date"] if len(rows) > limit else None,
    )
    return Body(answer.model_dump_json().encode()).answer(request)


@router.get(
    "/vintages",
    tags=["forecast"],
    response_model=Vintages,
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503) | UNCHANGED,
)
async def vintages(
    request: Request,
    series: SeriesName = None,
    until: Annotated[Moment | None, Query(description="Issued at this moment or before; now by default")] = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Forecasts to list")] = 100,
) -> Response:
    """The stored forecasts, newest first. GET /forecast?issued_at= answers each of them."""
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    read = partial(Database.vintages, series_id=series_id, until=until or forecasts.clock(), newest=limit)
    rows = await forecasts.threads.ask(read)
    timeline = forecasts.catalogue.settings.series[series_id].timeline
    found = [
        IssuedVintage(
            issued_at=row["issued_at"],
            origin=timeline.shift(row["first"], -row["lead"]),
            periods=row["periods"],
            model_version=row["model_version"],
            fallback=row["fallback"] is not None,
        )
        for row in rows
    ]
    return Body(Vintages(series=series_id, vintages=found).model_dump_json().encode()).answer(request)


@router.post(
    "/annotations",
    tags=["monitoring"],
    dependencies=TO_WRITERS,
    openapi_extra={"security": TO_WRITE},
    responses=problems(401, 404, 413, 422, 429, 503),
)
async def annotate(
    request: Request,
    note: Annotated[
        str,
        Query(
            min_length=1,
            max_length=LONGEST_NOTE,
            pattern=PRINTABLE,
            description="What happened, in a few words",
            examples=["the exchange was closed"],
        ),
    ],
    at: Annotated[Moment | None, Query(description="The moment it is about; now by default")] = None,
    series: SeriesName = None,
) -> Annotation:
    """Note something about a moment of a series; its charts show it. The same note again changes nothing."""
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    now = forecasts.clock()
    moment = (at or now).replace(microsecond=0)
    write = partial(Database.annotate, series_id=series_id, noted_for=moment, note=note, noted_at=now)
    await forecasts.threads.ask(write)
    return Annotation(series=series_id, noted_for=moment, note=note, noted_at=now)

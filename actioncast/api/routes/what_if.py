"""What would have been, with other rules for retraining: nothing is stored or sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request

from actioncast.api.forecasts import Forecasts
from actioncast.api.keys import TO_READ
from actioncast.api.problems import problems
from actioncast.api.routes.parameters import TO_READERS, SeriesName
from actioncast.api.schemas import Retrains, WhatIf
from actioncast.api.state import state_of
from actioncast.database.database import Database
from actioncast.forecasting.card import Holidays, ModelError
from actioncast.monitoring.what_if import Replayed, replay
from actioncast.policies import RetrainPolicy
from actioncast.text import number

router = APIRouter()
PAST = timedelta(days=90)
Ratio = Annotated[float | None, Query(gt=0, le=1000, description="Times the reference that a good error may be")]
Count = Annotated[int | None, Query(ge=1, le=100, description="Checks")]


@router.get(
    "/what-if",
    tags=["monitoring"],
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    responses=problems(401, 404, 413, 422, 429, 503),
)
async def what_if(
    request: Request,
    series: SeriesName = None,
    maximum_ratio_to_backtest: Ratio = None,
    maximum_ratio_to_naive: Ratio = None,
    bad_checks: Count = None,
    of_checks: Count = None,
    cooldown_hours: Annotated[float | None, Query(ge=0, le=10_000, description="Between two retrains")] = None,
    maximum_per_week: Annotated[int | None, Query(ge=0, le=100, description="Retrains")] = None,
) -> WhatIf:
    """The stored checks of the last 90 days, judged by the series' own rules and by these.

    The errors are those that happened; only a rehearsal (rehearse.py) shows how other retrains would have changed them.
    """
    forecasts = state_of(request).forecasts
    series_id = await forecasts.catalogue.series_id(series)
    own = forecasts.catalogue.settings.retrain_of(series_id)
    other = replace(
        own,
        maximum_ratio_to_backtest=maximum_ratio_to_backtest or own.maximum_ratio_to_backtest,
        maximum_ratio_to_naive=maximum_ratio_to_naive or own.maximum_ratio_to_naive,
        bad_checks=bad_checks or own.bad_checks,
        of_checks=of_checks or own.of_checks,
        cooldown=own.cooldown if cooldown_hours is None else timedelta(hours=cooldown_hours),
        maximum_per_week=own.maximum_per_week if maximum_per_week is None else maximum_per_week,
    )
    now = forecasts.clock()
    read = partial(Database.checks, series_id=series_id, since=now - PAST, before=now + timedelta(seconds=1))
    checks = (await forecasts.threads.ask(read))[::-1]
    holidays = _holidays(forecasts, series_id)
    by_own = replay(checks, own, holidays)
    by_other = replay(checks, other, holidays)
    return WhatIf(
        series=series_id,
        checks=len(checks),
        own=_retrains(by_own),
        other=_retrains(by_other),
        sentence=_sentence(other, by_other, by_own, len(checks)),
    )


def _holidays(forecasts: Forecasts, series_id: str) -> Holidays | None:
    """Those of the champion's card; none without one that can be read."""
    try:
        return forecasts.champions.card(series_id).holidays
    except ModelError:
        return None


def _retrains(replayed: Replayed) -> Retrains:
    return Retrains(
        asked_for=list(replayed.retrains),
        bad=sum(verdict in ("watch", "wait", "retrain") for verdict in replayed.verdicts),
    )


def _sentence(other: RetrainPolicy, by_other: Replayed, by_own: Replayed, checks: int) -> str:
    if not checks:
        return "No check is stored yet."
    rule = f"{number(other.maximum_ratio_to_backtest)} x the backtest, {other.bad_checks} of {other.of_checks} checks"
    count = len(by_other.retrains)
    plural = "" if count == 1 else "s"
    return f"With {rule}: {count} retrain{plural} instead of {len(by_own.retrains)}, in {checks:,} checks."

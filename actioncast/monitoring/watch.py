"""What the watch reads: of a series from the database and its model folder, of the workflows from GitHub."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from actioncast.database.database import Database
from actioncast.forecasting.card import ModelError, read_card
from actioncast.github import schedules
from actioncast.github.api import Api
from actioncast.monitoring import live_error
from actioncast.monitoring.freshness import SeriesState, WorkflowRuns
from actioncast.paths import ROOT
from actioncast.settings import Settings
from actioncast.times import parse_time

HISTORY_PERIODS = 24 * 182  # in which a run of one value is seen beside what is usual
WATCH = "check_freshness.yml"  # the watch's own workflow


def series_state(
    settings: Settings,
    database: Database,
    series_id: str,
    now: datetime,
    started: datetime | None,
) -> SeriesState:
    """All that is judged of a series, far enough back for the oldest look.

    `started` is when the first workflow ran, None when nobody knows.
    """
    policy = settings.freshness_of(series_id)
    series = settings.series[series_id]
    timeline = series.timeline
    first_periods = series.defaults.first_training.periods(series.frequency)
    oldest_look = now - timedelta(hours=policy.look_hours * policy.bad_looks)
    since = timeline.shift(oldest_look, -policy.coverage_window)
    rows = database.performance(series_id, since=since, until=now)
    aside = database.quarantined(series_id, since=since)
    history = database.reality(series_id, until=now, newest=HISTORY_PERIODS, timeline=timeline, quarantined=True)
    ingestions = database.etl_runs(series_id, since=oldest_look)
    return SeriesState(
        series=series_id,
        timeline=timeline,
        since=database.first_etl_run(series_id) or started,
        loads=database.newest_loads(series_id, timeline=timeline),
        issues=database.newest_vintages(series_id),
        champion_created=_champion_created(settings, series_id),
        scored=[row for row in live_error.without(rows, aside) if row["reality"] is not None],
        nominal_coverage=settings.train_of(series_id).coverage,
        failure=ingestions[0]["message"] if ingestions else "",
        history=history,
        hours=0 if history is None else min(len(history), first_periods),
        first_periods=first_periods,
    )


def _champion_created(settings: Settings, series_id: str) -> datetime | None:
    try:
        card = read_card(settings.model_directory(series_id))
    except ModelError:
        return None  # check_retrain.py reports a card that cannot be read
    return None if card is None else card.created_at


def workflow_runs(api: Api, workflow_hours: Mapping[str, float]) -> list[WorkflowRuns]:
    """The newest runs of each workflow; those of the watch too, without a limit.

    A workflow without a schedule has none: nobody expects it to run. Raises ApiError.
    """
    workflows = []
    for file, allowed_hours in {**workflow_hours, WATCH: math.inf}.items():
        runs = schedules.runs(api, file) if schedules.is_scheduled(ROOT, file) else []
        started = [parse_time(run["created_at"]) for run in runs]
        successes = [parse_time(run["created_at"]) for run in runs if run["conclusion"] == "success"]
        workflows.append(WorkflowRuns(file, allowed_hours, started, successes))
    return workflows

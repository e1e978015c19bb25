"""Checks what must hold at every tick, whatever fails.

Each broken promise is a sentence; a sound project yields none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from actioncast.arrays import np
from actioncast.database.database import Database
from actioncast.database.schema import Row
from actioncast.periods.grid import to_periods
from actioncast.periods.points import Points
from actioncast.periods.timeline import Timeline
from actioncast.policies import RetrainPolicy
from actioncast.rehearsal.plan import Plan
from actioncast.times import ONE_WEEK, from_seconds, isoformat, to_seconds

BEGINNING = from_seconds(0)
CHECKED_TICKS = 72  # of stored periods at each tick; once a day it is all of them
TOLERANCE = 1e-9  # relative: the database gives back what it was given


class ExpectedPeriod(NamedTuple):
    """What must be stored of an hour."""

    value: float
    samples: int


class Invariants:
    """Remembers what the source has shown and how far the state was, and compares the database."""

    def __init__(self, plan: Plan, database: Database, series_id: str) -> None:
        self.plan = plan
        self.database = database
        self.series_id = series_id
        self.timeline = plan.settings.series[plan.series_id].timeline
        self.expected: dict[int, ExpectedPeriod] = {}  # by start of the hour, in unix seconds
        # Values that a run has read, whether or not it lived to store them.
        self.possible: dict[int, set[float]] = {}
        self.newest: dict[str, datetime | None] = {}  # "hour" and "vintage" at the last tick

    # what the source has shown --------------------------------------------------------------------

    def before_reading(self, points: Points, now: datetime) -> None:
        """A run is about to read these points: it may store their complete hours."""
        for start, value, _ in self._complete_periods(points, now):
            self.possible.setdefault(start, set()).add(value)

    def after_reading(self, points: Points, now: datetime) -> None:
        """A run has read these points and ended well: their complete hours must be stored."""
        for start, value, samples in self._complete_periods(points, now):
            earlier = self.expected.get(start)
            if earlier is None or samples >= earlier.samples:
                self.expected[start] = ExpectedPeriod(value, samples)
                self.possible[start] = {value}

    def _complete_periods(self, points: Points, now: datetime) -> Iterator[tuple[int, float, int]]:
        """(start in unix seconds, value, samples) of each hour that is complete at `now`."""
        series_settings = self.plan.settings.series[self.plan.series_id]
        periods = to_periods(
            points,
            minimum_points=series_settings.minimum_points_per_period,
            scale=series_settings.scale,
            since=None,
            now=now,
            timeline=self.timeline,
            aggregate=series_settings.aggregate,
            stamps=series_settings.stamps,
        )
        starts = periods.starts.tolist()
        values = periods.values.tolist()
        samples = periods.samples.tolist()
        return zip(starts, values, samples, strict=True)

    # the promises ---------------------------------------------------------------------------------

    def check_tick(self, now: datetime) -> Iterator[str]:
        """Check the newest stored hours, once a day all of them, and that the state went on."""
        checked = CHECKED_TICKS * timedelta(seconds=self.plan.tick_seconds)
        since = now - checked if now.hour else BEGINNING
        yield from self._check_hours(since)
        yield from self._check_state()

    def check_end(self) -> Iterator[str]:
        """Check all stored hours."""
        yield from self._check_hours(BEGINNING)

    def _check_hours(self, since: datetime) -> Iterator[str]:
        first = to_seconds(since)
        expected = {start for start in self.expected if start >= first}
        rows = self.database.values_since(self.series_id, since)
        stored = dict(rows)
        if len(stored) < len(rows):
            yield f"reality holds {len(rows) - len(stored)} periods twice"
        starts = np.array(sorted(stored), dtype=np.int64)
        for start in starts[self.timeline.starts(self.timeline.numbers(starts)) != starts].tolist():
            yield f"{_hour(start)} is no {self.timeline.frequency.noun}"
        for start in sorted(expected - stored.keys()):
            yield f"{_hour(start)} was shown and is not stored"
        for start, value in stored.items():
            if not self._is_possible(start, value):
                shown = self.expected[start].value if start in self.expected else "nothing"
                yield f"{_hour(start)} is stored as {value}, shown as {shown}"

    def _is_possible(self, start: int, value: float) -> bool:
        """Whether a run has read this value of the hour."""
        values = self.possible.get(start, set())
        return any(abs(value - shown) <= TOLERANCE * abs(shown) for shown in values)

    def _check_state(self) -> Iterator[str]:
        """The newest hour and the newest vintage never go back."""
        newest = self.database.newest(self.series_id)
        state = {"hour": newest.period, "vintage": newest.issued_at}
        for name, after in state.items():
            before = self.newest.get(name)
            if before is not None and (after is None or after < before):
                yield f"the newest {name} went back from {before} to {after}"
        self.newest = state

    def check_vintage(self, issued_at: datetime, version: str | None) -> Iterator[str]:
        """A forecast just stored is for the hours after the last one, by the promoted champion.

        `version` is that of the model folder.
        """
        forecast = f"the forecast of {isoformat(issued_at)}"
        rows, last_period = self.database.issued_vintage(self.series_id, issued_at, self.timeline)
        if last_period is None or not rows:
            yield f"{forecast} left no row"
            return
        if not _follows(rows, last_period, self.timeline):
            yield f"{forecast} does not follow period by period on {isoformat(last_period)}"
        versions = {row["model_version"] for row in rows}
        promoted = self._promoted_versions()
        if versions != {version} or not versions <= promoted:
            yield f"{forecast} comes from {versions}, promoted were {sorted(promoted)}"

    def _promoted_versions(self) -> set[str]:
        """Versions that passed the gate, by the ledger.

        A training may have been killed after it wrote its row.
        """
        runs = self.database.training_runs(self.series_id, since=self.plan.start)
        return {run["champion"]["version"] for run in runs if run["verdict"] == "promoted"}

    def check_failed_ingestion(self, started_at: datetime) -> Iterator[str]:
        """An ingestion that failed left its reason in etl_runs."""
        for run in self.database.etl_runs(self.series_id, since=started_at):
            has_failed = run["started_at"] == started_at and run["outcome"] == "failed"
            if has_failed and run["message"]:
                return
        yield f"the ingestion of {isoformat(started_at)} failed and left no reason"

    def check_retrain_budget(self, policy: RetrainPolicy, now: datetime) -> Iterator[str]:
        """Retrains that were asked for keep the weekly cap and the cooldown."""
        checks = self.database.checks(
            self.series_id,
            since=now - ONE_WEEK,
            before=now + timedelta(seconds=1),
        )
        requests = [check["checked_at"] for check in checks if check["dispatched"]]
        yield from over_budget(requests, policy, now)


def over_budget(
    requests: Sequence[datetime],
    policy: RetrainPolicy,
    now: datetime,
) -> Iterator[str]:
    """Retrains beyond the weekly cap or inside the cooldown.

    `requests`: moments at which retrains of the last week were asked for, newest first.
    """
    this_week = [moment for moment in requests if now - moment < ONE_WEEK]
    if len(this_week) > policy.maximum_per_week:
        yield f"{len(this_week)} retrains were asked for in the week up to {isoformat(now)}"
    for newer, older in itertools.pairwise(requests):
        if newer - older < policy.cooldown:
            moments = f"{isoformat(older)} and {isoformat(newer)}"
            yield f"retrains were asked for at {moments}, inside the cooldown"


def _follows(rows: Sequence[Row], last_period: datetime, timeline: Timeline) -> bool:
    """Whether these forecasts are for each period after `last_period`, with leads from 1."""
    for lead, row in enumerate(rows, start=1):
        if row["lead"] != lead or row["prediction_date"] != timeline.shift(last_period, lead):
            return False
    return True


def _hour(start: int) -> str:
    return isoformat(from_seconds(start))

"""What must hold at every tick, whatever fails. Each broken promise is a sentence; there must be none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, column, text

from actioncast.database.database import Database
from actioncast.database.schema import UtcTime
from actioncast.hours import Points, to_hours
from actioncast.rehearsal.plan import Plan
from actioncast.settings import RetrainSettings
from actioncast.times import HOUR, ONE_WEEK, from_seconds, isoformat, to_seconds

EVER = from_seconds(0)
LOOKED_AT = timedelta(days=3)  # of stored hours at each tick; once a day and at the end all of them
TOLERANCE = 1e-9  # relative: the database gives back what it was given
_SECONDS = {
    True: "cast(strftime('%s', reality_date) as integer)",
    False: "cast(extract(epoch from reality_date) as bigint)",
}
_HOURS = "select {seconds}, value from reality where series_id = :s and reality_date >= :since"
_NEWEST = text(
    "select (select max(reality_date) from reality where series_id = :s),"
    " (select max(issued_at) from predictions where series_id = :s)"
)
_VINTAGE = (
    text(
        "select prediction_date, lead, model_version from predictions"
        " where series_id = :s and issued_at = :at order by prediction_date"
    )
    .bindparams(bindparam("at", type_=UtcTime))
    .columns(column("prediction_date", UtcTime), column("lead"), column("model_version"))
)


class Witness:
    """Remembers what the source has shown, what was promoted and how far the state was, and compares."""

    def __init__(self, plan: Plan, database: Database, series_id: str) -> None:
        self.plan = plan
        self.database = database
        self.series_id = series_id
        self.shown: dict[int, tuple[float, int]] = {}  # hour start -> value, points
        self.offered: dict[int, set[float]] = {}  # values that a run has read, whether or not it lived to store them
        self.newest: tuple[str, str] = ("", "")

    def offers(self, points: Points, now: datetime) -> None:
        """A run is about to read these points: it may store their complete hours."""
        for start, value, _ in self._complete(points, now):
            self.offered.setdefault(start, set()).add(value)

    def saw(self, points: Points, now: datetime) -> None:
        """A run has read these points and ended well: their complete hours must be stored from now on."""
        for start, value, samples in self._complete(points, now):
            if samples >= self.shown.get(start, (0.0, 0))[1]:
                self.shown[start], self.offered[start] = (value, samples), {value}

    def _complete(self, points: Points, now: datetime) -> Iterator[tuple[int, float, int]]:
        wanted = self.plan.settings.series[self.plan.series_id]
        hours = to_hours(points, minimum_points=wanted.minimum_points_per_hour, scale=wanted.scale, since=None, now=now)
        return zip(hours.starts.tolist(), hours.values.tolist(), hours.samples.tolist(), strict=True)

    def _promoted(self) -> set[str]:
        """Versions that passed the gate, as the ledger says: a training may have been killed after its record."""
        runs = self.database.training_runs(self.series_id, since=self.plan.start)
        return {run["champion"]["version"] for run in runs if run["verdict"] == "promoted"}

    def tick(self, now: datetime) -> Iterator[str]:
        """Sentences about the stored hours and the state."""
        yield from self._hours(now - LOOKED_AT if now.hour else EVER)
        yield from self._state()

    def end(self) -> Iterator[str]:
        """The same over everything."""
        yield from self._hours(EVER)

    def _hours(self, since: datetime) -> Iterator[str]:
        begin = to_seconds(since)
        expected = {start for start in self.shown if start >= begin}
        rows = self._stored(since)
        stored: dict[int, float] = dict(map(tuple, rows))
        if len(stored) < len(rows):
            yield f"reality holds {len(rows) - len(stored)} hours twice"
        yield from (f"{_hour(start)} is no hour" for start in stored if start % HOUR)
        yield from (f"{_hour(start)} was shown and is not stored" for start in sorted(expected - stored.keys()))
        for start, value in stored.items():
            if not any(abs(value - right) <= TOLERANCE * abs(right) for right in self.offered.get(start, ())):
                yield f"{_hour(start)} is stored as {value}, shown as {self.shown.get(start, ('nothing',))[0]}"

    def _stored(self, since: datetime) -> Sequence[Any]:
        """(unix seconds, value) of the stored hours; seconds by the database, which is faster than times by us."""
        query = text(_HOURS.format(seconds=_SECONDS[self.database.is_sqlite]))
        query = query.bindparams(bindparam("since", type_=UtcTime))
        with self.database.engine.connect() as connection:
            return connection.execute(query, {"s": self.series_id, "since": since}).all()

    def _state(self) -> Iterator[str]:
        """Text compares as time does: both databases write ISO times."""
        with self.database.engine.connect() as connection:
            row = connection.execute(_NEWEST, {"s": self.series_id}).one()
        for name, before, after in zip(("hour", "vintage"), self.newest, map(str, row), strict=True):
            if after < before:
                yield f"the newest {name} went back from {before} to {after}"
        self.newest = (str(row[0]), str(row[1]))

    def vintage(self, issued_at: datetime, version: str | None) -> Iterator[str]:
        """A forecast just stored: the hours after the last stored one, by the champion that passed the gate."""
        with self.database.engine.connect() as connection:
            rows = connection.execute(_VINTAGE, {"s": self.series_id, "at": issued_at}).all()
        known = self.database.reality(self.series_id, until=issued_at, newest=1)
        if known is None or not rows:
            yield f"the forecast of {isoformat(issued_at)} left no row"
            return
        wanted = [known.end + timedelta(hours=lead) for lead in range(1, len(rows) + 1)]
        if [row[0] for row in rows] != wanted or [row[1] for row in rows] != list(range(1, len(rows) + 1)):
            yield f"the forecast of {isoformat(issued_at)} does not follow hour by hour on {isoformat(known.end)}"
        versions = {row[2] for row in rows}
        promoted = self._promoted()
        if versions != {version} or not versions <= promoted:
            yield f"the forecast of {isoformat(issued_at)} comes from {versions}, promoted were {sorted(promoted)}"

    def failed_ingest(self, started_at: datetime) -> Iterator[str]:
        """A run that failed left its reason in etl_runs."""
        runs = self.database.etl_runs(self.series_id, since=started_at)
        if not any(r["started_at"] == started_at and r["outcome"] == "failed" and r["message"] for r in runs):
            yield f"the ingestion of {isoformat(started_at)} failed and left no reason"

    def budget(self, policy: RetrainSettings, now: datetime) -> Iterator[str]:
        """Retrains that were asked for keep the weekly cap and the cooldown."""
        checks = self.database.checks(self.series_id, since=now - ONE_WEEK, before=now + timedelta(seconds=1))
        yield from over_budget([check["checked_at"] for check in checks if check["dispatched"]], policy, now)


def over_budget(asked: Sequence[datetime], policy: RetrainSettings, now: datetime) -> Iterator[str]:
    """`asked` is newest first, of the last week."""
    this_week = [moment for moment in asked if now - moment < ONE_WEEK]
    if len(this_week) > policy.maximum_per_week:
        yield f"{len(this_week)} retrains were asked for in the week up to {isoformat(now)}"
    for newer, older in itertools.pairwise(asked):
        if newer - older < timedelta(hours=policy.cooldown_hours):
            yield f"retrains were asked for at {isoformat(older)} and {isoformat(newer)}, inside the cooldown"


def _hour(start: int) -> str:
    return isoformat(from_seconds(start))

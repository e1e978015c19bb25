"""What an ingestion asks its sources for, and which of their points it believes.

The series and each of its exogenous columns go the same way: `read` asks the source and checks each
point, `Reading.hours` refuses an answer that cannot be trusted as a whole and makes complete hours
of the others. In between, a run notes how many points came: a refused answer has been read too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from actioncast import times
from actioncast.arrays import Seconds
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.ingestion import doubts, patterns, refusals, sentinels, sources
from actioncast.ingestion.documents import SourceError
from actioncast.ingestion.health import look
from actioncast.ingestion.health.findings import HealthFinding
from actioncast.periods.aggregates import MOMENTS, Aggregate, Stamps
from actioncast.periods.axis import Cycles
from actioncast.periods.grid import Periods, to_periods
from actioncast.periods.points import (
    Checked,
    DataError,
    Points,
    Rejection,
    check_points,
    describe,
    read_points,
    readable_moment,
    refuse_too_many,
    rounded,
)
from actioncast.periods.timeline import Timeline
from actioncast.settings import Settings
from actioncast.times import HOUR, ONE_HOUR, isoformat

HOLE_DAYS = 14  # of the newest stored periods, whose holes are asked for again: sources back-fill late
LONGEST_GAP_AHEAD = 48 * HOUR  # between points of a feed that is ahead of its time
MAXIMUM_HISTORY = timedelta(days=36_500)  # a longer one means all there is


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is asked of one source, and what must hold for its answer."""

    series_id: str
    column: str = ""  # an exogenous column; empty for the series itself
    since: datetime | None  # None: all the source has
    until: datetime
    minimum_value: float | None
    minimum_points: int  # of a complete period
    timeline: Timeline
    promised_points: int | None = None  # in an hour; None: nothing is promised
    round_seconds: int = 0
    scale: float
    maximum_rejected_share: float
    maximum_age_hours: float | None  # of the newest point at `until`; None where age says nothing
    aggregate: Aggregate = "mean"
    stamps: Stamps = "start"
    last_wins: bool = False  # of several values for one moment


@dataclass(frozen=True)
class Reading:
    """The answer of one source: the points that can be true, and the others."""

    demand: Demand
    source_name: str
    checked: Checked
    points_read: int

    @property
    def points(self) -> Points:
        return self.checked.points

    @property
    def rejections(self) -> list[Rejection]:
        return self.checked.rejections

    @property
    def points_repeated(self) -> int:
        """Rows that name a moment which another row has named too; one of them counts."""
        checked = self.checked
        good_or_rejected = len(checked.points) + len(checked.rejections)
        awaited = len(checked.without_value) + len(checked.ahead)
        return self.points_read - good_or_rejected - awaited

    @cached_property
    def doubt(self) -> doubts.Doubt | None:
        """What to doubt about the moments of the points, None for nothing."""
        demand = self.demand
        if demand.promised_points is None or demand.aggregate == "time_weighted":
            return None
        if demand.aggregate in MOMENTS:
            return doubts.find_sparse(self.points.times, demand.timeline)
        end_labels = demand.stamps == "end"
        return doubts.find(self._open_times, demand.promised_points, demand.timeline, end_labels=end_labels)

    @property
    def _open_times(self) -> Seconds:
        """The times of the points that lie in periods that exist."""
        timeline = self.demand.timeline
        times = self.points.times
        return times if timeline.opening is None else times[timeline.is_open(times)]

    def periods(self) -> Periods:
        """The complete periods.

        Raises DataError when too many points were rejected, contradict each other or lie otherwise
        than the settings promise, and SourceError when no point is usable or the newest is too old:
        then the rest of the answer is doubtful too.
        """
        demand = self.demand
        self._refuse_doubtful()
        return to_periods(
            _with_ends_of_states(self.checked, demand),
            minimum_points=demand.minimum_points,
            scale=demand.scale,
            since=demand.since,
            now=demand.until,
            timeline=demand.timeline,
            aggregate=demand.aggregate,
            stamps=demand.stamps,
        )

    def _refuse_doubtful(self) -> None:
        demand = self.demand
        refusals.refuse_contradictions(self.rejections, self.source_name)
        self._refuse_pattern()
        judged = self.points_read - len(self.checked.without_value) - len(self.checked.ahead)
        refuse_too_many(self.rejections, judged, demand.maximum_rejected_share)
        sign = sentinels.find(self.points.values, demand.minimum_value)
        if sign:
            raise DataError(f"{self.source_name}: {sign}; nothing was loaded")
        doubt = self.doubt
        if doubt is not None and doubt.fails:
            raise DataError(f"{self.source_name}: {doubt.message}; nothing was loaded")
        if demand.maximum_age_hours is not None:
            refusals.refuse_nothing(self.checked, demand.until, self.source_name)
            refusals.refuse_old(
                self.points,
                demand.until,
                maximum_hours=demand.maximum_age_hours,
                source_name=self.source_name,
                timeline=demand.timeline,
            )
        if demand.aggregate == "counter":
            refusals.refuse_no_counter(self.points, self.source_name, demand.timeline)
        if demand.promised_points == 1 and demand.aggregate in ("mean", "sum"):
            refusals.refuse_half_hours(self.points, self.source_name, demand.timeline)
        if demand.promised_points is not None:
            refusals.refuse_foreign_midnights(self.points, self.source_name, demand.timeline)
            refusals.refuse_closed(self.points, self.source_name, demand.timeline, demand.maximum_rejected_share)

    def _refuse_pattern(self) -> None:
        """Raise DataError when points were rejected for a common reason, however few they are."""
        pattern = patterns.find(self.rejections, self.points)
        if pattern:
            raise DataError(
                f"{self.source_name}: {len(self.rejections)} of {self.points_read} points rejected, and not by "
                f"chance: {pattern}. {describe(self.rejections)}; nothing was loaded"
            )

    def notes(self) -> list[str]:
        """What a person should know about an answer that is good."""
        notes = [] if self.doubt is None else [self.doubt.message]
        if self.points_repeated:
            notes.append(f"points that name a moment once more, of which one counts: {self.points_repeated}")
        closed = len(self.points) - len(self._open_times)
        if closed:
            opening = str(self.demand.timeline.opening)
            notes.append(f"points outside open = {opening!r}, which are left out: {closed}")
        ahead = self.checked.ahead
        if not len(ahead):
            return notes
        last = readable_moment(int(ahead.times[-1]))
        now = isoformat(self.demand.until)
        noun = self.demand.timeline.frequency.noun
        note = f"points ahead of {now}, which wait for their {noun}: {len(ahead)}, up to {last}"
        newest_and_ahead = np.concatenate([self.points.times[-1:], ahead.times])
        longest_gap = max(LONGEST_GAP_AHEAD, 2 * self.demand.timeline.frequency.seconds)
        if (np.diff(newest_and_ahead) > longest_gap).any():
            note += ". Some lie days after all others: is a clock wrong?"
        return [*notes, note]


def _with_ends_of_states(checked: Checked, demand: Demand) -> Points:
    """The points, and where each row is a change of state, also the moments of the rows that end one
    without a new value: those that have none, and those that were rejected.
    """
    if demand.aggregate != "time_weighted":
        return checked.points
    rejected = [point.seconds for point in checked.rejections if point.seconds is not None]
    ends = np.concatenate([checked.without_value.times, np.array(rejected, dtype=np.int64)])
    is_past = (ends >= 0) & (ends <= times.to_seconds(demand.until))
    ends = np.setdiff1d(ends[is_past], checked.points.times)
    moments = np.concatenate([checked.points.times, ends])
    values = np.concatenate([checked.points.values, np.full(len(ends), np.nan)])
    order = np.argsort(moments)
    return Points(moments[order], values[order])


def read(settings: Settings, demand: Demand) -> Reading:
    """Ask one source and check each point of its answer. Raises SourceError."""
    rows = sources.fetch(
        settings,
        demand.series_id,
        column=demand.column,
        since=demand.since,
        until=demand.until,
    )
    points, unreadable = read_points(rows)
    if demand.round_seconds:
        points = Points(rounded(points.times, demand.round_seconds), points.values)
    checked = check_points(
        points,
        demand.until,
        demand.minimum_value,
        last_wins=demand.last_wins,
    )
    return Reading(
        demand=demand,
        source_name=sources.name_of(settings, demand.series_id, demand.column),
        checked=replace(checked, rejections=unreadable + checked.rejections),
        points_read=len(rows),
    )


def read_series(
    settings: Settings,
    series_id: str,
    *,
    since: datetime | None,
    now: datetime,
) -> Reading:
    """Ask the source of a series for its points up to `now`. Raises SourceError."""
    series = settings.series[series_id]
    demand = Demand(
        series_id=series_id,
        since=since,
        until=now,
        minimum_value=series.minimum_value,
        minimum_points=series.minimum_points_per_period,
        timeline=series.timeline,
        promised_points=series.points_per_period,
        round_seconds=series.round_seconds,
        scale=series.scale,
        maximum_rejected_share=series.maximum_rejected_share,
        maximum_age_hours=settings.freshness_of(series_id).source / ONE_HOUR,
        aggregate=series.aggregate,
        stamps=series.stamps,
        # A log of states may change twice within a second: the later state is the one that holds.
        last_wins=series.revisions == "last" or series.aggregate == "time_weighted",
    )
    return read(settings, demand)


def read_columns(
    settings: Settings,
    database: Database,
    series_id: str,
    *,
    since: datetime | None,
    now: datetime,
) -> tuple[dict[str, Periods], dict[str, str]]:
    """The hours of the exogenous columns by name, and why those that failed did.

    A column of which nothing is stored yet is read from the start of the history on.
    """
    loaded: dict[str, Periods] = {}
    failures: dict[str, str] = {}
    for column in settings.series[series_id].exogenous:
        try:
            begin = since
            if database.last_exogenous_period(series_id, column) is None:
                begin = _start_of_history(settings, now, series_id)
            loaded[column] = _read_column(settings, series_id, column, since=begin, now=now)
        except ActioncastError as error:
            failures[column] = str(error)
    return loaded, failures


def _read_column(
    settings: Settings,
    series_id: str,
    column: str,
    *,
    since: datetime | None,
    now: datetime,
) -> Periods:
    """The hours of a column up to the horizon ahead, at least one.

    Raises DataError or SourceError.
    """
    series = settings.series[series_id]
    demand = Demand(
        series_id=series_id,
        column=column,
        since=since,
        until=series.timeline.end_of(series.timeline.number_of(now) + series.horizon_periods),
        minimum_value=None,
        minimum_points=1,
        timeline=series.timeline,
        scale=1,
        maximum_rejected_share=series.maximum_rejected_share,
        maximum_age_hours=None,
        stamps=getattr(series.exogenous[column], "stamps", "start"),
        last_wins=series.revisions == "last",
    )
    reading = read(settings, demand)
    periods = reading.periods()
    if not len(periods):
        raise SourceError(f"{reading.source_name}: no {series.frequency.noun} of what was asked for")
    return periods


def first_period(
    settings: Settings,
    database: Database,
    series_id: str,
    *,
    now: datetime,
    backfill: datetime | bool,
) -> datetime | None:
    """The first hour to read; None for all the source has."""
    if isinstance(backfill, datetime):
        return settings.series[series_id].timeline.floor(backfill)
    if backfill:
        return None
    series = settings.series[series_id]
    timeline = series.timeline
    stored = database.reality(
        series_id, until=now, newest=Cycles(timeline).days(HOLE_DAYS), timeline=timeline, quarantined=True
    )
    if stored is None:
        return _start_of_history(settings, now, series_id)
    reread = timeline.shift(stored.end, -series.reread_periods)
    missing = np.flatnonzero(np.isnan(stored.values))
    if not len(missing):
        return reread
    first_missing = timeline.start_of(stored.first + int(missing[0]))
    return min(reread, first_missing)


def _start_of_history(settings: Settings, now: datetime, series_id: str) -> datetime | None:
    """Where the history begins when nothing is stored; None for all the source has."""
    series = settings.series[series_id]
    if series.history is None:
        return None
    length = series.history.duration(series.frequency)
    if length > MAXIMUM_HISTORY:
        return None
    return series.timeline.floor(now - length)


def doubtful_periods(settings: Settings, database: Database, series_id: str, *, now: datetime) -> list[HealthFinding]:
    """What looks wrong in the newest stored hours; those of strong evidence are set aside."""
    timeline = settings.series[series_id].timeline
    history = database.reality(series_id, until=now, newest=look.WINDOW, timeline=timeline, quarantined=True)
    if history is None:
        return []
    findings = look.newest(history)
    for finding in findings:
        hours = look.periods_to_set_aside(finding, timeline)
        earlier = database.quarantined(series_id, since=finding.first) if hours else {}
        newer = [hour for hour in hours if hour not in earlier]
        database.set_aside(series_id, newer, reason=finding.kind, decided_at=now)
    return findings

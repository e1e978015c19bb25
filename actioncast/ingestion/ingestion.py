"""What an ingestion asks its sources for, and which of their points it believes.

The series and each of its exogenous columns go the same way: `read` asks the source and checks each
point, `Reading.hours` refuses an answer that cannot be trusted as a whole and makes complete hours
of the others. In between, a run notes how many points came: a refused answer has been read too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from actioncast import times
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.hours import (
    FUTURE,
    DataError,
    Hours,
    Points,
    Rejection,
    check_points,
    describe,
    read_points,
    refuse_too_many,
    to_hours,
)
from actioncast.ingestion import doubts, patterns, sources
from actioncast.ingestion.documents import SourceError
from actioncast.settings import Settings

HOLE_HOURS = 24 * 14  # newest stored hours whose holes are asked for again: sources back-fill late
MAXIMUM_DAYS = 36_500  # of history; a longer one means all there is


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is asked of one source, and what must hold for its answer."""

    series_id: str
    column: str = ""  # an exogenous column; empty for the series itself
    since: datetime | None  # None: all the source has
    until: datetime
    minimum_value: float | None
    minimum_points: int  # of a complete hour
    promised_points: int | None = None  # in an hour; None: nothing is promised
    round_seconds: int = 0
    scale: float
    maximum_rejected_share: float
    future_is_doubtful: bool  # points after `until` count as bad data
    maximum_age_hours: float | None  # of the newest point at `until`; None where age says nothing


@dataclass(frozen=True)
class Reading:
    """The answer of one source: the points that can be true, and the others."""

    demand: Demand
    source_name: str
    points: Points
    points_read: int
    rejections: list[Rejection]

    @cached_property
    def doubt(self) -> doubts.Doubt | None:
        """What the moments of the points speak against, None where nothing was promised about them."""
        if self.demand.promised_points is None:
            return None
        return doubts.find(self.points.times, self.demand.promised_points)

    def hours(self) -> Hours:
        """The complete hours.

        Raises DataError when too many points were rejected, or lie otherwise than points_per_hour
        promises, and SourceError when the newest point is too old: then the rest of the answer is
        doubtful too.
        """
        demand = self.demand
        self._refuse_pattern()
        refuse_too_many(self._held_against(), self.points_read, demand.maximum_rejected_share)
        doubt = self.doubt
        if doubt is not None and doubt.fails:
            raise DataError(f"{self.source_name}: {doubt.message}; nothing was loaded")
        if demand.maximum_age_hours is not None:
            sources.refuse_old(
                self.points,
                demand.until,
                maximum_hours=demand.maximum_age_hours,
                source_name=self.source_name,
            )
        return to_hours(
            self.points,
            minimum_points=demand.minimum_points,
            scale=demand.scale,
            since=demand.since,
            now=demand.until,
        )

    def _refuse_pattern(self) -> None:
        """Raise DataError when points were rejected for a common reason, however few they are."""
        rejections = self._held_against()
        pattern = patterns.find(rejections, self.points)
        if pattern:
            raise DataError(
                f"{self.source_name}: {len(rejections)} of {self.points_read} points rejected, and not by "
                f"chance: {pattern}. {describe(rejections)}; nothing was loaded"
            )

    def _held_against(self) -> list[Rejection]:
        """The rejections that say something about the quality of the source."""
        if self.demand.future_is_doubtful:
            return self.rejections
        return [
            rejection
            for rejection in self.rejections
            if not rejection.reason.startswith(FUTURE)  # beyond what was asked for
        ]


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
        points = Points(doubts.rounded(points.times, demand.round_seconds), points.values)
    points, untrue = check_points(points, demand.until, demand.minimum_value)
    return Reading(
        demand=demand,
        source_name=sources.name_of(settings, demand.series_id, demand.column),
        points=points,
        points_read=len(rows),
        rejections=unreadable + untrue,
    )


def read_series(
    settings: Settings,
    series_id: str,
    *,
    since: datetime | None,
    now: datetime,
    time_travel: bool,
) -> Reading:
    """Ask the source of a series for its points up to `now`. Raises SourceError."""
    series = settings.series[series_id]
    demand = Demand(
        series_id=series_id,
        since=since,
        until=now,
        minimum_value=series.minimum_value,
        minimum_points=series.minimum_points_per_hour,
        promised_points=series.points_per_hour,
        round_seconds=series.round_seconds,
        scale=series.scale,
        maximum_rejected_share=series.maximum_rejected_share,
        # A recording replayed at an earlier moment has a future, which is nothing against it.
        future_is_doubtful=not time_travel,
        maximum_age_hours=settings.freshness.source_hours,
    )
    return read(settings, demand)


def read_columns(
    settings: Settings,
    database: Database,
    series_id: str,
    *,
    since: datetime | None,
    now: datetime,
) -> tuple[dict[str, Hours], dict[str, str]]:
    """The hours of the exogenous columns by name, and why those that failed did.

    A column of which nothing is stored yet is read from the start of the history on.
    """
    loaded: dict[str, Hours] = {}
    failures: dict[str, str] = {}
    for column in settings.series[series_id].exogenous:
        try:
            begin = since
            if database.last_exogenous_hour(series_id, column) is None:
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
) -> Hours:
    """The hours of a column up to the horizon ahead, at least one.

    Raises DataError or SourceError.
    """
    series = settings.series[series_id]
    demand = Demand(
        series_id=series_id,
        column=column,
        since=since,
        until=times.floor_hour(now) + timedelta(hours=series.horizon + 1),
        minimum_value=None,
        minimum_points=1,
        scale=1,
        maximum_rejected_share=series.maximum_rejected_share,
        future_is_doubtful=False,  # a forecast may reach further than it was asked for
        maximum_age_hours=None,
    )
    reading = read(settings, demand)
    hours = reading.hours()
    if not len(hours):
        raise SourceError(f"{reading.source_name}: no hour of what was asked for")
    return hours


def first_hour(
    settings: Settings,
    database: Database,
    series_id: str,
    *,
    now: datetime,
    backfill: datetime | bool,
) -> datetime | None:
    """The first hour to read; None for all the source has."""
    if isinstance(backfill, datetime):
        return times.floor_hour(backfill)
    if backfill:
        return None
    stored = database.reality(series_id, until=now, newest=HOLE_HOURS)
    if stored is None:
        return _start_of_history(settings, now, series_id)
    reread = stored.end - timedelta(hours=settings.series[series_id].reread_hours)
    missing = np.flatnonzero(np.isnan(stored.values))
    if not len(missing):
        return reread
    first_missing = stored.start + timedelta(hours=int(missing[0]))
    return min(reread, first_missing)


def _start_of_history(settings: Settings, now: datetime, series_id: str) -> datetime | None:
    """Where the history begins when nothing is stored; None for all the source has."""
    days = settings.series[series_id].history_days
    if days > MAXIMUM_DAYS:
        return None
    return times.floor_hour(now - timedelta(days=days))

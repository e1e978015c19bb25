"""Points -> complete periods -> a regular series. Pure functions: no database, no network, no clock.

A period is named by its start and its value is scale x the mean of its points, or another aggregate
of them (aggregates.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from actioncast.arrays import Flags, Numbers, Seconds, Values, np
from actioncast.periods.aggregates import Aggregate, Stamps, aggregated
from actioncast.periods.axis import Axis
from actioncast.periods.points import Points
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.times import to_seconds


@dataclass(frozen=True)
class Periods:
    """Complete hours: starts [n] in unix seconds, values [n] in the series' unit, samples [n].

    The starts are ascending and unique.
    """

    starts: Seconds
    values: Values
    samples: Numbers

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class Grid:
    """A regular series: values [n] from the period that begins at `start` (aware UTC) on, NaN where
    one is missing.

    `exogenous` are columns known in the future, [n + periods ahead] by name, NaN where not known.
    """

    start: datetime
    values: Values
    exogenous: Mapping[str, Values] = field(default_factory=dict)
    timeline: Timeline = UTC_HOURS

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def first(self) -> int:
        """The number of the first period."""
        return self.timeline.number_of(self.start)

    @property
    def axis(self) -> Axis:
        return Axis(self.timeline, self.first)

    @property
    def numbers(self) -> Numbers:
        """[n] the numbers of the periods."""
        return np.arange(self.first, self.first + len(self), dtype=np.int64)

    @property
    def end(self) -> datetime:
        """Start of the last period."""
        return self.timeline.start_of(self.first + len(self) - 1)


# Aggregating --------------------------------------------------------------------------------------


def to_periods(
    points: Points,
    *,
    minimum_points: int,
    scale: float,
    since: datetime | None,
    now: datetime,
    timeline: Timeline = UTC_HOURS,
    aggregate: Aggregate = "mean",
    stamps: Stamps = "start",
) -> Periods:
    """Complete hours among checked points (ascending, unique).

    An hour is complete when it is over at `now` and holds enough (see actioncast/periods/aggregates.py).
    Periods that begin before `since` are left out: an answer that starts inside an hour shows only a
    part of it, which must not replace a stored one.
    """
    hours = aggregated(
        aggregate,
        points.times,
        points.values,
        timeline=timeline,
        minimum_points=minimum_points,
        stamps=stamps,
    )
    is_complete = _is_complete(hours.starts, timeline, since=since, now=now)
    # A value that gets infinite here is refused where it would be stored.
    with np.errstate(over="ignore"):
        values = scale * hours.values[is_complete]
    return Periods(hours.starts[is_complete], values, hours.samples[is_complete])


def _is_complete(starts: Seconds, timeline: Timeline, *, since: datetime | None, now: datetime) -> Flags:
    """Whether each hour is over at `now` and begins no earlier than `since`."""
    is_over = starts < to_seconds(timeline.start_of(timeline.last_over(now) + 1))
    if since is None:
        return is_over
    return is_over & (starts >= to_seconds(since))


def missing_periods(hours: Periods, timeline: Timeline) -> int:
    """Number of missing hours between the first and the last complete one."""
    if not len(hours):
        return 0
    first, last = timeline.numbers(hours.starts[[0, -1]])
    return int(last - first + 1 - len(hours))


def to_grid(starts: Seconds, values: Values, timeline: Timeline = UTC_HOURS) -> Grid:
    """Ascending hours -> the regular series from first to last, NaN where an hour is missing."""
    if not len(starts):
        raise ValueError("expected at least one hour, got none")
    numbers = timeline.numbers(starts)
    position = numbers - numbers[0]
    length = int(position[-1]) + 1
    regular = np.full(length, np.nan)
    regular[position] = values
    return Grid(timeline.start_of(int(numbers[0])), regular, timeline=timeline)

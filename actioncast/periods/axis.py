"""The axis of a series: which periods its positions are, and the cycles that people live by.

A phase is the place of a period in a cycle of the clocks of its zone: in the day or in the week of
series that come within a day, in the week of daily ones, in the year of monthly and quarterly ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from actioncast.arrays import Numbers, Seconds, np
from actioncast.periods.frequency import DAY, HOUR, WEEK
from actioncast.periods.timeline import Timeline

HOURS = 24
WEEKDAYS = 7
MONTHS = 12
YEAR = 365.25  # days


@dataclass(frozen=True)
class Axis:
    """The periods of a timeline from `first`, the number of position 0, on."""

    timeline: Timeline
    first: int

    def starts(self, positions: Numbers) -> Seconds:
        """The starts of these positions in unix seconds; the shape stays."""
        return self.timeline.starts(self.first + positions)

    def moved(self, positions: int) -> Axis:
        """The axis whose position 0 is this position."""
        return Axis(self.timeline, self.first + positions)

    def local(self, positions: Numbers) -> Seconds:
        """What the clocks of the zone show when each begins, in seconds since 1970 on them."""
        return self.timeline.clocks.local(self.starts(positions))

    def weekly(self, positions: Numbers) -> Numbers:
        """The phase of the week of each position, from Thursday on, as 1970 began with one."""
        step = self.timeline.frequency.seconds
        return np.asarray(self.local(positions) // step % phases_of_week(self.timeline))

    def week_phases(self, positions: Numbers) -> WeekPhases:
        """The same with the number of phases."""
        return WeekPhases(self.weekly(positions), phases_of_week(self.timeline))

    def hour(self, positions: Numbers) -> Numbers:
        """The hour of the day of each position, on the clocks of the zone."""
        return np.asarray(self.local(positions) % DAY // HOUR)

    def errors(self, positions: Numbers) -> Numbers:
        """The phase that errors differ by: hour of the day, weekday, month or quarter."""
        frequency = self.timeline.frequency
        if frequency.is_within_day:
            return self.hour(positions)
        if frequency.unit == "D":
            return self.weekly(positions)
        if frequency.months and frequency.months < MONTHS:
            months = self.local(positions).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
            return np.asarray(months % MONTHS // frequency.months)
        return np.zeros(np.shape(positions), dtype=np.int64)


@dataclass(frozen=True)
class WeekPhases:
    """The phases of the week of some positions, and how many a week has."""

    at: Numbers
    count: int


def phases_of_week(timeline: Timeline) -> int:
    """How many phases a week has: 168 at an hour, 7 at a day, one at a week and longer."""
    return max(1, WEEK // timeline.frequency.seconds)


def phases_of_errors(timeline: Timeline) -> int:
    """How many phases `Axis.errors` counts."""
    frequency = timeline.frequency
    if frequency.is_within_day:
        return HOURS
    if frequency.unit == "D":
        return WEEKDAYS
    if frequency.months:
        return MONTHS // frequency.months
    return 1


@dataclass(frozen=True)
class Cycles:
    """The cycles that people live by, of one timeline."""

    timeline: Timeline

    @cached_property
    def day(self) -> int:
        """Periods of a day: 24 at an hour; 0 where a period is no part of one, or open days differ in length."""
        if not self.timeline.frequency.is_within_day:
            return 0
        if self.timeline.opening is None:
            return DAY // self.timeline.frequency.seconds
        lengths = set(self.timeline.open_periods_by_weekday) - {0}
        return lengths.pop() if len(lengths) == 1 else 0

    @cached_property
    def week(self) -> int:
        """Periods of a week: 168 at an hour, 7 at a day; 0 where a period is no part of one."""
        if self.timeline.frequency.seconds >= WEEK:
            return 0
        return sum(self.timeline.open_periods_by_weekday)

    @cached_property
    def year(self) -> float:
        """Periods of a year, of days and weeks on average; 0 where a period is no part of one."""
        frequency = self.timeline.frequency
        if frequency.months:
            return MONTHS // frequency.months if frequency.months < MONTHS else 0
        if frequency.unit == "W":
            return YEAR / WEEKDAYS
        return YEAR / WEEKDAYS * self.week

    def days(self, count: float) -> int:
        """Periods of so many days, closed ones not counted; at least one. Of weeks and longer periods it is `count`."""
        per_day = self.week / WEEKDAYS or 1
        return max(1, round(count * per_day))

"""The periods of a series: the number of a period <-> its start, in the time zone of the series.

A period is named by its start. Numbers of neighbours differ by one, whatever the clocks of the zone
do: a day of 23 hours, a month of 28 days and the Monday after a closed weekend are one step. Moments
are whole unix seconds in int64 arrays, as everywhere inside.

Periods shorter than a day run on without regard to the clocks, beginning where the zone's do, if
each change of its clocks is a multiple of them: an hour in Madrid, or in Kolkata, whose hours begin
at half past in UTC. Other periods follow the clocks on the wall: each day has four periods of 6 h,
of which one lasts 5 or 7 hours when the clocks change. Days, weeks, months, quarters and years begin
at midnight of the zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property

from actioncast.arrays import Flags, Numbers, Seconds, np
from actioncast.periods.clocks import Clocks, clocks_of
from actioncast.periods.frequency import DAY, HOURLY, MINUTE, WEEK, Frequency
from actioncast.periods.opening import Opening
from actioncast.times import from_seconds, to_seconds

MONDAY = 4  # days from 1970-01-01, a Thursday, to the first Monday


@dataclass(frozen=True)
class Timeline:
    """The periods of a series. `opening`: those of other hours do not exist.

    `wall`: periods shorter than a day follow the clocks through each change, as models see them (wall.py).
    """

    frequency: Frequency = HOURLY
    timezone: str = "UTC"
    opening: Opening | None = field(default=None)
    wall: bool = False

    def __str__(self) -> str:
        """Such as 1D in Europe/Madrid, open Mon-Fri."""
        opening = f", open {self.opening}" if self.opening else ""
        return f"{self.frequency} in {self.timezone}{opening}"

    def check(self) -> None:
        """Raise ValueError for opening times that have no meaning at this frequency."""
        is_weekly_or_longer = self.frequency.seconds >= WEEK
        if self.opening and is_weekly_or_longer:
            raise ValueError(f"open = {str(self.opening)!r} is for periods up to a day, not for {self.frequency}")

    @property
    def clocks(self) -> Clocks:
        return clocks_of(self.timezone)

    @cached_property
    def _follows_wall(self) -> bool:
        """Whether periods shorter than a day follow the clocks on the wall through their changes."""
        return self.wall or self.opening is not None or not self.clocks.all_change_by(self.frequency.seconds)

    @cached_property
    def _phase(self) -> int:
        """Seconds from a multiple of the period in UTC to the start of one."""
        return int(-self.clocks.offsets[-1] % self.frequency.seconds)

    @cached_property
    def _open_slots(self) -> Numbers:
        """The periods of a week that exist, by their place in it from Monday 00:00 on."""
        slots = np.arange(WEEK // self.frequency.seconds)
        minutes = slots * self.frequency.seconds // MINUTE
        day, minute = np.divmod(minutes, DAY // MINUTE)
        is_open = np.zeros(len(slots), dtype=np.bool_)
        spans = self.opening.spans if self.opening else ()
        for weekday, begin, end in spans:
            is_open |= (day == weekday) & (minute >= begin) & (minute < end)
        return np.flatnonzero(is_open)

    @cached_property
    def open_periods_by_weekday(self) -> tuple[int, ...]:
        """[7] how many periods each weekday has, from Monday on; without an opening all alike."""
        per_day = DAY // self.frequency.seconds
        if self.opening is None:
            return (per_day,) * 7
        counts = np.bincount(self._open_slots // per_day, minlength=7)
        return tuple(int(count) for count in counts)

    # Arrays

    def numbers(self, seconds: Seconds) -> Numbers:
        """The number of the period that holds each moment; in closed hours that of the last one before."""
        frequency = self.frequency
        if frequency.is_within_day and not self._follows_wall:
            return np.asarray((seconds - self._phase) // frequency.seconds)
        local = self.clocks.local(np.asarray(seconds))
        if frequency.is_within_day:
            numbers = local // frequency.seconds
        elif frequency.months:
            numbers = _months_of(local) - frequency.anchor
            numbers = numbers // frequency.months
        else:
            numbers = local // DAY
            if frequency.unit == "W":
                numbers = (numbers - MONDAY - frequency.anchor) // 7
        return self._without_closed(numbers) if self.opening else numbers

    def starts(self, numbers: Numbers) -> Seconds:
        """The start of each period, in unix seconds."""
        frequency = self.frequency
        numbers = np.asarray(numbers)
        if self.opening:
            numbers = self._with_closed(numbers)
        if frequency.is_within_day:
            if not self._follows_wall:
                return np.asarray(numbers * frequency.seconds + self._phase)
            return self.clocks.utc(numbers * frequency.seconds)
        if frequency.months:
            days = _first_days_of(numbers * frequency.months + frequency.anchor)
        elif frequency.unit == "W":
            days = numbers * 7 + MONDAY + frequency.anchor
        else:
            days = numbers
        return self.clocks.utc(days * DAY)

    def ends(self, numbers: Numbers) -> Seconds:
        """The end of each period: the start of the next one, or where it closes."""
        if not self.opening:
            return self.starts(np.asarray(numbers) + 1)
        following = self._with_closed(np.asarray(numbers)) + 1
        return self.clocks.utc(following * self.frequency.seconds)

    def is_open(self, seconds: Seconds) -> Flags:
        """Whether each moment lies in a period that exists."""
        if not self.opening:
            return np.ones(np.shape(seconds), dtype=np.bool_)
        slots = (self.clocks.local(np.asarray(seconds)) // self.frequency.seconds - self._first_slot) % self._slots
        return np.isin(slots, self._open_slots)

    def local(self, numbers: Numbers) -> Seconds:
        """What the clocks of the zone show when each period begins, in seconds since 1970 on them."""
        return self.clocks.local(self.starts(numbers))

    # Closed hours: a week of slots from Monday 00:00 on, of which some have a number.

    @property
    def _slots(self) -> int:
        return WEEK // self.frequency.seconds

    @property
    def _first_slot(self) -> int:
        """The slot of the first Monday since 1970 began."""
        return MONDAY * DAY // self.frequency.seconds

    def _without_closed(self, slots: Numbers) -> Numbers:
        week, slot = np.divmod(slots - self._first_slot, self._slots)
        rank = np.searchsorted(self._open_slots, slot, side="right") - 1
        return np.asarray(week * len(self._open_slots) + rank)

    def _with_closed(self, numbers: Numbers) -> Numbers:
        week, rank = np.divmod(numbers, len(self._open_slots))
        return np.asarray(week * self._slots + self._open_slots[rank] + self._first_slot)

    # Single periods

    def number_of(self, moment: datetime) -> int:
        """The number of the period that holds this moment."""
        return int(self.numbers(np.array([to_seconds(moment)]))[0])

    def start_of(self, number: int) -> datetime:
        """The start of a period as an aware UTC datetime."""
        return from_seconds(int(self.starts(np.array([number]))[0]))

    def end_of(self, number: int) -> datetime:
        """The end of a period as an aware UTC datetime."""
        return from_seconds(int(self.ends(np.array([number]))[0]))

    def floor(self, moment: datetime) -> datetime:
        """The start of the period that holds this moment."""
        return self.start_of(self.number_of(moment))

    def shift(self, start: datetime, periods: int) -> datetime:
        """The start of the period so many after the one that holds this moment."""
        return self.start_of(self.number_of(start) + periods)

    def last_over(self, now: datetime) -> int:
        """The number of the newest period that is over."""
        number = self.number_of(now)
        return number if self.end_of(number) <= now else number - 1

    def open_time(self, since: datetime, until: datetime) -> timedelta:
        """How much of the time between two moments lies in periods that exist: a closed weekend is no time."""
        if not self.opening:
            return until - since
        return self._open_time(until) - self._open_time(since)

    def after(self, since: datetime, open_time: timedelta) -> datetime:
        """The moment until which so much time lies in periods that exist: the inverse of `open_time`."""
        if not self.opening:
            return since + open_time
        whole = self._open_time(since) + open_time
        number, rest = divmod(whole, timedelta(seconds=self.frequency.seconds))
        return self.start_of(number) + rest

    def _open_time(self, moment: datetime) -> timedelta:
        """Since the period of the number 0 began."""
        number = self.number_of(moment)
        start = self.start_of(number)
        whole = timedelta(seconds=number * self.frequency.seconds)
        return whole + min(moment - start, self.end_of(number) - start)


@cache
def timeline_of(
    frequency: Frequency,
    timezone: str,
    opening: Opening | None,
    wall: bool = False,
) -> Timeline:
    """One timeline for all who ask for the same, which keeps what it has computed."""
    return Timeline(frequency, timezone, opening, wall)


def _months_of(local: Seconds) -> Numbers:
    """Months since January 1970."""
    days = (local // DAY).astype("datetime64[D]")
    return days.astype("datetime64[M]").astype(np.int64)


def _first_days_of(months: Numbers) -> Numbers:
    """Days from 1970 to the first one of each month."""
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    return first.astype(np.int64)


UTC_HOURS = Timeline()

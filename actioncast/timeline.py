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

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from actioncast.arrays import Flags, Numbers, Seconds, np
from actioncast.times import from_seconds, to_seconds

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MINUTE = 60  # seconds
HOUR = 3600
DAY = 86_400
WEEK = 7 * DAY
MEAN_MONTH = 30.436875 * DAY  # of the Gregorian calendar
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MONDAY = 4  # days from 1970-01-01, a Thursday, to the first Monday
MINUTES = (1, 5, 10, 15, 30)
HOURS = (1, 2, 3, 4, 6, 8, 12)
ALLOWED = (
    "1min, 5min, 10min, 15min, 30min, 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1D, 1W (1W-MON for weeks that begin "
    "on a Monday), 1MS (months), 1QS (quarters) or 1YS (years)"
)
# The spellings of pandas, of today and of earlier days. A period is named by its start, whatever end
# of it the spelling names.
UNITS = {
    "min": "min",
    "t": "min",
    "h": "h",
    "d": "D",
    "w": "W",
    "ms": "MS",
    "me": "MS",
    "m": "MS",
    "qs": "QS",
    "qe": "QS",
    "q": "QS",
    "ys": "YS",
    "ye": "YS",
    "y": "YS",
    "as": "YS",
    "a": "YS",
}
# The same length in the next unit.
LARGER = {(60, "min"): (1, "h"), (24, "h"): (1, "D"), (3, "MS"): (1, "QS"), (12, "MS"): (1, "YS"), (4, "QS"): (1, "YS")}

Unit = Literal["min", "h", "D", "W", "MS", "QS", "YS"]


# Frequencies --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frequency:
    """How long a period is: so many units, and the weekday or month that weeks, quarters and years begin with.

    `anchor` counts from 0: Monday or January.
    """

    count: int
    unit: Unit
    anchor: int = 0

    def __str__(self) -> str:
        """The normal form, such as 15min, 1D, 1W-MON, 1QS or 1YS-APR."""
        if self.unit == "W":
            return f"1W-{WEEKDAYS[self.anchor]}"
        if self.anchor:
            return f"1{self.unit}-{MONTHS[self.anchor]}"
        return f"{self.count}{self.unit}"

    @property
    def months(self) -> int:
        """Calendar months in a period; 0 for one that is made of days or less."""
        return {"MS": 1, "QS": 3, "YS": 12}.get(self.unit, 0)

    @property
    def seconds(self) -> int:
        """Seconds in a period, of months the mean; a day has 24 hours."""
        if self.months:
            return round(self.months * MEAN_MONTH)
        sizes = {"min": MINUTE, "h": HOUR, "D": DAY, "W": WEEK}
        return self.count * sizes[self.unit]

    @property
    def is_within_day(self) -> bool:
        """Whether a period is shorter than a day."""
        return self.unit in ("min", "h")

    @property
    def noun(self) -> str:
        """A period in words: "hour", "quarter hour", "5 minutes", "month"."""
        if self.count > 1:
            special = {"15min": "quarter hour", "30min": "half-hour"}
            plural = {"min": "minutes", "h": "hours"}
            return special.get(str(self)) or f"{self.count} {plural[self.unit]}"
        nouns = {"min": "minute", "h": "hour", "D": "day", "W": "week", "MS": "month", "QS": "quarter", "YS": "year"}
        return nouns[self.unit]

    @property
    def plural(self) -> str:
        """Several periods in words: "hours", "quarter hours", "periods of 5 minutes", "months"."""
        if self.noun[0].isdigit():
            return f"periods of {self.noun}"
        return f"{self.noun}s"


HOURLY = Frequency(1, "h")


def parse_frequency(text: str) -> Frequency:
    """A frequency as people write it. Raises ValueError for one that is not known."""
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(?:-([A-Za-z]{3}))?", text.strip())
    unit = UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r} is no frequency that a series can have; allowed are {ALLOWED}")
    count, unit = _in_largest_unit(int(match[1] or 1), unit)
    frequency = _frequency(count, unit, (match[3] or "").upper())
    if frequency is None:
        raise ValueError(f"{text!r} is no frequency that a series can have; allowed are {ALLOWED}")
    return frequency


def _in_largest_unit(count: int, unit: str) -> tuple[int, str]:
    """60 minutes are an hour, three months a quarter."""
    if unit == "min" and count % 60 == 0:
        count, unit = count // 60, "h"
    return LARGER.get((count, unit), (count, unit))


def _frequency(count: int, unit: str, anchor: str) -> Frequency | None:
    """The frequency, None where there is none with these parts."""
    if unit in ("min", "h"):
        counts = MINUTES if unit == "min" else HOURS
        return Frequency(count, unit) if count in counts and not anchor else None
    if count != 1:
        return None
    if unit == "W":
        # Plain weeks begin on Sundays, as those of pandas are labelled.
        weekday = anchor or "SUN"
        return Frequency(1, "W", WEEKDAYS.index(weekday)) if weekday in WEEKDAYS else None
    if unit in ("QS", "YS"):
        month = anchor or "JAN"
        return Frequency(1, unit, MONTHS.index(month)) if month in MONTHS else None
    return Frequency(1, unit) if not anchor else None


# Opening hours ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opening:
    """The weekly hours in which a series has periods: (weekday from Monday 0, first minute, end minute)."""

    spans: tuple[tuple[int, int, int], ...]
    text: str

    def __str__(self) -> str:
        return self.text


def parse_opening(text: str) -> Opening:
    """ "Mon-Fri 07:00-21:00", "Mon-Fri" or several with commas between: "Mon-Fri 9-17:30, Sat 9-12".

    Raises ValueError for what cannot be read.
    """
    spans: list[tuple[int, int, int]] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([A-Za-z]{3})(?:\s*-\s*([A-Za-z]{3}))?(?:\s+(\S+?)\s*-\s*(\S+))?\s*", part)
        if match is None:
            raise _bad_opening(part)
        first = _weekday(match[1], part)
        last = _weekday(match[2] or match[1], part)
        begin = _minute(match[3] or "00:00", part)
        end = _minute(match[4] or "24:00", part)
        if begin >= end:
            raise _bad_opening(part)
        days = range(first, last + 1 if last >= first else last + 8)
        spans += [(day % 7, begin, end) for day in days]
    return Opening(tuple(sorted(set(spans))), text.strip())


def _bad_opening(part: str) -> ValueError:
    return ValueError(f'{part.strip()!r} is no opening time; expected one such as "Mon-Fri 07:00-21:00" or "Sat"')


def _weekday(text: str, part: str) -> int:
    if text.upper() not in WEEKDAYS:
        raise _bad_opening(part)
    return WEEKDAYS.index(text.upper())


def _minute(text: str, part: str) -> int:
    """Minutes since midnight of "07:00" or "7"; 24:00 is the end of the day."""
    match = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?", text)
    if match is None:
        raise _bad_opening(part)
    minutes = 60 * int(match[1]) + int(match[2] or 0)
    if minutes > DAY // MINUTE or int(match[2] or 0) > 59:
        raise _bad_opening(part)
    return minutes


# The clocks of a zone -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Clocks:
    """The clocks of a time zone: their offset to UTC from each change on."""

    changes: Seconds  # [n] moments from which an offset holds, the first one before all others
    offsets: Numbers  # [n] seconds to add to UTC

    def local(self, seconds: Seconds) -> Seconds:
        """What the clocks show, in seconds since 1970 began on them."""
        if len(self.offsets) == 1:
            return seconds + self.offsets[0]
        regime = np.searchsorted(self.changes, seconds, side="right") - 1
        return seconds + self.offsets[regime]

    def utc(self, local: Seconds) -> Seconds:
        """The first moment at which the clocks show this, or more where they leave it out."""
        if len(self.offsets) == 1:
            return local - self.offsets[0]
        ends = self.changes[1:] + self.offsets[:-1]  # what the clocks would show at the end of each regime
        regime = np.searchsorted(ends, local, side="right")
        return np.maximum(local - self.offsets[regime], self.changes[regime])

    def all_change_by(self, step: int) -> bool:
        """Whether each change of the clocks is a multiple of so many seconds."""
        return not np.any(np.diff(self.offsets) % step)


FIRST_MOMENT = -(2**62)
SCAN_FROM = 0  # 1970
SCAN_UNTIL = 4_102_444_800  # 2100
SCAN_STEP = 14 * DAY  # shorter than clocks stay the same; Ramadan in Morocco takes four weeks


@lru_cache(maxsize=32)
def clocks_of(timezone: str) -> Clocks:
    """The clocks of an IANA zone from 1970 to 2100; before and after they stay as they are then."""
    if timezone == "UTC":
        return Clocks(np.array([FIRST_MOMENT]), np.array([0]))
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(timezone)
    changes = [FIRST_MOMENT]
    offsets = [_offset(zone, SCAN_FROM)]
    for moment in range(SCAN_FROM + SCAN_STEP, SCAN_UNTIL, SCAN_STEP):
        offset = _offset(zone, moment)
        if offset != offsets[-1]:
            changes.append(_change(zone, moment - SCAN_STEP, moment))
            offsets.append(offset)
    return Clocks(np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64))


def _offset(zone: ZoneInfo, moment: int) -> int:
    """Seconds that the clocks are ahead of UTC."""
    offset = datetime.fromtimestamp(moment, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The moment between these two at which the clocks change."""
    earlier = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == earlier:
            before = middle
        else:
            after = middle
    return after


# Timelines ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timeline:
    """The periods of a series. `opening`: those of other hours do not exist."""

    frequency: Frequency = HOURLY
    timezone: str = "UTC"
    opening: Opening | None = field(default=None)

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
        return self.opening is not None or not self.clocks.all_change_by(self.frequency.seconds)

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


@cache
def timeline_of(frequency: Frequency, timezone: str, opening: Opening | None) -> Timeline:
    """One timeline for all who ask for the same, which keeps what it has computed."""
    return Timeline(frequency, timezone, opening)


def _months_of(local: Seconds) -> Numbers:
    """Months since January 1970."""
    days = (local // DAY).astype("datetime64[D]")
    return days.astype("datetime64[M]").astype(np.int64)


def _first_days_of(months: Numbers) -> Numbers:
    """Days from 1970 to the first one of each month."""
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    return first.astype(np.int64)


UTC_HOURS = Timeline()


def moments(seconds: Sequence[int] | Seconds) -> list[datetime]:
    """Unix seconds as aware UTC datetimes."""
    return [datetime.fromtimestamp(int(second), UTC) for second in seconds]

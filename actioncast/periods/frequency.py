"""Frequencies: how long the periods of a series are, as people write them and in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MINUTE = 60  # seconds
HOUR = 3600
DAY = 86_400
WEEK = 7 * DAY
MEAN_MONTH = 30.436875 * DAY  # of the Gregorian calendar
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MINUTES = (1, 5, 10, 15, 30)
HOURS = (1, 2, 3, 4, 6, 8, 12)
ALLOWED = (
    "1min, 5min, 10min, 15min, 30min, 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1D, 1W (1W-MON for weeks that begin "
    "on a Monday), 1MS (months), 1QS (quarters) or 1YS (years)"
)
Unit = Literal["min", "h", "D", "W", "MS", "QS", "YS"]

# The spellings of pandas, of today and of earlier days. A period is named by its start, whatever end
# of it the spelling names.
UNITS: dict[str, Unit] = {
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
LARGER: dict[tuple[int, Unit], tuple[int, Unit]] = {
    (24, "h"): (1, "D"),
    (3, "MS"): (1, "QS"),
    (12, "MS"): (1, "YS"),
    (4, "QS"): (1, "YS"),
}


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
        """A period in words: "hour", "quarter hour", "period of 5 minutes", "month"."""
        if self.count > 1:
            special = {"15min": "quarter hour", "30min": "half-hour"}
            plural = {"min": "minutes", "h": "hours"}
            return special.get(str(self)) or f"period of {self.count} {plural[self.unit]}"
        nouns = {"min": "minute", "h": "hour", "D": "day", "W": "week", "MS": "month", "QS": "quarter", "YS": "year"}
        return nouns[self.unit]

    @property
    def plural(self) -> str:
        """Several periods in words: "hours", "quarter hours", "periods of 5 minutes", "months"."""
        if self.noun.startswith("period"):
            return self.noun.replace("period", "periods", 1)
        return f"{self.noun}s"


HOURLY = Frequency(1, "h")
# All that are allowed, by length; of those with an anchor the one that begins with the week or the year.
FREQUENCIES = (
    *(Frequency(count, "min") for count in MINUTES),
    *(Frequency(count, "h") for count in HOURS),
    *(Frequency(1, unit) for unit in ("D", "W", "MS", "QS", "YS")),
)


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


def _in_largest_unit(count: int, unit: Unit) -> tuple[int, Unit]:
    """60 minutes are an hour, three months a quarter."""
    if unit == "min" and count % 60 == 0:
        count, unit = count // 60, "h"
    return LARGER.get((count, unit), (count, unit))


def _frequency(count: int, unit: Unit, anchor: str) -> Frequency | None:
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

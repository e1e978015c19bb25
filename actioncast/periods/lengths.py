"""Lengths of time as config.toml states them, and the lengths that fit each frequency.

A length is a number of periods (`window = 48`) or a duration (`window = "2D"`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator

from actioncast.periods.frequency import DAY, HOUR, MEAN_MONTH, MINUTE, WEEK, Frequency, parse_frequency

# Seconds in a unit; months and years are those of the Gregorian calendar on average.
UNITS = {
    "min": MINUTE,
    "h": HOUR,
    "H": HOUR,
    "d": DAY,
    "D": DAY,
    "W": WEEK,
    "M": MEAN_MONTH,
    "MS": MEAN_MONTH,
    "Q": 3 * MEAN_MONTH,
    "QS": 3 * MEAN_MONTH,
    "Y": 12 * MEAN_MONTH,
    "YS": 12 * MEAN_MONTH,
}
SHOWN_CHARACTERS = 80  # of a wrong value
FORMS = 'a number of periods, or a duration such as "30min", "36h", "7D", "2W", "3M" or "1Y"'


@dataclass(frozen=True)
class Length:
    """So many periods, or so many seconds; `text` is how people wrote it."""

    text: str
    count: int | None = None  # periods
    seconds: float = 0.0

    def __str__(self) -> str:
        return self.text

    def periods(self, frequency: Frequency) -> int:
        """Periods of this frequency in the length, to the nearest one and at least one."""
        if self.count is not None:
            return self.count
        return max(1, round(self.seconds / frequency.seconds))

    def duration(self, frequency: Frequency) -> timedelta:
        """The length in time; periods of months have the mean length."""
        if self.count is not None:
            return timedelta(seconds=self.count * frequency.seconds)
        return timedelta(seconds=self.seconds)


def parse_length(value: object) -> Length:
    """The length that config.toml states. Raises ValueError for what is none, or not above zero."""
    if isinstance(value, Length):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        length = Length(str(value), count=value)
        is_positive = value > 0
    else:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", str(value).strip())
        unit = UNITS.get(match[2]) if match else None
        if match is None or unit is None:
            shown = repr(value)[:SHOWN_CHARACTERS]
            raise ValueError(f"{shown} is no length; expected {FORMS}")
        length = Length(str(value), seconds=float(match[1]) * unit)
        is_positive = length.seconds > 0
    if not is_positive:
        raise ValueError(f"{value!r} is no length; expected more than zero")
    return length


def _as_stated(length: Length) -> int | str:
    """The length as config.toml states it."""
    return length.text if length.count is None else length.count


LengthField = Annotated[Length, PlainValidator(parse_length), PlainSerializer(_as_stated)]


# What fits each frequency -------------------------------------------------------------------------

# The lengths of a series that says nothing else, by the keys of config.toml; the docs show this table.
# A frequency that is not in the head takes the nearest column on its left: 30min that of 15min.
TABLE = """
                 1min  5min  15min  1h    2h    1D    1W    1MS   1QS  1YS
horizon          6h    1D    2D     7D    14D   28D   13W   12M   8Q   6Y
history          30D   180D  730D   730D  4Y    10Y   20Y   50Y   50Y  100Y
backtest         4D    14D   30D    60D   90D   365D  104W  36M   12Q  8Y
gate             1D    3D    7D     7D    14D   28D   13W   12M   8Q   4Y
first_training   7D    14D   21D    21D   28D   21D   12W   12M   8Q   4Y
window           12h   1D    2D     2D    7D    14D   8W    6M    4Q   3Y
minimum_scored   6h    12h   1D     1D    3D    7D    4W    3M    2Q   2Y
cooldown         24h   24h   24h    24h   3D    7D    4W    3M    2Q   1Y
reread           24h   2D    2D     2D    7D    7D    4W    3M    2Q   2Y
source           24h   24h   24h    24h   2D    4D    4W    4M    9M   3Y
actual           12h   12h   12h    12h   2D    3D    16D   2M    6M   2Y
forecast         24h   24h   24h    24h   2D    3D    16D   2M    6M   2Y
champion         90D   90D   90D    90D   90D   180D  1Y    1Y    2Y   3Y
coverage_window  1D    3D    7D     7D    14D   56D   26W   24M   12Q  8Y
shown            12h   2D    4D     7D    14D   8W    52W   36M   20Q  12Y
"""


@dataclass(frozen=True)
class Defaults:
    """The lengths of TABLE for one frequency; `first_training`: of stored history before the first training,
    `shown`: of the past in the charts of the page."""

    horizon: Length
    history: Length
    backtest: Length
    gate: Length
    first_training: Length
    window: Length
    minimum_scored: Length
    cooldown: Length
    reread: Length
    source: Length
    actual: Length
    forecast: Length
    champion: Length
    coverage_window: Length
    shown: Length


@cache
def defaults_of(frequency: Frequency) -> Defaults:
    """The lengths that fit a frequency."""
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    columns = [parse_frequency(name).seconds for name in head]
    column = max(index for index, seconds in enumerate(columns) if seconds <= frequency.seconds)
    lengths = {name: parse_length(cells[column]) for name, *cells in rows}
    return Defaults(**lengths)

"""Opening times: the hours of the week in which a series has periods."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actioncast.periods.frequency import DAY, MINUTE, WEEKDAYS


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

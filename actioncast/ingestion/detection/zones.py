"""Which time zone the clocks of a file are in, where its times do not say.

A file names it beside its rows, or its clock goes forward in spring and back in autumn: the hour
that is missing, or comes twice, tells the zone up to those that change at the same local hour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from actioncast.arrays import Values, np
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.stamps import DAY, IS_UTC
from actioncast.times import HOUR

CHANGING = (  # one of each region whose clocks change, the commonest first
    "Europe/Berlin",
    "Europe/London",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Pacific/Auckland",
)
MINUTE = 60
FEW_HOLES = 0.02  # of the hours are missing, where one that is missing in spring says something
ZONE = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_/]+\b")
FIXED = re.compile(r"(?:utc|gmt) ?([+-])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)
IS_LOCAL = re.compile(
    r"(?<![a-z])"
    r"(local|ortszeit|lokal|mez|mesz|cet|cest|est|edt|pst|pdt)"
    r"(?![a-z])",
    re.IGNORECASE,
)


class Change(NamedTuple):
    """A change of a zone's clock."""

    hour: float  # on that clock, as unix seconds if it were UTC
    forward: bool  # the hour is left out; otherwise it comes twice


def find(
    clock: Values,
    names: Sequence[str],
    surroundings: str,
    answers: Answers,
    *,
    is_end: bool = False,
) -> tuple[str, str]:
    """The zone, and why.

    `clock` [rows] are the times read as if they were UTC, in the order of the file. With `is_end` a
    time is the end of its period. Raises QuestionError where only a person knows.
    """
    if "timezone" in answers:
        return answers["timezone"], "as answered"
    text = "\n".join([*names, surroundings])
    zone = _zone_in(text)
    visible = _visible(clock, is_end=is_end)
    is_in_doubt = zone == "UTC" and visible
    if zone and not is_in_doubt:
        return zone, "named in the file"
    if len(visible) == 1 and not zone and not is_end:
        return visible[0], "its clock changes are in the times"
    raise _which_zone(text, visible)


def _which_zone(text: str, visible: Sequence[str]) -> QuestionError:
    if visible:
        question = "The clock of the times changes in spring or autumn; in which zone?"
        return QuestionError("timezone", question, visible)
    if IS_LOCAL.search(text):
        question = "The times are local ones; of which zone, such as Europe/Madrid?"
        return QuestionError("timezone", question)
    fact = "The times say no zone, and no clock change is in them"
    question = f"{fact}; in which zone are they, such as Europe/Madrid?"
    return QuestionError("timezone", question, default="UTC")


def _zone_in(text: str) -> str:
    """The zone that a text names, empty where it names none."""
    zones = available_timezones()
    for name in ZONE.findall(text):
        if name in zones:
            return str(name)
    fixed = FIXED.search(text)
    if fixed:
        return _fixed_zone(*fixed.groups())
    return "UTC" if IS_UTC.search(text) else ""


def _fixed_zone(sign: str, hours: str, minutes: str | None) -> str:
    """The zone of UTC+1 is Etc/GMT-1 in the database of zones; empty for a part of an hour."""
    if minutes not in (None, "00"):
        return ""
    opposite = "-" if sign == "+" else "+"
    zone = f"Etc/GMT{opposite}{int(hours)}"
    return zone if zone in available_timezones() else ""


# The changes of a clock --------------------------------------------------------------------------


def _visible(clock: Values, *, is_end: bool) -> list[str]:
    """The zones whose changes the times show."""
    zones = [zone for zone in CHANGING if _changes_are_visible(clock, zone)]
    if not is_end:
        return zones
    # Some write the end as their clock shows it, and others an hour after the begin.
    shifted = clock - 1
    zones += [zone for zone in CHANGING if _changes_are_visible(shifted, zone)]
    return list(dict.fromkeys(zones))


def _changes_are_visible(clock: Values, zone: str) -> bool:
    """Whether the times leave out or repeat just the hours that this zone does.

    That is asked of each change with data around. An hour that is left out says little where many
    are.
    """
    minutes = np.round(clock[np.isfinite(clock)] / MINUTE)  # some stamps lie a second early
    times = minutes * MINUTE
    comes_twice = False
    leaves_out = False
    for change in _changes(times.min(), times.max(), ZoneInfo(zone)):
        is_visible = _is_visible(times, change)
        if is_visible is None:
            continue
        if not is_visible:
            return False
        if change.forward:
            leaves_out = True
        else:
            comes_twice = True
    if comes_twice:
        return True
    return leaves_out and _share_of_holes(times) < FEW_HOLES


def _share_of_holes(times: Values) -> float:
    """The share of the hours from the first to the last that have no time."""
    hours = np.unique(times // HOUR)
    span = hours[-1] - hours[0] + 1
    return float(1 - len(hours) / span)


def _changes(begin: float, end: float, zone: ZoneInfo) -> Iterator[Change]:
    """The changes of a zone's clock from one time to another."""
    days = np.arange(begin - DAY, end + 2 * DAY, DAY)
    offsets = [_offset(day, zone) for day in days]
    for day, (before, after) in zip(days, pairwise(offsets), strict=False):
        if abs(after - before) != HOUR:
            continue
        moment = _first_with(after, day, zone)
        hour = moment + min(before, after)
        yield Change(hour, after > before)


def _first_with(offset: float, day: float, zone: ZoneInfo) -> float:
    """The first full hour from this time of a day on that has the offset."""
    begin = day // HOUR * HOUR
    end = day + DAY + HOUR
    for moment in np.arange(begin, end, HOUR):
        if _offset(moment, zone) == offset:
            return float(moment)
    raise AssertionError(f"expected the offset {offset} of {zone} in the day from {day}")


def _offset(seconds: float, zone: ZoneInfo) -> float:
    """Seconds that the clock of a zone is ahead of UTC."""
    moment = datetime.fromtimestamp(float(seconds), UTC)
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _is_visible(times: Values, change: Change) -> bool | None:
    """Whether the times show this change; None where they have nothing to show around it."""
    hour = change.hour
    before = _count(times, hour - HOUR)
    in_hour = _count(times, hour)
    after = _count(times, hour + HOUR)
    if not before or not after:
        return None
    if change.forward:
        return in_hour == 0
    return in_hour == 2 * before


def _count(times: Values, hour: float) -> int:
    """How many times lie in an hour."""
    is_within = (times >= hour) & (times < hour + HOUR)
    return int(np.count_nonzero(is_within))

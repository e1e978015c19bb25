"""Which time zone the clocks of a file are in, where its times do not say.

A file names it beside its rows, or its clock goes forward in spring and back in autumn: the hour
that is missing, or comes twice, tells the zone up to those that change at the same local hour.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
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
IS_LOCAL = re.compile(r"(?<![a-z])(local|ortszeit|lokal|mez|mesz|cet|cest|est|edt|pst|pdt)(?![a-z])", re.IGNORECASE)


def find(
    clock: Values,
    names: Sequence[str],
    beside: str,
    answers: Answers,
    *,
    is_end: bool = False,
) -> tuple[str, str]:
    """The zone, and why. `clock` [rows] are the times read as if they were UTC, in the order of the file.

    With `is_end` a time is the end of its period. Raises QuestionError where only a person knows.
    """
    if "timezone" in answers:
        return answers["timezone"], "as answered"
    visible = [zone for zone in CHANGING if _changes_are_visible(clock, zone)]
    if is_end:  # some write the end as their clock shows it, and others an hour after the begin
        shifted = [zone for zone in CHANGING if _changes_are_visible(clock - 1, zone)]
        visible = list(dict.fromkeys([*visible, *shifted]))
    named = _named("\n".join([*names, beside]))
    if named and not (named == "UTC" and visible):
        return named, "named in the file"
    if len(visible) == 1 and not named and not is_end:
        return visible[0], "its clock changes are in the times"
    if visible:
        raise QuestionError("timezone", "The clock of the times changes in spring or autumn; in which zone?", visible)
    if IS_LOCAL.search("\n".join([*names, beside])):
        raise QuestionError("timezone", "The times are local ones; of which zone, such as Europe/Madrid?")
    raise QuestionError(
        "timezone",
        "The times say no zone, and no clock change is in them; in which zone are they, such as Europe/Madrid?",
        default="UTC",
    )


def _named(text: str) -> str:
    """The zone that a text names, empty where it names none. UTC+1 is Etc/GMT-1 in the database of zones."""
    zones: list[str] = [match for match in ZONE.findall(text) if match in available_timezones()]
    if zones:
        return zones[0]
    fixed = FIXED.search(text)
    if fixed:
        sign = "-" if fixed[1] == "+" else "+"
        zone = f"Etc/GMT{sign}{int(fixed[2])}"
        whole_hours = fixed[3] in (None, "00") and zone in available_timezones()
        return zone if whole_hours else ""
    return "UTC" if IS_UTC.search(text) else ""


def _changes_are_visible(clock: Values, zone: str) -> bool:
    """Whether the times leave out or repeat just the hours that this zone does, at each change with data around.

    An hour that is left out says little where many are.
    """
    times = np.round(clock[np.isfinite(clock)] / MINUTE) * MINUTE  # some stamps lie a second early
    changes = _changes(times.min(), times.max(), ZoneInfo(zone))
    seen = [(forward, sees) for hour, forward in changes if (sees := _sees(times, hour, forward)) is not None]
    hours = np.unique(times // HOUR)
    holes = 1 - len(hours) / (hours[-1] - hours[0] + 1)
    comes_twice = (False, True) in seen
    return bool(seen) and all(sees for _, sees in seen) and (comes_twice or holes < FEW_HOLES)


def _changes(begin: float, end: float, zone: ZoneInfo) -> list[tuple[float, bool]]:
    """Changes of a zone's clock: the hour on that clock that is left out (True) or comes twice."""
    changes = []
    days = np.arange(begin - DAY, end + 2 * DAY, DAY)
    offsets = [_offset(day, zone) for day in days]
    for day, (before, after) in zip(days, pairwise(offsets), strict=False):
        if abs(after - before) != HOUR:
            continue
        moments = np.arange(day // HOUR * HOUR, day + DAY + HOUR, HOUR)
        changed = next(moment for moment in moments if _offset(moment, zone) == after)
        forward = after > before
        changes.append((float(changed + min(before, after)), forward))
    return changes


def _offset(seconds: float, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(float(seconds), UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _sees(times: Values, hour: float, forward: bool) -> bool | None:
    """Whether the times show this change; None where they have nothing to show around it."""
    before = _count(times, hour - HOUR)
    within = _count(times, hour)
    after = _count(times, hour + HOUR)
    if not before or not after:
        return None
    return within == 0 if forward else within == 2 * before


def _count(times: Values, hour: float) -> int:
    return int(np.count_nonzero((times >= hour) & (times < hour + HOUR)))

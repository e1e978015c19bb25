"""Raw points of a source: read, checked one by one, and what became of the others. Pure functions.

Inside, moments are whole unix seconds in int64 arrays: no time zone can get lost on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from actioncast.arrays import Flags, Seconds, Values, np
from actioncast.errors import ActioncastError
from actioncast.times import from_seconds, isoformat, to_seconds

LARGEST = 2**62  # unix seconds that an array holds
# Unix seconds of 1980 to 2033: other numbers may mean something else.
PLAUSIBLE = range(315_532_800, 2_000_000_000)
MILLISECONDS = 10**11  # from here on: as seconds this is the year 5138, as milliseconds 1973


class DataError(ActioncastError):
    """Data that cannot be trusted; nothing of it is used."""


@dataclass(frozen=True)
class Points:
    """Raw points: times [n] (unix seconds), values [n] (unit of the source, NaN where none yet)."""

    times: Seconds
    values: Values

    def __len__(self) -> int:
        return len(self.times)

    def where(self, keep: Flags) -> Points:
        """The points at which `keep` [n] is true."""
        return Points(self.times[keep], self.values[keep])


@dataclass(frozen=True)
class Rejection:
    """A point that was not used, and why."""

    time: str
    value: str
    reason: str
    seconds: int | None = None  # the time in unix seconds, where it can be read
    text: str = ""  # the cell that cannot be read; empty for a point that cannot be true

    def __str__(self) -> str:
        return f"{self.time} = {self.value}: {self.reason}"


# Reading ------------------------------------------------------------------------------------------

SHOWN_CHARACTERS = 80  # of a time or a value that cannot be read
# What sources write where they have no value; upper and lower case are alike.
WITHOUT_VALUE = frozenset({"", "-", "--", "nan", "na", "n/a", "null", "none"})
_ROWS = TypeAdapter(list[tuple[float, float | None]])


def read_points(rows: Sequence[tuple[object, object]]) -> tuple[Points, list[Rejection]]:
    """(unix seconds, value) pairs as a source gave them -> points in the order of their times.

    Of equal times the row that came first stays first. A row without a value has the value NaN;
    what else is not a number is rejected.
    """
    # Nearly always all rows are good: then one call of compiled code reads them.
    try:
        return _as_points(_ROWS.validate_python(rows)), []
    except ValidationError:
        rows = [_without_words(time, value) for time, value in rows]
    try:
        return _as_points(_ROWS.validate_python(rows)), []
    except ValidationError as error:
        faults = _first_fault_by_row(error)
    rejections = []
    for index, reason in sorted(faults.items()):
        time, value = rows[index]
        rejections.append(_unreadable(time, value, reason))
    good_rows = [row for index, row in enumerate(rows) if index not in faults]
    return _as_points(_ROWS.validate_python(good_rows)), rejections


def _unreadable(time: object, value: object, reason: str) -> Rejection:
    """The rejection of a row that cannot be read."""
    seconds = _seconds_of(time)
    text = str(time if seconds is None else value)
    return Rejection(
        time=_readable_time(time),
        value=repr(value)[:SHOWN_CHARACTERS],
        reason=reason,
        seconds=seconds,
        text=text[:SHOWN_CHARACTERS],
    )


def _without_words(time: object, value: object) -> tuple[object, object]:
    """The row with None for a word that means "no value".

    An empty row gets a time that is no number.
    """
    if isinstance(value, str) and value.strip().lower() in WITHOUT_VALUE:
        value = None
    if value is None and time in (None, ""):
        time = math.nan
    return time, value


def _first_fault_by_row(error: ValidationError) -> dict[int, str]:
    """Index of each row that cannot be read -> what is wrong with it: its time, else its value."""
    faults: dict[int, str] = {}
    for fault in error.errors(include_url=False):
        index = int(fault["loc"][0])
        faults.setdefault(index, fault["msg"])
    return faults


def _as_points(rows: list[tuple[float, float | None]]) -> Points:
    """Rows in any order -> points in the order of their times."""
    pairs = np.asarray(rows, dtype=np.float64).reshape(-1, 2)
    moments = np.nan_to_num(pairs[:, 0], nan=-1)
    # Beyond these limits check_points rejects a time whatever it is, and int64 could not hold it.
    moments = np.clip(moments, -1, LARGEST)
    order = np.argsort(moments, kind="stable")
    times = np.floor(moments[order]).astype(np.int64)
    return Points(times, pairs[order, 1])


def _readable_time(time: Any) -> str:
    """A time as a person reads it, whatever it is."""
    seconds = _seconds_of(time)
    if seconds is None:
        return repr(time)[:SHOWN_CHARACTERS]
    return readable_moment(seconds)


def readable_moment(seconds: int) -> str:
    """A moment as text; one that lies decades away with the number that was read as it."""
    try:
        moment = isoformat(from_seconds(seconds))
    except (ValueError, OverflowError, OSError):
        return f"{seconds} (read as seconds since 1970)"
    if seconds in PLAUSIBLE:
        return moment
    return f"{moment} ({seconds} read as seconds since 1970)"


def _seconds_of(time: Any) -> int | None:
    """Unix seconds of a time that can be read."""
    try:
        return int(time)
    except (ValueError, TypeError, OverflowError):
        return None


def rounded(times: Seconds, unit_seconds: int) -> Seconds:
    """Moments rounded to the nearest multiple of so many seconds."""
    units = (times + unit_seconds // 2) // unit_seconds
    nearest: Seconds = units * unit_seconds
    return nearest


# Checking -----------------------------------------------------------------------------------------

CONTRADICTION = "the same time comes with different values"
# The reason to reject a point, and [n] True where a point is good.
Rule = tuple[str, Callable[[Points], Flags]]


@dataclass(frozen=True)
class Checked:
    """Points that can be true, ascending and each time once, and what became of the others."""

    points: Points
    rejections: list[Rejection]
    without_value: Points  # no value yet: neither good nor bad
    ahead: Points  # later than now: they wait until then


def check_points(
    points: Points,
    now: datetime,
    minimum_value: float | None,
    *,
    last_wins: bool = False,
) -> Checked:
    """Reject what cannot be true: infinite, below the minimum, without a proper time, contradicting
    itself. Points ascend in time.

    Points repeated with the same value are the same point and are read once. Of different values
    for one time the last one counts with `last_wins`, otherwise none.
    """
    without_value, points = _split(points, np.isnan(points.values))
    rejections: list[Rejection] = []
    for reason, is_good in _rules(minimum_value):
        points, bad = _split(points, is_good(points))
        rejections += _rejections(bad, reason)
    ahead, points = _split(points, points.times > to_seconds(now))
    if not last_wins:
        points, contradictory = _split(points, _without_contradiction(points))
        rejections += _rejections(contradictory, CONTRADICTION)
    return Checked(
        points=points.where(_last_of_each_time(points.times)),
        rejections=rejections,
        without_value=without_value,
        ahead=ahead,
    )


def _split(points: Points, flags: Flags) -> tuple[Points, Points]:
    """The points at which `flags` [n] is true, and the others."""
    return points.where(flags), points.where(~flags)


def _rules(minimum_value: float | None) -> list[Rule]:
    """What must hold, in the order in which it is checked.

    Each rule sees what the ones before it left.
    """
    lowest = -math.inf if minimum_value is None else minimum_value
    return [
        ("the value is not finite", lambda points: np.isfinite(points.values)),
        (
            f"the value is below minimum_value = {lowest:g}",
            lambda points: points.values >= lowest,
        ),
        ("the time is before 1970 or no number", lambda points: points.times >= 0),
        (
            "the time looks like milliseconds, expected unix seconds",
            lambda points: points.times < MILLISECONDS,
        ),
    ]


def _rejections(points: Points, reason: str) -> list[Rejection]:
    rejections = []
    for time, value in zip(points.times, points.values, strict=True):
        rejection = Rejection(
            time=_readable_time(time),
            value=f"{value:g}",
            reason=reason,
            seconds=int(time),
        )
        rejections.append(rejection)
    return rejections


def _last_of_each_time(times: Seconds) -> Flags:
    """Where the next time of these ascending ones is another one."""
    is_last = np.ones(len(times), dtype=np.bool_)
    is_last[:-1] = times[1:] != times[:-1]
    return is_last


def _without_contradiction(points: Points) -> Flags:
    """Whether all points of the same time have the same value."""
    _, group = np.unique(points.times, return_inverse=True)
    lowest = np.full(group.size, np.inf)
    highest = np.full(group.size, -np.inf)
    np.minimum.at(lowest, group, points.values)
    np.maximum.at(highest, group, points.values)
    return np.asarray(lowest[group] == highest[group])


def refuse_too_many(rejections: Sequence[Rejection], read: int, maximum_share: float) -> None:
    """Raise DataError when more than this share of the points read was rejected.

    Then the others are doubtful too.
    """
    if not read or len(rejections) / read <= maximum_share:
        return
    raise DataError(
        f"{len(rejections)} of {read} points rejected, "
        f"more than maximum_rejected_share = {maximum_share:g}: "
        f"{describe(rejections)}; nothing was loaded."
    )


def describe(rejections: Sequence[Rejection], most: int = 3) -> str:
    """How many points were rejected for which reason, and the first few of each."""
    parts = []
    for reason, points in by_reason(rejections).items():
        first_points = [f"{point.time} = {point.value}" for point in points[:most]]
        examples = "; ".join(first_points)
        parts.append(f"{len(points)} x {reason} (e.g. {examples})")
    return ", ".join(parts)


def by_reason(rejections: Sequence[Rejection]) -> dict[str, list[Rejection]]:
    """The rejections of each reason, the most frequent reason first."""
    groups: dict[str, list[Rejection]] = {}
    for rejection in rejections:
        groups.setdefault(rejection.reason, []).append(rejection)
    frequent = sorted(groups.items(), key=lambda item: len(item[1]), reverse=True)
    return dict(frequent)

"""Raw points -> complete hours. Pure functions: no database, no network, no clock.

Points are moments with a value; an hour is named by its start (UTC) and its value is scale x the mean of its points.
Inside, moments are whole unix seconds in int64 arrays: no time zone can get lost on the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from actioncast.arrays import Flags, Numbers, Seconds, Values, np
from actioncast.errors import ActioncastError
from actioncast.times import HOUR, from_seconds, isoformat, to_seconds

LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z
MILLISECONDS = 10**11  # as seconds this is the year 5138, as milliseconds 1973


class DataError(ActioncastError):
    """Data that cannot be trusted; nothing of it is used."""


@dataclass(frozen=True)
class Points:
    """Raw points in the order in which they came: times [n] in unix seconds, values [n] in the source's unit."""

    times: Seconds
    values: Values

    def __len__(self) -> int:
        return len(self.times)

    def where(self, keep: Flags) -> Points:
        return Points(self.times[keep], self.values[keep])


@dataclass(frozen=True)
class Rejection:
    """A point that was not used, and why."""

    time: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.time} = {self.value}: {self.reason}"


@dataclass(frozen=True)
class Hours:
    """Complete hours: starts [n] in unix seconds, ascending and unique; values [n] in the series' unit; samples [n]."""

    starts: Seconds
    values: Values
    samples: Numbers

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class Grid:
    """A regular hourly series: values [n] from `start` (aware UTC, hour start) on, NaN where the hour is missing.

    `exogenous` are columns known in the future, [n + hours ahead] by name, NaN where not known.
    """

    start: datetime
    values: Values
    exogenous: Mapping[str, Values] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> datetime:
        """Start of the last hour."""
        return from_seconds(to_seconds(self.start) + (len(self) - 1) * HOUR)


FUTURE = "the time is in the future"  # how the reason of such a rejection begins
OUT_OF_ORDER = "out of order: an earlier point of the answer is later in time"
SHOWN = 80  # characters of a value that cannot be read
_ROWS = TypeAdapter(list[tuple[float, float]])


def read_points(rows: Sequence[tuple[object, object]]) -> tuple[Points, list[Rejection]]:
    """(unix seconds, value) pairs as a source gave them -> points; what is not a number is rejected."""
    try:
        return _as_points(_ROWS.validate_python(rows)), []
    except ValidationError as error:
        faults = {int(fault["loc"][0]): fault["msg"] for fault in reversed(error.errors(include_url=False))}
    rejections = [
        Rejection(_shown(rows[i][0]), repr(rows[i][1])[:SHOWN], message) for i, message in sorted(faults.items())
    ]
    good = [row for i, row in enumerate(rows) if i not in faults]
    return _as_points(_ROWS.validate_python(good)), rejections


def _as_points(rows: list[tuple[float, float]]) -> Points:
    pairs = np.asarray(rows, dtype=np.float64).reshape(-1, 2)
    times = np.nan_to_num(np.floor(pairs[:, 0]), nan=-1)
    return Points(np.clip(times, -1, LATEST).astype(np.int64), pairs[:, 1])


def check_points(points: Points, now: datetime, minimum_value: float) -> tuple[Points, list[Rejection]]:
    """Reject what cannot be true: not finite, below the minimum, in the future, out of order, contradicting itself.

    Points repeated with the same value are the same point and are read once. Order of the rest is kept.
    """
    rejections: list[Rejection] = []
    rules = (
        ("the value is not finite", lambda p: np.isfinite(p.values)),
        (f"the value is below minimum_value = {minimum_value:g}", lambda p: p.values >= minimum_value),
        ("the time is before 1970 or no number", lambda p: p.times >= 0),
        ("the time looks like milliseconds, expected unix seconds", lambda p: p.times < MILLISECONDS),
        (f"{FUTURE} of {now:%Y-%m-%d %H:%M:%SZ}", lambda p: p.times <= to_seconds(now)),
        (OUT_OF_ORDER, _in_order),
        ("the same time comes with different values", _without_contradiction),
    )
    for reason, holds in rules:
        keep = holds(points)
        bad = points.where(~keep)
        rejections += [Rejection(_shown(t), f"{v:g}", reason) for t, v in zip(bad.times, bad.values, strict=True)]
        points = points.where(keep)
    _, first = np.unique(points.times, return_index=True)
    return Points(points.times[first], points.values[first]), rejections


def _in_order(points: Points) -> Flags:
    if not len(points):
        return np.zeros(0, dtype=np.bool_)
    return points.times >= np.maximum.accumulate(points.times)


def _without_contradiction(points: Points) -> Flags:
    _, group = np.unique(points.times, return_inverse=True)
    lowest, highest = np.full(group.size, np.inf), np.full(group.size, -np.inf)
    np.minimum.at(lowest, group, points.values)
    np.maximum.at(highest, group, points.values)
    return np.asarray(lowest[group] == highest[group])


def refuse_too_many(rejections: Sequence[Rejection], read: int, maximum_share: float) -> None:
    """Raise DataError when more than this share of the points read was rejected: then the rest is doubtful too."""
    if not read or len(rejections) / read <= maximum_share:
        return
    hint = " Does the source list the newest first? Then say newest_first = true."
    raise DataError(
        f"{len(rejections)} of {read} points rejected, more than maximum_rejected_share = {maximum_share:g}: "
        f"{describe(rejections)}; nothing was loaded."
        f"{hint if any(r.reason == OUT_OF_ORDER for r in rejections) else ''}"
    )


def describe(rejections: Sequence[Rejection], most: int = 5) -> str:
    """How many for which reason, and the first few."""
    counts = ", ".join(f"{count} x {reason}" for reason, count in Counter(r.reason for r in rejections).most_common())
    return f"{counts} (e.g. {'; '.join(f'{r.time} = {r.value}' for r in rejections[:most])})"


def _shown(time: Any) -> str:
    """A time as a person reads it, whatever it is."""
    try:
        return isoformat(from_seconds(int(time)))
    except (ValueError, TypeError, OverflowError, OSError):
        return repr(time)[:SHOWN]


def to_hours(points: Points, *, minimum_points: int, scale: float, since: datetime | None, now: datetime) -> Hours:
    """Complete hours among checked points (ascending, unique).

    An hour is complete when it is over at `now` and holds at least `minimum_points`. Hours that begin before `since`
    are left out: an answer that starts inside an hour shows only a part of it, which must not replace a stored one.
    """
    starts, group, samples = np.unique(points.times // HOUR * HOUR, return_inverse=True, return_counts=True)
    with np.errstate(over="ignore"):  # what is infinite then is refused where it would be stored
        values = scale * (np.bincount(group, weights=points.values, minlength=len(starts)) / samples)
    complete = (samples >= minimum_points) & (starts + HOUR <= to_seconds(now))
    if since is not None:
        complete &= starts >= to_seconds(since)
    return Hours(starts[complete], values[complete], samples[complete])


def missing_hours(hours: Hours) -> int:
    """How many hours lack between the first and the last complete one."""
    return int((hours.starts[-1] - hours.starts[0]) // HOUR + 1 - len(hours)) if len(hours) else 0


def to_grid(starts: Seconds, values: Values) -> Grid:
    """Ascending hours -> the regular series from the first to the last, NaN where an hour is missing."""
    if not len(starts):
        raise ValueError("expected at least one hour, got none")
    position = (starts - starts[0]) // HOUR
    grid = np.full(int(position[-1]) + 1, np.nan)
    grid[position] = values
    return Grid(from_seconds(int(starts[0])), grid)

"""Has the level of a series changed for good? Then the hours before are restated at the new one. Pure functions.

A series that doubles overnight (a second meter, a new unit, a tariff) makes all it was before a misleading lesson, to
learn from and to look back on. Restated, it stays a good one: the daily shape mostly survives such a change. What
counts as a change is strict, since ordinary series have none: see `find`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actioncast.arrays import Values, np
from actioncast.hours import Grid
from actioncast.times import HOUR, to_seconds

FEWEST_AFTER = 5  # hours that must have shown a LARGE change before a challenger may build on it
LARGE = 0.55  # log of the factor (1.73), or an offset beside the typical value
SMALLEST = 0.1  # likewise; a smaller one is left to the models
LONGER_THAN_A_HOLIDAY = 30  # hours that must have shown any other: most of those end after a day
FEWEST_BEFORE = 168  # hours that must have shown what is usual
SEASONS_BACK = 4  # whose median an hour is compared with: one odd week is no level
QUIET = 0.3  # an hour that is usually below this share of the mean says nothing about a factor
SILENT = 0.01  # likewise: less is taken for as much
USUAL = 0.999  # share of the days before that lay nearer to what was expected
BEYOND_USUAL = 1.5  # times as far the days since a change must lie
SHARE_OUTSIDE = 0.9  # of the days since, which must be unusual
FIRST, NEAR, DAY, DAYS = 3, 6, 24, 72  # hours on either side of a place, whose medians are compared
LARGEST_FACTOR = 20.0  # more is a broken unit or a dead sensor, and a person's to look at
MOST = 3  # changes that are restated
PLACES = 8  # steepest places that are looked at, of each kind


@dataclass(frozen=True)
class Shift:
    """From `since` on (aware UTC, hour start) the level is `factor` times what it was, plus `offset`."""

    since: datetime
    factor: float
    offset: float

    def __str__(self) -> str:
        size = f"x {self.factor:.3g}" if self.factor != 1 else f"{self.offset:+.4g}"
        return f"the level changed at {self.since:%Y-%m-%d %H:%MZ} ({size}); earlier hours are restated"


def find(known: Grid, seasonality: Sequence[int], *, gated: bool = False) -> tuple[Shift, ...]:
    """The lasting changes of level in the series, ascending; mostly none.

    A change is a step: nearly all days since then, for a season at most, differ from the same hours of the seasons
    before by more than days ever did, and most of that difference came within a day. It is a factor, or an offset where
    there are negative values. It is believed after LONGER_THAN_A_HOLIDAY hours. `gated`: a champion stands against
    whoever believes it too soon; then a large change is believed after FEWEST_AFTER.
    """
    shifts: list[Shift] = []
    season = max((s for s in seasonality if len(known) >= 2 * s + FEWEST_BEFORE), default=None)
    while season and len(shifts) < MOST and (shift := _largest(known, season, gated)):
        if any(abs(shift.since - other.since) < timedelta(hours=season) for other in shifts):
            break  # what the first restatement has left of a change is no second one
        shifts.append(shift)
        known = restate(known, [shift])
    return tuple(sorted(shifts, key=lambda shift: shift.since))


def restate(known: Grid, shifts: Iterable[Shift]) -> Grid:
    """The series as if it had always had its newest level. A series without negative values does not get any."""
    values = known.values.copy()
    lowest = 0.0 if (values[~np.isnan(values)] >= 0).all() else -np.inf
    for shift in shifts:
        before = values[: max(index_of(known, shift), 0)]
        before[:] = np.maximum(before * shift.factor + shift.offset, lowest)
    return replace(known, values=values)


def index_of(known: Grid, shift: Shift) -> int:
    """Of the first hour at the new level in known.values; negative when the change lies before them."""
    return (to_seconds(shift.since) - to_seconds(known.start)) // HOUR


def _largest(known: Grid, season: int, gated: bool) -> Shift | None:
    change, offset = _change(known.values, season)
    hours = np.flatnonzero(~np.isnan(change))
    change = change[hours]
    for place in _places(change, season):
        if not _is_lasting(change, place, season):
            continue
        size = _step(change, place, DAYS)
        early = len(change) - place < LONGER_THAN_A_HOLIDAY and not (gated and abs(size) >= LARGE)
        if early or (not offset and abs(size) > np.log(LARGEST_FACTOR)):
            continue
        since = known.start + timedelta(hours=int(hours[place]))
        return Shift(since, 1.0, size * offset) if offset else Shift(since, float(np.exp(size)), 0.0)
    return None


def _change(values: Values, season: int) -> tuple[Values, float]:
    """Each hour beside what the seasons before lead to expect: as the log of a factor, or, where there are negative
    values, as an offset in units of the second figure. NaN where there is nothing to compare, or only quiet hours."""
    backs = [np.full(len(values), np.nan) for _ in range(SEASONS_BACK)]
    for number, back in enumerate(backs, 1):
        back[number * season :] = values[: -number * season]
    unknown = np.isnan(backs).all(axis=0)
    expected = np.where(unknown, np.nan, np.nanmedian(np.where(unknown, 0.0, backs), axis=0))
    known = values[~np.isnan(values)]
    typical = (float(np.abs(known).mean()) if len(known) else 0.0) + 1e-12
    if (values < 0).any():
        return (values - expected) / typical, typical
    quiet = QUIET * typical
    factor = np.maximum(values, SILENT * typical) / np.maximum(expected, quiet)
    return np.where(expected >= quiet, np.log(factor), np.nan), 0.0


def _places(change: Values, season: int) -> list[int]:
    """Where the level may have changed: the steepest places by medians of some hours and of a day, ever and lately."""
    found: dict[int, None] = {}
    hourly = np.abs(np.diff(change, prepend=change[:1]))
    for width in (NEAR, DAY):
        if len(change) < 2 * width:
            break
        median = _medians(change, width)
        step = np.zeros(len(change))
        step[width : len(change) - width + 1] = np.abs(median[width:] - median[:-width])
        for first in (0, max(len(change) - season, 0)):
            left = step.copy()
            left[:first] = 0.0
            for _ in range(PLACES):
                middle = int(np.argmax(left))
                start = max(middle - NEAR // 2, 0)
                found[start + int(np.argmax(hourly[start : middle + NEAR // 2 + 1]))] = None
                left[max(middle - width, 0) : middle + width] = 0.0
    return list(found)


def _is_lasting(change: Values, place: int, season: int) -> bool:
    before, since = change[:place], change[place : place + season]
    if len(before) < FEWEST_BEFORE or len(since) < FEWEST_AFTER:
        return False
    size, width = _step(change, place, DAYS), min(len(since), DAY)
    direction, centre = np.sign(size), np.median(before)
    usual = np.quantile((_medians(before, width) - centre) * direction, USUAL)
    outside = (_medians(since, width) - centre) * direction > BEYOND_USUAL * usual
    at_once = (np.median(since[:FIRST]) - np.median(before[-NEAR:])) * direction > 0.5 * abs(size)
    sudden = _step(change, place, DAY) * direction > 0.5 * abs(size)
    return bool(abs(size) > SMALLEST and sudden and at_once and outside[0] and outside.mean() >= SHARE_OUTSIDE)


def _medians(change: Values, width: int) -> Values:
    """[i]: of the hours i..i + width - 1, so that a spike is no step."""
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(change, width), axis=1))


def _step(change: Values, place: int, width: int) -> float:
    """From the median of the hours before `place` to that of those since."""
    return float(np.median(change[place : place + width]) - np.median(change[max(place - width, 0) : place]))

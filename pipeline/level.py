"""Has the level of a series changed for good? Then the hours before are restated at the new one. Pure functions.

A series that doubles overnight (a second meter, a new unit, a tariff) makes all it was before a misleading lesson, to
learn from and to look back on. Restated, it stays a good one: the daily shape mostly survives such a change. What
counts as a change is strict, since ordinary series have none: see `find`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.later import np
from pipeline.series import HOUR, Grid, Values, to_seconds

FEWEST_AFTER = 5  # hours that must have shown a LARGE change before a challenger may build on it
LARGE = 0.55  # log of the factor (1.73), or an offset beside the typical value
LONGER_THAN_A_HOLIDAY = 30  # hours that must have shown any other: most of those end after a day
FEWEST_BEFORE = 168  # seasonal differences that must have shown what is usual
USUAL = 0.99  # share of the seasonal differences before that counts as usual
SHARE_OUTSIDE = 0.9  # of the hours since the change, whose seasonal difference must be unusual
FIRST = 3  # hours after the change that must all be so
NEAR = 6  # hours on either side between which most of the change must happen: a drift is no change of level
DAY = 24  # hours on either side that its size is measured on
LARGEST_FACTOR = 20.0  # more is a broken unit or a dead sensor, and a person's to look at
MOST = 3  # changes that are restated
PLACES = 8  # steepest places that are looked at


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

    A change is a step: nearly all hours since then, for a season at most, differ from the season before by more than is
    usual, and most of that difference came within a few hours. It is a factor where all values are positive, else an
    offset. It is believed after LONGER_THAN_A_HOLIDAY hours. `gated`: a champion stands against whoever believes it too
    soon; then a large change is believed after FEWEST_AFTER.
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
    on_logs = bool((known.values[~np.isnan(known.values)] > 0).all())
    levels = np.log(known.values) if on_logs else known.values
    change = np.concatenate([np.full(season, np.nan), levels[season:] - levels[:-season]])
    for place in _steepest(change):
        if not _is_lasting(change, place, season):
            continue
        size = _size(change, place)
        relative = abs(size) if on_logs else abs(size) / (float(np.nanmean(np.abs(levels))) + 1e-12)
        shown = np.count_nonzero(~np.isnan(change[place : place + season]))
        early = shown < LONGER_THAN_A_HOLIDAY and not (gated and relative >= LARGE)
        if early or (on_logs and relative > np.log(LARGEST_FACTOR)):
            continue
        since = known.start + timedelta(hours=place)
        return Shift(since, float(np.exp(size)), 0.0) if on_logs else Shift(since, 1.0, size)
    return None


def _steepest(change: Values) -> list[int]:
    """Where the seasonal difference moves most, steepest first; medians, so that a spike is no step."""
    near = np.nan_to_num(np.nanmedian(_padded(np.lib.stride_tricks.sliding_window_view(change, NEAR)), axis=1))
    step = np.abs(near[NEAR:] - near[:-NEAR])  # [i]: between the hours before i + NEAR and those from it on
    hourly = np.abs(np.nan_to_num(np.diff(change, prepend=np.nan)))
    places = []
    for _ in range(PLACES):
        middle = int(np.argmax(step))
        around = slice(max(middle, 0), middle + 2 * NEAR)
        places.append(around.start + int(np.argmax(hourly[around])))
        step[max(middle - NEAR, 0) : middle + NEAR] = 0.0
    return places


def _padded(windows: Values) -> Values:
    """A window without any known hour counts as no change at all."""
    return np.where(np.isnan(windows).all(axis=1, keepdims=True), 0.0, windows)


def _is_lasting(change: Values, place: int, season: int) -> bool:
    before, since = (part[~np.isnan(part)] for part in (change[:place], change[place : place + season]))
    near = change[max(place - NEAR, 0) : place]
    if len(before) < FEWEST_BEFORE or len(since) < FEWEST_AFTER or np.isnan(near).all():
        return False
    low, high = np.quantile(before, [(1 - USUAL) / 2, (1 + USUAL) / 2])
    size = np.median(since) - np.median(before)
    outside = since > high if size > 0 else since < low
    step = np.median(since[:NEAR]) - np.nanmedian(near)
    sudden = step * np.sign(size) > 0.5 * abs(size)
    return bool(sudden and outside[:FIRST].all() and outside.mean() >= SHARE_OUTSIDE)


def _size(change: Values, place: int) -> float:
    """Of the step at `place`, in levels: what it added to the seasonal difference, which need not have been zero."""
    return float(np.nanmedian(change[place : place + DAY]) - np.nanmedian(change[max(place - DAY, 0) : place]))

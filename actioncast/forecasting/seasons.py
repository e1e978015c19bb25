"""The seasons of a series, found by autocorrelation. Pure functions.

A season is a period at which the detrended series resembles itself clearly more than half a period away, and whose
shape repeats better than chance allows. The day and the week are looked at first: a series of people and machines has
them, and a short or noisy one gets their benefit of the doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from actioncast.arrays import Values

DAY, WEEK = 24, 168
USUAL = (DAY, WEEK)
NEWEST_HOURS = 24 * 7 * 26  # looked at: what a season was years ago says little
CYCLES = 3  # that the history must hold of another period than the day and the week
LONGEST = 744  # hours, a month
CLEAR = 0.2  # by which the autocorrelation at a period must exceed that half a period away
STRONG = 0.4  # autocorrelation that another period than the day and the week must have: chance reaches 0.3


@dataclass(frozen=True)
class Seasons:
    """`periods` in hours, ascending; `autocorrelation` at each; `note` how they were come by."""

    periods: tuple[int, ...]
    autocorrelation: dict[int, float]
    note: str


def given(periods: Sequence[int], values: Values) -> Seasons:
    """Those of config.toml, with what the data say about them."""
    found = autocorrelation(values, max(periods))
    return Seasons(tuple(periods), _at(found, periods), "as config.toml says")


def detect(values: Values) -> Seasons:
    """The day, the week, or another clear period with a longer one above it; the day and the week where none is clear.

    `values` [n], NaN where an hour is missing.
    """
    values = values[-NEWEST_HOURS:]
    longest = min(LONGEST, len(values) // CYCLES)
    found = autocorrelation(values, max(longest, 2 * WEEK))
    others = _clearest(found[: longest + 1])
    daily = any(_is_usual(found, period) for period in others)
    usual = np.mean([found[p] for p in USUAL if found[p]] or [0.0])
    if others and not daily and found[others[-1]] > max(usual + CLEAR / 4, STRONG):
        return Seasons(others, _at(found, others), "detected")
    if _is_clear(found, DAY) or _is_clear(found, WEEK):
        return Seasons(USUAL, _at(found, USUAL), "detected")
    return Seasons(USUAL, _at(found, USUAL), "no clear season: day and week are tried")


def autocorrelation(values: Values, longest: int) -> Values:
    """[longest + 1] of the values about a centred mean over a week, on pairs of known hours; 0 where there are few."""
    known = ~np.isnan(values)
    if known.sum() < DAY:
        return np.zeros(longest + 1)
    hour = np.arange(len(values))
    trend = np.polynomial.Polynomial.fit(hour[known], values[known], 1)
    centred = np.where(known, values - trend(hour), 0.0)
    window = np.ones(min(WEEK, len(values)))
    level = np.convolve(centred, window, "same") / np.maximum(np.convolve(known, window, "same"), 1)
    rest = np.where(known, centred - level, 0.0)
    size = 1 << (len(rest) + longest).bit_length()

    def products(array: Values) -> Values:
        spectrum = np.fft.rfft(array, size)
        return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, size)[: longest + 1])

    pairs = products(known.astype(np.float64))
    mean = products(rest) / np.maximum(pairs, 1)
    return np.where(pairs >= DAY, mean / mean[0], 0.0) if mean[0] > 1e-12 else np.zeros(longest + 1)


def _is_usual(found: Values, period: int) -> bool:
    """A part of the day, some days, or about a week: the top of a wide peak is off by an hour or two."""
    days = period % DAY == 0 and _is_clear(found, DAY)
    return DAY % period == 0 or days or abs(period - WEEK) <= 0.03 * WEEK


def _is_clear(found: Values, period: int) -> bool:
    return bool(found[period] > found[period // 2 : period].min() + CLEAR)


def _clearest(found: Values) -> tuple[int, ...]:
    """The shortest clear period, and the one of the highest autocorrelation where that is another; () without one."""
    inner = np.arange(2, len(found) - 1)
    peaks = [int(p) for p in inner[(found[inner] >= found[inner - 1]) & (found[inner] > found[inner + 1])]]
    clear = [p for p in peaks if found[p] > CLEAR and _is_clear(found, p)]
    highest = max((found[p] for p in clear), default=0.0)
    tops = [_top(found, next(p for p in clear if found[p] > share * highest)) for share in (0.6, 0.95) if clear]
    return tuple(dict.fromkeys(tops)) if tops and found[tops[-1]] > found[tops[0]] + CLEAR / 4 else tuple(tops[:1])


def _top(found: Values, first: int) -> int:
    """Of the peaks that noise makes of one, the one whose multiples are the highest."""
    around = range(first, min(int(1.15 * first) + 2, len(found)))
    return max(around, key=lambda p: float(found[p : 4 * p + 1 : p].mean()))


def _at(found: Values, periods: Sequence[int]) -> dict[int, float]:
    return {period: round(float(found[period]), 3) if period < len(found) else 0.0 for period in periods}

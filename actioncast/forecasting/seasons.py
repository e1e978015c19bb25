"""The seasons of a series, found by autocorrelation. Pure functions.

A season is a period at which the detrended series resembles itself clearly more than half a period
away, and whose shape repeats better than chance allows. The day and the week are looked at first: a
series of people and machines has them, and a short or noisy one gets their benefit of the doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actioncast.arrays import Flags, Values, np
from actioncast.times import HOURS_PER_DAY, HOURS_PER_WEEK

USUAL = (HOURS_PER_DAY, HOURS_PER_WEEK)
NEWEST_PERIODS = 26 * HOURS_PER_WEEK  # looked at: what a season was years ago says little
CYCLES = 3  # that the history must hold of a period other than the day and the week
LONGEST = 744  # hours, a month
CLEAR = 0.2  # by which the autocorrelation at a period must exceed that half a period away
STRONG = 0.4  # autocorrelation that any other period must have: chance reaches 0.3
TINY = 1e-12  # a variance below this is none
BETTER = CLEAR / 4  # by which the autocorrelation at a period must exceed that of a more likely one
ABOUT_A_WEEK = 0.03  # share of a week by which the top of a wide peak may be off


@dataclass(frozen=True)
class Seasons:
    """`periods` in hours, ascending; `autocorrelation` at each; `note`: where the periods come from."""

    periods: tuple[int, ...]
    autocorrelation: dict[int, float]
    note: str


def given(periods: Sequence[int], values: Values) -> Seasons:
    """The periods of config.toml, with what the data say about them."""
    correlations = autocorrelation(values, max(periods))
    return _seasons(periods, correlations, "as config.toml says")


def detect(values: Values) -> Seasons:
    """The day, the week, or another clear period with a longer one above it; the day and the week
    where none is clear.

    `values` [n], NaN where an hour is missing.
    """
    values = values[-NEWEST_PERIODS:]
    longest = min(LONGEST, len(values) // CYCLES)
    correlations = autocorrelation(values, max(longest, 2 * HOURS_PER_WEEK))
    periods = _clearest(correlations[: longest + 1])
    if _outdo_the_usual(periods, correlations):
        return _seasons(periods, correlations, "detected")
    if any(_is_clear(correlations, period) for period in USUAL):
        return _seasons(USUAL, correlations, "detected")
    return _seasons(USUAL, correlations, "no clear season: day and week are tried")


def _seasons(periods: Sequence[int], correlations: Values, note: str) -> Seasons:
    """The periods with their autocorrelation; 0 for a period longer than what is known."""
    at_period: dict[int, float] = {}
    for period in periods:
        at_period[period] = 0.0
        if period < len(correlations):
            correlation = float(correlations[period])
            at_period[period] = round(correlation, 3)
    return Seasons(
        periods=tuple(periods),
        autocorrelation=at_period,
        note=note,
    )


def autocorrelation(values: Values, longest: int) -> Values:
    """[longest + 1] autocorrelation of the values about their level, on pairs of known hours; 0
    where there are few.

    The level is a linear trend and a centred mean over a week.
    """
    nothing = np.zeros(longest + 1)
    present = ~np.isnan(values)
    if present.sum() < HOURS_PER_DAY:
        return nothing
    deviations = _without_level(values, present)
    deviations = np.where(present, deviations, 0.0)
    pairs = _products(present.astype(np.float64), longest)
    sums = _products(deviations, longest)
    covariance = sums / np.maximum(pairs, 1)
    variance = covariance[0]
    if variance > TINY:
        enough = pairs >= HOURS_PER_DAY
        return np.where(enough, covariance / variance, 0.0)
    return nothing


def _without_level(values: Values, present: Flags) -> Values:
    """[n] the values without a linear trend and a centred mean over a week; no meaning where an hour is missing."""
    hour = np.arange(len(values))
    trend = np.polynomial.Polynomial.fit(hour[present], values[present], deg=1)
    centred = np.where(present, values - trend(hour), 0.0)
    width = min(HOURS_PER_WEEK, len(values))
    window = np.ones(width)
    sums = np.convolve(centred, window, "same")
    counts = np.convolve(present, window, "same")
    level = sums / np.maximum(counts, 1)
    return np.asarray(centred - level)


def _products(array: Values, longest: int) -> Values:
    """[longest + 1] at each shift the sum of the products of the array with itself, by way of the spectrum."""
    # Room for the longest shift, so that the end of the series does not meet its beginning.
    size = 1 << (len(array) + longest).bit_length()
    spectrum = np.fft.rfft(array, size)
    power = np.abs(spectrum) ** 2
    products = np.fft.irfft(power, size)
    return np.asarray(products[: longest + 1])


def _outdo_the_usual(periods: Sequence[int], correlations: Values) -> bool:
    """Whether these periods are others than the day and the week, and clearly stronger."""
    if not periods:
        return False
    if any(_is_usual(correlations, period) for period in periods):
        return False
    usual = [correlations[period] for period in USUAL if correlations[period]]
    usual_mean = np.mean(usual or [0.0])
    least = max(usual_mean + BETTER, STRONG)
    strongest = periods[-1]
    return bool(correlations[strongest] > least)


def _is_usual(correlations: Values, period: int) -> bool:
    """A part of the day, some days, or about a week: the top of a wide peak is off by an hour or two."""
    if HOURS_PER_DAY % period == 0:
        return True
    some_days = period % HOURS_PER_DAY == 0
    if some_days and _is_clear(correlations, HOURS_PER_DAY):
        return True
    difference = abs(period - HOURS_PER_WEEK)
    return difference <= ABOUT_A_WEEK * HOURS_PER_WEEK


def _is_clear(correlations: Values, period: int) -> bool:
    """Whether the series resembles itself clearly more at this period than from half of it on."""
    half = period // 2
    lowest = correlations[half:period].min()
    return bool(correlations[period] > lowest + CLEAR)


def _clearest(correlations: Values) -> tuple[int, ...]:
    """The shortest clear period, and the one of the highest autocorrelation where that is another; () without one."""
    clear = []
    for period in _peaks(correlations):
        if correlations[period] > CLEAR and _is_clear(correlations, period):
            clear.append(period)
    if not clear:
        return ()
    highest = max(correlations[period] for period in clear)
    shortest = _top(correlations, clear, 0.6 * highest)
    strongest = _top(correlations, clear, 0.95 * highest)
    if correlations[strongest] > correlations[shortest] + BETTER:
        return (shortest, strongest)
    return (shortest,)


def _peaks(correlations: Values) -> list[int]:
    """The shifts at which the autocorrelation is higher than at both its neighbours."""
    inner = np.arange(2, len(correlations) - 1)
    here = correlations[inner]
    rises = here >= correlations[inner - 1]
    falls = here > correlations[inner + 1]
    peaks = inner[rises & falls]
    return [int(period) for period in peaks]


def _top(correlations: Values, clear: Sequence[int], least: float) -> int:
    """The period of the first peak above `least`.

    Noise makes several peaks of one: then it is the one whose multiples have the highest
    autocorrelation.
    """
    first = next(period for period in clear if correlations[period] > least)
    end = int(1.15 * first) + 2
    nearby = range(first, min(end, len(correlations)))
    return max(nearby, key=lambda period: _mean_at_multiples(correlations, period))


def _mean_at_multiples(correlations: Values, period: int) -> float:
    """The mean autocorrelation at the period and at its next three multiples."""
    end = 4 * period + 1
    multiples = correlations[period:end:period]
    return float(multiples.mean())

"""How far a forecaster's errors reach: calibrated on out-of-sample residuals, by lead time.

The width of an interval is the mean absolute error at its lead, times a factor for its phase (hour
of the day, weekday, month), times a factor for the level of the forecast (busy hours err more), times a quantile of the
residuals that these three have standardised. It is asymmetric where the residuals are, its lower
bound is not negative where the series never is, and the forecast always lies inside.

Days and longer periods are few, so that their errors are used otherwise: newer ones count more, one
quantile holds for both sides, and errors that resemble their neighbours widen the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from actioncast.arrays import Numbers, Values, np

NEIGHBOURS = 6  # leads on either side that are averaged: one lead alone has too few residuals
PRIOR = 30.0  # residuals of average size given to each phase: few residuals change little
QUANTILES = 201  # of the standardised residuals, at probabilities 0, 0.005, ... 1
SMALLEST_LEVEL = 0.02  # share of the typical level below which a forecast counts as that much
HALF_LIFE = 0.25  # of the backtest: long periods so much older count half
MOST_ALIKE = 0.95  # correlation of neighbouring errors
SHARE_OF_EVIDENCE = 0.5  # of independent errors of long periods: measured on monthly and quarterly series
LEAST_FREEDOM = 0.7
MOST_FREEDOM = 10.0  # however long the backtest: the times to come differ from those that it has seen
LEAST_WIDTH = 0.05  # mean absolute errors on each side: a series of rare events has moved
SAME_LEVEL = 1e-9  # difference of two levels that are one: 1 - 0.9 is not quite 0.1
TINY = 1e-12  # keeps a series of zeros from dividing by zero


@dataclass(frozen=True)
class Spread:
    """What `bounds` needs, in plain numbers."""

    by_lead: Values  # [h] mean absolute error at the typical level
    by_phase: Values  # [24] factor by hour of the day, [7] weekday, [12] month, or [1]
    typical: float  # mean absolute forecast, in the series' unit
    level_power: float  # errors grow with (forecast / typical) ** this: 0.5, or 0 with negatives
    quantiles: Values  # [201] of the standardised residuals, at probabilities 0, 0.005, ... 1
    freedom: float  # about how many independent horizons, or long periods, the backtest holds; few widen


def calibrate(
    residuals: Values,
    forecasts: Values,
    phases: Numbers,
    *,
    phase_count: int,
    nonnegative: bool,
    span: int,
    long_periods: Numbers | None = None,
) -> Spread:
    """Spread of out-of-sample residuals [origins, h], actual - forecast, NaN where the period
    is missing.

    `phases` [origins, h], of `phase_count`, are those that errors differ by (see Axis.errors); `span`
    is the backtest's length in periods. `long_periods` [origins, h] are the days, or longer periods, that
    the forecasts are for, counted from the first origin; None for shorter ones, of which there are many.
    """
    horizon = forecasts.shape[1]
    typical = float(np.abs(forecasts).mean()) + TINY
    power = 0.5 if nonnegative else 0.0
    at_typical = residuals / _level_factor(forecasts, typical, power)
    weights = np.ones(residuals.shape)
    if long_periods is not None:
        age = (span - long_periods) / span
        weights = 0.5 ** (age / HALF_LIFE)
    by_lead = _mean_by_lead(np.abs(at_typical), weights) + 1e-9 * typical
    by_phase = _factor_by_phase(at_typical / by_lead, phases, phase_count)
    standardised = at_typical / by_lead / by_phase[phases]
    if long_periods is None:
        quantiles = np.nanquantile(standardised, np.linspace(0, 1, QUANTILES))
        freedom = float(np.clip(1.5 * span / horizon - 1.0, 2.0, MOST_FREEDOM))
    else:
        quantiles = _symmetric_quantiles(standardised, weights)
        independent = _independent_errors(standardised, long_periods)
        freedom = float(np.clip(SHARE_OF_EVIDENCE * independent, LEAST_FREEDOM, MOST_FREEDOM))
    return Spread(
        by_lead=by_lead,
        by_phase=by_phase,
        typical=typical,
        level_power=power,
        quantiles=quantiles,
        freedom=freedom,
    )


@dataclass(frozen=True)
class Width:
    """By which factors live errors have changed the distances of the quantiles from the forecast."""

    below: float = 1.0
    above: float = 1.0

    def of(self, deviation: float) -> float:
        """The factor of a quantile that deviates so much from the forecast."""
        return self.below if deviation < 0 else self.above


AS_TRAINED = Width()


def typical_errors(spread: Spread, forecast: Values, phases: Numbers, steps: Numbers) -> Values:
    """[..., h] the mean absolute error at these steps ahead [h], from 0, phases [..., h] and forecasts [..., h].

    Leads beyond the backtest's are as uncertain as its last one.
    """
    lead = np.minimum(steps, len(spread.by_lead) - 1)
    level = _level_factor(forecast, spread.typical, spread.level_power)
    return np.asarray(spread.by_lead[lead] * spread.by_phase[phases] * level)


def bounds(
    spread: Spread,
    forecast: Values,
    phases: Numbers,
    coverage: float,
    width: Width = AS_TRAINED,
) -> tuple[Values, Values]:
    """Lower and upper bound [..., h] of the central interval around forecasts [..., h], which lie inside.

    `phases` [..., h] are those that errors differ by.
    """
    tail = (1.0 - coverage) / 2.0
    steps = np.arange(forecast.shape[-1])
    errors = typical_errors(spread, forecast, phases, steps) * _widening(1.0 - tail, spread.freedom)
    low, high = _quantiles(spread, [tail, 1.0 - tail])
    has_erred = spread.quantiles[0] < spread.quantiles[-1]
    least = LEAST_WIDTH if has_erred else 0.0
    lower = forecast + min(low, -least) * width.below * errors
    upper = forecast + max(high, least) * width.above * errors
    if spread.level_power:
        highest = np.maximum(forecast, 0.0)
        lower = np.clip(lower, 0.0, highest)
    return lower, upper


def distribution(
    spread: Spread,
    forecast: Values,
    phases: Numbers,
    levels: Sequence[float],
    coverage: float,
    width: Width = AS_TRAINED,
) -> Values:
    """[levels, ..., h] the quantiles at ascending levels, ascending themselves.

    Those of the tails of the central interval are its bounds; the others lie between or beyond them.
    """
    errors = typical_errors(spread, forecast, phases, np.arange(forecast.shape[-1]))
    lower, upper = bounds(spread, forecast, phases, coverage, width)
    tail = (1.0 - coverage) / 2.0
    quantiles = np.empty((len(levels), *forecast.shape))
    for row, level, deviation in zip(quantiles, levels, _quantiles(spread, levels), strict=True):
        row[:] = forecast + deviation * width.of(deviation) * _widening(level, spread.freedom) * errors
        if level <= tail + SAME_LEVEL:
            np.minimum(row, lower, out=row)
        if level >= tail - SAME_LEVEL:
            np.maximum(row, lower, out=row)
        if level <= 1.0 - tail + SAME_LEVEL:
            np.minimum(row, upper, out=row)
        if level >= 1.0 - tail - SAME_LEVEL:
            np.maximum(row, upper, out=row)
    if spread.level_power:
        quantiles = np.maximum(quantiles, 0.0)
    return np.maximum.accumulate(quantiles, axis=0)


def _quantiles(spread: Spread, probabilities: Sequence[float]) -> Values:
    """The quantiles of the standardised residuals at these probabilities."""
    stored = np.linspace(0, 1, len(spread.quantiles))
    return np.asarray(np.interp(probabilities, stored, spread.quantiles))


def _level_factor(forecast: Values, typical: float, power: float) -> Values:
    level = np.maximum(forecast, SMALLEST_LEVEL * typical) / typical
    return np.asarray(level**power)


def _symmetric_quantiles(standardised: Values, weights: Values) -> Values:
    """[201] quantiles that are alike on both sides: those of the sizes of the errors."""
    present = ~np.isnan(standardised)
    sizes = np.abs(standardised[present])
    order = np.argsort(sizes)
    shares = weights[present][order]
    below = (np.cumsum(shares) - shares / 2) / shares.sum()
    from_the_middle = np.linspace(-1, 1, QUANTILES)
    return np.asarray(np.sign(from_the_middle) * np.interp(np.abs(from_the_middle), below, sizes[order]))


def _independent_errors(standardised: Values, periods: Numbers) -> float:
    """How many errors say something of their own: an error that resembles its neighbour says little.

    The mean error at each period makes a series; of one with the correlation r from a period to the
    next, n values say as much as n (1 - r) / (1 + r) independent ones.
    """
    present = ~np.isnan(standardised)
    counts = np.bincount(periods[present])
    sums = np.bincount(periods[present], standardised[present])
    errors = sums[counts > 0] / counts[counts > 0]
    alike = float(errors[1:] @ errors[:-1] / (errors @ errors + TINY))
    alike = float(np.clip(alike, 0.0, MOST_ALIKE))
    return len(errors) * (1 - alike) / (1 + alike)


def _mean_by_lead(errors: Values, weights: Values) -> Values:
    """[h] mean over the origins, smoothed over neighbouring leads; a lead without residuals takes the mean of all."""
    present = ~np.isnan(errors)
    weights = np.where(present, weights, 0.0)
    weighted = np.where(present, errors, 0.0) * weights
    shares = weights.sum(axis=0)
    means = weighted.sum(axis=0) / np.maximum(shares, TINY)
    per_lead = np.where(shares > 0, means, weighted.sum() / (shares.sum() + TINY))
    smooth = []
    for lead in range(len(per_lead)):
        # The first leads differ most from each other, so they take few neighbours.
        reach = min(NEIGHBOURS, lead)
        start = lead - reach
        end = lead + reach + 1
        smooth.append(per_lead[start:end].mean())
    return np.array(smooth)


def _factor_by_phase(standardised: Values, phases: Numbers, count: int) -> Values:
    """[count] mean absolute standardised residual by phase, shrunk towards 1."""
    present = ~np.isnan(standardised)
    sizes = np.abs(standardised[present])
    phases = phases[present]
    mean = sizes.mean() + TINY
    sums = np.bincount(phases, sizes, count)
    counts = np.bincount(phases, minlength=count)
    shrunk = (sums / mean + PRIOR) / (counts + PRIOR)
    return np.asarray(shrunk)


def _widening(probability: float, freedom: float) -> float:
    """Student's t over normal quantile, first term of the Cornish-Fisher expansion: few residuals say little."""
    z = NormalDist().inv_cdf(probability)
    return 1.0 + (z * z + 1.0) / (4.0 * freedom)

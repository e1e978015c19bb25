"""How far a forecaster's errors reach: calibrated on out-of-sample residuals, by lead time.

The width of an interval is the mean absolute error at its lead, times a factor for its phase (hour
of the day, weekday, month), times a factor for the level of the forecast (busy hours err more), times a quantile of the
residuals that these three have standardised. It is asymmetric where the residuals are, its lower
bound is not negative where the series never is, and the forecast always lies inside.
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
TINY = 1e-12  # keeps a series of zeros from dividing by zero


@dataclass(frozen=True)
class Spread:
    """What `bounds` needs, in plain numbers."""

    by_lead: Values  # [h] mean absolute error at the typical level
    by_phase: Values  # [24] factor by hour of the day, [7] weekday, [12] month, or [1]
    typical: float  # mean absolute forecast, in the series' unit
    level_power: float  # errors grow with (forecast / typical) ** this: 0.5, or 0 with negatives
    quantiles: Values  # [201] of the standardised residuals, at probabilities 0, 0.005, ... 1
    freedom: float  # about how many independent horizons the backtest holds; few widen the interval


def calibrate(
    residuals: Values,
    forecasts: Values,
    phases: Numbers,
    *,
    phase_count: int,
    nonnegative: bool,
    span: int,
    unlearned: float = 0.0,
) -> Spread:
    """Spread of out-of-sample residuals [origins, h], actual - forecast, NaN where the period
    is missing.

    `phases` [origins, h], of `phase_count`, are those that errors differ by (see Axis.errors); `span`
    is the backtest's length in periods. `unlearned` is a share by which errors are larger than the
    backtest shows, because parameters were learned from few periods.
    """
    horizon = forecasts.shape[1]
    typical = float(np.abs(forecasts).mean()) + TINY
    power = 0.5 if nonnegative else 0.0
    at_typical = residuals / _level_factor(forecasts, typical, power)
    by_lead = (1 + unlearned) * _mean_by_lead(np.abs(at_typical)) + 1e-9 * typical
    by_phase = _factor_by_phase(at_typical / by_lead, phases, phase_count)
    standardised = (1 + unlearned) * at_typical / by_lead / by_phase[phases]
    probabilities = np.linspace(0, 1, QUANTILES)
    horizons = 1.5 * span / horizon - 1.0
    return Spread(
        by_lead=by_lead,
        by_phase=by_phase,
        typical=typical,
        level_power=power,
        quantiles=np.nanquantile(standardised, probabilities),
        freedom=float(np.clip(horizons, 2.0, 10.0)),
    )


def bounds(
    spread: Spread,
    forecast: Values,
    phases: Numbers,
    coverage: float,
) -> tuple[Values, Values]:
    """Lower and upper bound [h] of the central interval; the forecast lies inside.

    `phases` [h] are those that errors differ by. Leads beyond the backtest's are as uncertain as its
    last one.
    """
    tail = (1.0 - coverage) / 2.0
    steps = np.arange(len(forecast))
    lead = np.minimum(steps, len(spread.by_lead) - 1)
    width = spread.by_lead[lead] * spread.by_phase[phases]
    width = width * _level_factor(forecast, spread.typical, spread.level_power)
    width = width * _widening(1.0 - tail, spread.freedom)
    low, high = _quantiles(spread, [tail, 1.0 - tail])
    lower = forecast + min(low, 0.0) * width
    upper = forecast + max(high, 0.0) * width
    if spread.level_power:
        highest = np.maximum(forecast, 0.0)
        lower = np.clip(lower, 0.0, highest)
    return lower, upper


def _quantiles(spread: Spread, probabilities: Sequence[float]) -> Values:
    """The quantiles of the standardised residuals at these probabilities."""
    stored = np.linspace(0, 1, len(spread.quantiles))
    return np.asarray(np.interp(probabilities, stored, spread.quantiles))


def _level_factor(forecast: Values, typical: float, power: float) -> Values:
    level = np.maximum(forecast, SMALLEST_LEVEL * typical) / typical
    return np.asarray(level**power)


def _mean_by_lead(errors: Values) -> Values:
    """[h] mean over the origins, smoothed over neighbouring leads; a lead without residuals takes the mean of all."""
    present = ~np.isnan(errors)
    counts = np.count_nonzero(present, axis=0)
    sums = np.nansum(errors, axis=0)
    means = sums / np.maximum(counts, 1)
    per_lead = np.where(counts > 0, means, np.nanmean(errors))
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

"""How far a forecaster's errors reach: calibrated on out-of-sample residuals, by lead time.

The width of an interval is the mean absolute error at its lead, times a factor for the hour of the day, times a factor
for the level of the forecast (busy hours err more), times a quantile of what then remains: asymmetric where the
residuals are, non-negative where the series is, never crossing the forecast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from actioncast.arrays import Numbers, Values, np

NEIGHBOURS = 6  # leads on either side that are averaged: one lead alone has too few residuals
PRIOR = 30.0  # residuals of average size that each hour of the day is given: few residuals change little
DAY = 24


@dataclass(frozen=True)
class Spread:
    """What `bounds` needs, in plain numbers."""

    by_lead: Values  # [h] mean absolute error at the typical level
    by_phase: Values  # [24] factor by hour of the day (UTC)
    typical: float  # mean absolute forecast, in the series' unit
    level_power: float  # the error grows with (forecast / typical) to this power: 0.5, or 0 where there are negatives
    quantiles: Values  # [201] of the standardised residuals, at probabilities 0, 0.005, ... 1
    freedom: float  # independent horizons in the backtest, about; few of them widen the interval


def calibrate(residuals: Values, forecasts: Values, hours: Numbers, *, nonnegative: bool, span: int) -> Spread:
    """Spread of out-of-sample residuals [origins, h], actual - forecast, NaN where the hour is missing.

    `hours` [origins, h] numbers the forecast hours since 1970; `span` is the backtest's length in hours.
    """
    horizon = forecasts.shape[1]
    typical = float(np.abs(forecasts).mean()) + 1e-12
    power = 0.5 if nonnegative else 0.0
    at_typical = residuals / _level_factor(forecasts, typical, power)
    by_lead = _mean_by_lead(np.abs(at_typical)) + 1e-9 * typical
    by_phase = _factor_by_phase(at_typical / by_lead, hours % DAY)
    rest = at_typical / by_lead / by_phase[hours % DAY]
    quantiles = np.nanquantile(rest, np.linspace(0, 1, 201))
    freedom = float(np.clip(1.5 * span / horizon - 1.0, 2.0, 10.0))
    return Spread(by_lead, by_phase, typical, power, quantiles, freedom)


def bounds(spread: Spread, forecast: Values, first_hour: int, coverage: float) -> tuple[Values, Values]:
    """Lower and upper bound [h] of the central interval; the forecast lies inside. Leads beyond the backtest's count
    as its last one."""
    tail = (1.0 - coverage) / 2.0
    hours = first_hour + np.arange(len(forecast))
    lead = np.minimum(np.arange(len(forecast)), len(spread.by_lead) - 1)
    width = spread.by_lead[lead] * spread.by_phase[hours % DAY]
    width = width * _level_factor(forecast, spread.typical, spread.level_power) * _widening(1.0 - tail, spread.freedom)
    low, high = np.interp([tail, 1.0 - tail], np.linspace(0, 1, len(spread.quantiles)), spread.quantiles)
    lower = forecast + min(low, 0.0) * width
    if spread.level_power:
        lower = np.clip(lower, 0.0, np.maximum(forecast, 0.0))
    return lower, forecast + max(high, 0.0) * width


def _level_factor(forecast: Values, typical: float, power: float) -> Values:
    return np.asarray((np.maximum(forecast, 0.02 * typical) / typical) ** power)


def _mean_by_lead(errors: Values) -> Values:
    """Mean over the origins [h], smoothed over neighbouring leads; a lead without residuals takes the mean of all."""
    counts = np.count_nonzero(~np.isnan(errors), axis=0)
    per_lead = np.nansum(errors, axis=0) / np.maximum(counts, 1)
    per_lead = np.where(counts > 0, per_lead, np.nanmean(errors))
    reach = [min(NEIGHBOURS, lead) for lead in range(len(per_lead))]  # the first leads differ most: few neighbours
    around = [slice(lead - near, lead + near + 1) for lead, near in enumerate(reach)]
    return np.array([per_lead[window].mean() for window in around])


def _factor_by_phase(standardised: Values, phase: Numbers) -> Values:
    """Mean absolute standardised residual by hour of the day, shrunk towards 1."""
    known = ~np.isnan(standardised)
    sizes, phases = np.abs(standardised[known]), phase[known]
    mean = sizes.mean() + 1e-12
    sums, counts = np.bincount(phases, sizes, DAY), np.bincount(phases, minlength=DAY)
    return np.asarray((sums / mean + PRIOR) / (counts + PRIOR))


def _widening(probability: float, freedom: float) -> float:
    """Student's t over normal quantile, first term of the Cornish-Fisher expansion: few residuals know little."""
    z = NormalDist().inv_cdf(probability)
    return 1.0 + (z * z + 1.0) / (4.0 * freedom)


def covered(actual: Values, lower: Sequence[float] | Values, upper: Sequence[float] | Values) -> float:
    """Share of the known hours inside their interval."""
    known = ~np.isnan(actual)
    return float(np.mean((actual >= lower)[known] & (actual <= upper)[known]))

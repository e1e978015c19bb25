"""Metrics of a backtest: mean absolute error by lead, and the scale of MASE. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Values, np


def mae_by_lead(forecasts: Values, actual: Values) -> Values:
    """[horizon] mean absolute error over the origins; NaN for a lead that was never observed."""
    errors = np.abs(forecasts - actual)
    counts = np.count_nonzero(~np.isnan(errors), axis=0)
    means = np.nansum(errors, axis=0) / np.maximum(counts, 1)
    return np.where(counts > 0, means, np.nan)


def mae(forecasts: Values, actual: Values) -> float:
    """Mean over the leads of the mean absolute error at each: short leads, seen more often, count no more."""
    return float(np.nanmean(mae_by_lead(forecasts, actual)))


def seasonal_scale(values: Values, seasonality: Sequence[int]) -> float:
    """Mean absolute seasonal difference, the denominator of MASE (Hyndman & Koehler 2006).

    The season is the longest that the history holds twice. 0 where the history holds no such pair
    of hours.
    """
    held_twice = [season for season in seasonality if len(values) >= 2 * season]
    season = max(held_twice, default=1)
    change = np.abs(values[season:] - values[:-season])
    if np.isnan(change).all():
        return 0.0
    return float(np.nanmean(change))

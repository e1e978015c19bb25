"""Metrics of a backtest: MAE by lead and the scale of MASE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actioncast.arrays import Values


def mae_by_lead(forecasts: Values, actual: Values) -> Values:
    """[horizon] mean absolute error over the origins; NaN for a lead that was never observed."""
    miss = np.abs(forecasts - actual)
    counts = np.count_nonzero(~np.isnan(miss), axis=0)
    return np.where(counts > 0, np.nansum(miss, axis=0) / np.maximum(counts, 1), np.nan)


def mae(forecasts: Values, actual: Values) -> float:
    """Mean over the leads of the mean absolute error at each: short leads, seen more often, count no more."""
    return float(np.nanmean(mae_by_lead(forecasts, actual)))


def seasonal_scale(values: Values, seasonality: Sequence[int]) -> float:
    """Mean absolute seasonal difference, the denominator of MASE (Hyndman & Koehler 2006), at the longest season that
    the history holds twice; 0 where it holds no such pair of hours."""
    season = max((s for s in seasonality if len(values) >= 2 * s), default=1)
    change = np.abs(values[season:] - values[:-season])
    return float(np.nanmean(change)) if not np.isnan(change).all() else 0.0

"""Spikes: a few hours so far from all like them that nothing should be learned from them, nor follow from them.

A meter that reads a thousand times too much, or a price that explodes for two hours, would be carried on by every
forecast that looks back on it, and drown all other errors of a backtest. For these a spike is a missing hour; the live
error counts it. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Values, np

FAR = 3.0  # times what 95 % of like hours differ by
LONGEST = 3  # hours in a row; what lasts longer is no spike
FEWEST = 168  # pairs of like hours that must have shown what is usual


def limit(values: Values, seasonality: Sequence[int]) -> float:
    """How far, in the series' unit, an hour may lie from all like it; infinite where nothing shows what is usual."""
    season = max((s for s in seasonality if len(values) >= s + FEWEST), default=len(values))
    change = np.abs(values[season:] - values[: len(values) - season])
    known = change[~np.isnan(change)]
    return (FAR * float(np.quantile(known, 0.95)) if len(known) >= FEWEST else 0.0) or float("inf")


def without(values: Values, seasonality: Sequence[int], limit: float) -> Values:
    """The same hours [n], spikes missing. A spike is further than `limit` from the last hour before it, and from the
    same hour of all seasons before that are known."""
    if not np.isfinite(limit):
        return values
    far = np.ones(len(values), dtype=bool)
    compared = np.zeros(len(values), dtype=bool)
    for back in (*seasonality, 2 * max(seasonality)):
        if back < len(values):
            change = np.abs(values[back:] - values[:-back])
            far[back:] &= ~(change <= limit)
            compared[back:] |= ~np.isnan(change)
    cleaned = values.copy()
    hours = np.flatnonzero(far & compared)
    for run in np.split(hours, np.flatnonzero(np.diff(hours) > 1) + 1) if len(hours) else []:
        before = values[: run[0]]
        before = before[~np.isnan(before)][-1:]
        if len(run) <= LONGEST and (np.abs(values[run] - before) > limit).all():
            cleaned[run] = np.nan
    return cleaned

"""Spikes: a few hours so far from all like them that nothing should be learned from them, nor follow from them.

A meter that reads a thousand times too much, or a price that explodes for two hours, would be carried on by every
forecast that looks back on it, and drown all other errors of a backtest. For these a spike is a missing hour; the live
error counts it. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Numbers, Values, np

FAR = 3.0  # times what 95 % of like hours differ by
LONGEST = 3  # hours in a row; what lasts longer is no spike
FEWEST = 168  # pairs of like hours that must have shown what is usual


def limit(values: Values, seasonality: Sequence[int]) -> float:
    """How far, in the series' unit, an hour may lie from all like it; infinite where nothing shows what is usual."""
    # The longest season that leaves enough pairs; without one there is no pair at all.
    fitting = [season for season in seasonality if len(values) >= season + FEWEST]
    season = max(fitting, default=len(values))
    differences = np.abs(values[season:] - values[: len(values) - season])
    differences = differences[~np.isnan(differences)]
    if len(differences) < FEWEST:
        return float("inf")
    far = FAR * float(np.quantile(differences, 0.95))
    return far or float("inf")


def without(values: Values, seasonality: Sequence[int], limit: float) -> Values:
    """[n] the same hours, spikes missing.

    A spike is further than `limit` from the last hour before it, and from the same hour of all seasons before that are
    known.
    """
    if not np.isfinite(limit):
        return values
    cleaned = values.copy()
    for run in _runs(_unlike_all(values, seasonality, limit)):
        before = values[: run[0]]
        last_before = before[~np.isnan(before)][-1:]
        far_from_last = np.abs(values[run] - last_before) > limit
        if len(run) <= LONGEST and far_from_last.all():
            cleaned[run] = np.nan
    return cleaned


def _unlike_all(values: Values, seasonality: Sequence[int], limit: float) -> Numbers:
    """The indices of hours that are further than `limit` from the same hour of all seasons before, at least of one."""
    far = np.ones(len(values), dtype=bool)
    compared = np.zeros(len(values), dtype=bool)
    for back in (*seasonality, 2 * max(seasonality)):
        if back < len(values):
            difference = np.abs(values[back:] - values[:-back])
            far[back:] &= ~(difference <= limit)
            compared[back:] |= ~np.isnan(difference)
    return np.flatnonzero(far & compared)


def _runs(indices: Numbers) -> list[Numbers]:
    """Ascending indices, one array for each run of neighbours."""
    if not len(indices):
        return []
    breaks = np.flatnonzero(np.diff(indices) > 1) + 1
    return np.split(indices, breaks)

"""Spikes: a few hours so far from all like them that nothing should be learned from them, nor
follow from them.

A meter that reads a thousand times too much, or a price that explodes for two hours, would be
carried on by every forecast that looks back on it, and drown all other errors of a backtest. For
these a spike is a missing hour; the live error counts it. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Numbers, Values, np
from actioncast.periods.axis import Cycles
from actioncast.periods.frequency import WEEK
from actioncast.periods.timeline import Timeline

FAR = 3.0  # times what 95 % of like hours differ by
LONGEST_DAYS = 0.125  # in a row; what lasts longer is no spike
FEWEST_DAYS = 7  # of pairs of like periods that must have shown what is usual
FEWEST_DAILY = 112  # likewise, of a daily series
INFINITE = float("inf")  # the limit of a series without spikes


def longest(timeline: Timeline) -> int:
    """How many periods in a row can be a spike."""
    return Cycles(timeline).days(LONGEST_DAYS)


def limit(values: Values, seasonality: Sequence[int], timeline: Timeline) -> float:
    """How far, in the series' unit, a period may lie from all like it; infinite where nothing shows what is usual.

    That of a week or longer is never a spike: what it holds has been averaged.
    """
    if timeline.frequency.seconds >= WEEK:
        return INFINITE
    fewest = Cycles(timeline).days(FEWEST_DAYS) if timeline.frequency.is_within_day else FEWEST_DAILY
    # The longest season that leaves enough pairs; without one there is no pair at all.
    fitting = [season for season in seasonality if len(values) >= season + fewest]
    season = max(fitting, default=len(values))
    pairs = len(values) - season
    differences = np.abs(values[season:] - values[:pairs])
    present = ~np.isnan(differences)
    differences = differences[present]
    if len(differences) < fewest:
        return INFINITE
    usual = float(np.quantile(differences, 0.95))
    far = FAR * usual
    return far or INFINITE


def without(values: Values, seasonality: Sequence[int], limit: float, longest: int) -> Values:
    """[n] the same periods, spikes missing.

    A spike of at most `longest` periods is further than `limit` from the last one before it, and from
    the same period of all seasons before that are known.
    """
    if not np.isfinite(limit):
        return values
    cleaned = values.copy()
    unlike = _unlike_all(values, seasonality, limit)
    for run in _runs(unlike):
        last = _last_known(values, before=run[0])
        differences = np.abs(values[run] - last)
        is_far = bool((differences > limit).all())
        if is_far and len(run) <= longest:
            cleaned[run] = np.nan
    return cleaned


def _last_known(values: Values, *, before: int) -> float:
    """The value of the last hour before this index that is not missing; at least one is not."""
    earlier = values[:before]
    present = ~np.isnan(earlier)
    return float(earlier[present][-1])


def _unlike_all(values: Values, seasonality: Sequence[int], limit: float) -> Numbers:
    """The indices of hours that are further than `limit` from the same hour of all seasons before, at least of one."""
    far = np.ones(len(values), dtype=bool)
    compared = np.zeros(len(values), dtype=bool)
    two_seasons = 2 * max(seasonality)
    for back in (*seasonality, two_seasons):
        if back < len(values):
            difference = np.abs(values[back:] - values[:-back])
            is_like = difference <= limit
            missing = np.isnan(difference)
            far[back:] &= ~is_like
            compared[back:] |= ~missing
    return np.flatnonzero(far & compared)


def _runs(indices: Numbers) -> list[Numbers]:
    """Ascending indices, one array for each run of neighbours."""
    if not len(indices):
        return []
    steps = np.diff(indices)
    ends = np.flatnonzero(steps > 1)
    return np.split(indices, ends + 1)

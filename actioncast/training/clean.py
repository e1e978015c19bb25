"""The history as candidates learn from it: at its newest level and without its spikes.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from actioncast.arrays import np
from actioncast.forecasting import level_shifts, outliers
from actioncast.forecasting.level_shifts import Shift
from actioncast.periods.axis import Axis, Cycles
from actioncast.periods.grid import Grid


@dataclass(frozen=True)
class CleanSeries:
    """One history in three states, all of the same hours and with the same exogenous columns."""

    history: Grid  # as stored
    at_newest_level: Grid  # hours before a change of level are restated; spikes are still there
    without_spikes: Grid  # the same with spikes missing: what is learned from and scored
    seasonality: tuple[int, ...]  # hours, ascending
    shifts: tuple[Shift, ...]  # changes of level, ascending
    settled: int  # index of the first hour at the newest level; 0 without a change
    spike_limit: float  # in the series' unit; infinite where nothing shows what is usual

    def __len__(self) -> int:
        """Number of hours, missing ones included."""
        return len(self.history)

    @property
    def axis(self) -> Axis:
        """Which periods the positions of the values are."""
        return self.history.axis

    @property
    def cycles(self) -> Cycles:
        return Cycles(self.history.timeline)

    @property
    def stored_periods(self) -> int:
        """Number of hours that are not missing."""
        return int(np.count_nonzero(~np.isnan(self.history.values)))

    @property
    def nonnegative(self) -> bool:
        """Whether no hour at the newest level is negative."""
        return bool(np.nanmin(self.at_newest_level.values) >= 0)


def clean(history: Grid, seasonality: Sequence[int], *, gated: bool = False) -> CleanSeries:
    """Restate the history at its newest level, then take its spikes out.

    `gated`: a champion stands against a change of level that is believed too soon; see
    `level_shifts.find`.
    """
    shifts = level_shifts.find(history, seasonality, gated=gated)
    at_newest_level = level_shifts.restate(history, shifts)
    settled = level_shifts.index_of(history, shifts[-1]) if shifts else 0
    values = at_newest_level.values
    spike_limit = outliers.limit(values, seasonality, history.timeline)
    without_spikes = outliers.without(values, seasonality, spike_limit, outliers.longest(history.timeline))
    return CleanSeries(
        history=history,
        at_newest_level=at_newest_level,
        without_spikes=replace(at_newest_level, values=without_spikes),
        seasonality=tuple(seasonality),
        shifts=shifts,
        settled=settled,
        spike_limit=spike_limit,
    )

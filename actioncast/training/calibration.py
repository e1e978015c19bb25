"""How far a candidate errs: the spread of its errors in the backtest, and how good its quantiles would have been."""

from __future__ import annotations

from collections.abc import Sequence

from actioncast import quantiles
from actioncast.arrays import Flags, np
from actioncast.forecasting import intervals
from actioncast.forecasting.intervals import Spread
from actioncast.periods.axis import phases_of_errors
from actioncast.quantiles import DistributionScore
from actioncast.training.backtest import Backtest
from actioncast.training.leaderboard import Candidate

HALVES = 2  # of the origins: each is judged by the spread of the other


def calibrate(candidate: Candidate, test: Backtest, origins: Flags | None = None) -> Spread:
    """The spread of a candidate's errors, from all origins of the backtest or from these [origins]."""
    chosen = slice(None) if origins is None else origins
    forecasts = candidate.forecasts[chosen]
    target = test.target[chosen]
    is_within_day = test.series.history.timeline.frequency.is_within_day
    return intervals.calibrate(
        test.actual[chosen] - forecasts,
        forecasts,
        test.series.axis.errors(target),
        phase_count=phases_of_errors(test.series.axis.timeline),
        nonnegative=test.series.nonnegative,
        span=test.window,
        long_periods=None if is_within_day else target - int(test.origins[0]),
    )


def score(
    candidate: Candidate,
    test: Backtest,
    levels: Sequence[float],
    coverage: float,
) -> DistributionScore | None:
    """How good the quantiles at these levels would have been, by spreads that have not seen what they are judged on.

    None without levels, or where a half of the origins has no known value.
    """
    half_of_origin = np.arange(len(test.origins)) * HALVES // len(test.origins)
    stated = np.empty((len(levels), *test.actual.shape))
    for half in range(HALVES):
        inside = half_of_origin == half
        if np.isnan(test.actual[~inside]).all():
            return None
        stated[:, inside] = intervals.distribution(
            calibrate(candidate, test, ~inside),
            candidate.forecasts[inside],
            test.series.axis.errors(test.target[inside]),
            levels,
            coverage,
        )
    return quantiles.score(stated, test.actual, levels)

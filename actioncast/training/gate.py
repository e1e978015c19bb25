"""The gate: champion against challenger on the same newest hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actioncast.arrays import Values
from actioncast.forecasting import forecaster
from actioncast.forecasting.forecaster import Forecaster
from actioncast.hours import Grid
from actioncast.times import HOUR, to_seconds
from actioncast.training.backtest import Backtest
from actioncast.training.leaderboard import Candidate
from actioncast.training.metrics import mae

FEWEST_GATE_HOURS = 48  # a champion younger than that is compared on hours it has learned from, which favours it


@dataclass(frozen=True)
class Gate:
    """Champion and challenger on the same newest hours. Errors in the series' unit."""

    promoted: bool
    reason: str
    champion_mae: float | None
    challenger_mae: float
    scored: int  # forecasts compared


def stored_forecasts(champion: Forecaster, known: Grid, test: Backtest) -> Values | None:
    """What the champion, as it is stored, forecasts from the backtest's origins; None when they reach back too far, or
    when a column that it needs is not there."""
    if champion.reach > test.origins[0] or not set(champion.columns) <= set(known.exogenous):
        return None
    first_hour = to_seconds(known.start) // HOUR
    history = champion.clean_history(known)
    paths = [
        forecaster.predict(
            member, history, test.origins, test.actual.shape[1], first_hour=first_hour, columns=known.exogenous
        )
        for member in champion.members
    ]
    return np.tensordot(champion.weights, np.array(paths), 1)


def decide(
    challenger: Candidate, champion: Values | None, test: Backtest, *, hours: int, newest_hours: int, margin: float
) -> Gate:
    """Champion and challenger on the newest `newest_hours` of `hours`; the challenger needs a margin.

    When the level changed within these hours, only forecasts made since then count: what was made before says nothing
    about how it goes on.
    """
    target = test.origins[:, None] + np.arange(test.actual.shape[1])
    settled = test.settled > hours - newest_hours
    newest_hours = hours - test.settled if settled else newest_hours
    change = f"{test.shifts[-1]}; " if settled else ""
    counts = test.origins[:, None] >= test.settled if settled else target >= hours - newest_hours
    recent = np.where(counts, test.actual, np.nan)
    scored = int(np.count_nonzero(~np.isnan(recent)))
    new = mae(challenger.forecasts, recent)
    if champion is None:
        return Gate(True, "there is no champion that could be compared", None, new, scored)
    old = mae(champion, recent)
    better = new < (1 - margin) * old
    reason = (
        f"{change}on the newest {newest_hours} h the challenger {challenger.name} errs {new:,.4g}, "
        f"the champion {old:,.4g}; "
        f"{'better' if better else 'not better'} by the margin of {margin:.1%}"
    )
    return Gate(better, reason, old, new, scored)

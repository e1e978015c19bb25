"""The gate: champion against challenger on the same newest hours. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from actioncast.arrays import Flags, Values, np
from actioncast.forecasting import forecaster
from actioncast.forecasting.champion import Champion
from actioncast.forecasting.forecaster import Forecaster
from actioncast.policies import TrainPolicy
from actioncast.training.backtest import Backtest
from actioncast.training.leaderboard import Candidate
from actioncast.training.metrics import mae

FEWEST_DAYS = 2  # a champion younger than that is compared on periods it has learned from, which favours it


@dataclass(frozen=True)
class Gate:
    """Champion and challenger on the same newest hours. Errors in the series' unit."""

    promoted: bool
    reason: str
    champion_mae: float | None
    challenger_mae: float
    scored: int  # forecasts compared

    @property
    def serving_mae(self) -> float | None:
        """The error of the model that serves after the gate."""
        return self.challenger_mae if self.promoted else self.champion_mae


@dataclass(frozen=True)
class _Window:
    """The forecasts that the gate compares."""

    mask: Flags  # that broadcasts to [origins, horizon]
    periods: int
    note: str  # begins the reason; empty without a change of level


def run_gate(
    champion: Champion | None,
    challenger: Candidate,
    test: Backtest,
    *,
    policy: TrainPolicy,
) -> Gate:
    """Compare on hours that the champion has not learned from, where there are enough of them."""
    if champion is None:
        return decide(
            challenger,
            None,
            test,
            newest_periods=policy.gate,
            margin=policy.gate_margin,
        )
    history = test.series.history
    learned_until = history.timeline.number_of(champion.card.window_end)
    unseen_periods = history.first + len(history) - 1 - learned_until
    return decide(
        challenger,
        stored_forecasts(champion.forecaster, test),
        test,
        newest_periods=min(policy.gate, max(unseen_periods, test.series.cycles.days(FEWEST_DAYS))),
        margin=policy.gate_margin,
    )


def stored_forecasts(champion: Forecaster, test: Backtest) -> Values | None:
    """Forecasts [origins, horizon] of the champion, as it is stored, from the backtest's origins.

    None when it looks back further than the first origin, or when the history lacks a column that
    it needs.
    """
    history = test.series.history
    lacks_column = not set(champion.columns) <= set(history.exogenous)
    history_begins_later = champion.since is not None and champion.since < history.first
    first_origin = max(champion.reach, (champion.since or history.first) - history.first)
    if first_origin > test.origins[0] or lacks_column or history_begins_later:
        return None
    filled = champion.clean_history(history)
    horizon = test.actual.shape[1]
    paths = [
        forecaster.predict(
            member,
            filled,
            test.origins,
            horizon,
            axis=test.series.axis,
            columns=history.exogenous,
        )
        for member in champion.members
    ]
    return np.tensordot(champion.weights, np.array(paths), 1)


def decide(
    challenger: Candidate,
    champion: Values | None,
    test: Backtest,
    *,
    newest_periods: int,
    margin: float,
) -> Gate:
    """Promote a challenger that errs less than the champion by a margin on the newest hours.

    `champion` are its forecasts [origins, horizon], None when there are none to compare with.
    """
    window = _window(test, newest_periods)
    recent = np.where(window.mask, test.actual, np.nan)
    scored = int(np.count_nonzero(~np.isnan(recent)))
    new = mae(challenger.forecasts, recent)
    if champion is None:
        return Gate(
            promoted=True,
            reason="there is no champion that could be compared",
            champion_mae=None,
            challenger_mae=new,
            scored=scored,
        )
    old = mae(champion, recent)
    better = new < (1 - margin) * old
    noun = test.series.history.timeline.frequency.plural
    comparison = "better" if better else "not better"
    reason = (
        f"{window.note}on the newest {window.periods} {noun} the challenger {challenger.name} errs {new:,.4g}, "
        f"the champion {old:,.4g}; {comparison} by the margin of {margin:.1%}"
    )
    return Gate(
        promoted=better,
        reason=reason,
        champion_mae=old,
        challenger_mae=new,
        scored=scored,
    )


def _window(test: Backtest, newest_periods: int) -> _Window:
    """The forecasts for the newest hours.

    When the level changed within these hours, only forecasts made since then count: one made before
    the change says nothing about how the series goes on.
    """
    periods = len(test.series)
    newest_periods = min(newest_periods, periods)
    settled = test.series.settled
    if settled > periods - newest_periods:
        return _Window(
            mask=test.origins[:, None] >= settled,
            periods=periods - settled,
            note=f"{test.series.shifts[-1]}; ",
        )
    return _Window(mask=test.target >= periods - newest_periods, periods=newest_periods, note="")

"""Why this champion: what the card says beside the figures, and the drawing that lies beside the card.

Pure functions. The drawing is an SVG of four panels: leaderboard, error by lead time, error by hour of the day, and
what the gate compared. It is text, the same for the same training, and small enough to lie in git.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actioncast.arrays import Numbers, Values
from actioncast.forecasting.card import Explanation, GateScores, Ranked, six_figures
from actioncast.forecasting.recipes import NAIVE
from actioncast.forecasting.seasons import Seasons
from actioncast.training.backtest import Backtest
from actioncast.training.gate import Gate
from actioncast.training.leaderboard import Candidate

SHOWN = 10  # rows of the leaderboard
DAY = 24


def explain(
    board: Sequence[Candidate], challenger: Candidate, test: Backtest, gate: Gate, seasons: Seasons, first_hour: int
) -> Explanation:
    """What goes into the card. `first_hour` numbers the first hour of the history since 1970."""
    hours = first_hour + test.origins[:, None] + np.arange(test.actual.shape[1])
    shown = list(board[:SHOWN]) + [row for row in board[SHOWN:] if row in (challenger, best_naive(board))]
    return Explanation(
        seasons=f"{', '.join(map(str, seasons.periods))} h, {seasons.note}",
        autocorrelation={str(period): value for period, value in seasons.autocorrelation.items()},
        leaderboard=[Ranked(rank=board.index(r) + 1, candidate=r.name, mae=six_figures(r.mae)) for r in shown],
        mae_by_hour=[six_figures(error) for error in mae_by_hour(challenger.forecasts, test.actual, hours)],
        gate=GateScores(
            champion=None if gate.champion_mae is None else six_figures(gate.champion_mae),
            challenger=six_figures(gate.challenger_mae),
            forecasts=gate.scored,
            reason=gate.reason,
        ),
    )


def mae_by_hour(forecasts: Values, actual: Values, hours: Numbers) -> Values:
    """[24] mean absolute error by hour of the day (UTC); an hour that was never observed takes the mean of all."""
    miss = np.abs(forecasts - actual)
    known = ~np.isnan(miss)
    counts = np.bincount(hours[known] % DAY, minlength=DAY)
    sums = np.bincount(hours[known] % DAY, miss[known], minlength=DAY)
    return np.where(counts > 0, sums / np.maximum(counts, 1), miss[known].mean())


def best_naive(board: Sequence[Candidate]) -> Candidate:
    """There is always one."""
    return next(row for row in board if row.name.startswith(NAIVE))


# The drawing -------------------------------------------------------------------------------------------------------

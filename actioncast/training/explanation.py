"""Why this champion: what the card says beside the figures. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Numbers, Values, np
from actioncast.forecasting.card import Explanation, GateScores, Ranked, six_figures
from actioncast.forecasting.seasons import Seasons
from actioncast.times import HOURS_PER_DAY
from actioncast.training.backtest import Backtest
from actioncast.training.gate import Gate
from actioncast.training.leaderboard import Candidate, best_naive

SHOWN_ROWS = 10  # of the leaderboard, besides the challenger and the best naive


def explain(
    board: Sequence[Candidate],
    challenger: Candidate,
    test: Backtest,
    *,
    gate: Gate,
    seasons: Seasons,
) -> Explanation:
    """The explanation that goes into the card."""
    periods = ", ".join(str(period) for period in seasons.periods)
    hours = test.series.first_period + test.target
    errors = mae_by_hour(challenger.forecasts, test.actual, hours)
    return Explanation(
        seasons=f"{periods} h, {seasons.note}",
        autocorrelation={str(period): value for period, value in seasons.autocorrelation.items()},
        leaderboard=_ranked(board, challenger),
        mae_by_hour=[six_figures(error) for error in errors],
        gate=_scores(gate),
    )


def mae_by_hour(forecasts: Values, actual: Values, hours: Numbers) -> Values:
    """[24] mean absolute error by hour of the day (UTC); an hour that was never observed takes the
    mean of all.

    `hours` [origins, horizon] numbers the forecast hours since 1970.
    """
    errors = np.abs(forecasts - actual)
    observed = ~np.isnan(errors)
    hour_of_day = hours[observed] % HOURS_PER_DAY
    counts = np.bincount(hour_of_day, minlength=HOURS_PER_DAY)
    sums = np.bincount(hour_of_day, errors[observed], minlength=HOURS_PER_DAY)
    means = sums / np.maximum(counts, 1)
    return np.where(counts > 0, means, errors[observed].mean())


def _ranked(board: Sequence[Candidate], challenger: Candidate) -> list[Ranked]:
    """The first rows of the leaderboard, the challenger's and the best naive's."""
    always_shown = {challenger.name, best_naive(board).name}
    return [
        Ranked(rank=rank, candidate=candidate.name, mae=six_figures(candidate.mae))
        for rank, candidate in enumerate(board, 1)
        if rank <= SHOWN_ROWS or candidate.name in always_shown
    ]


def _scores(gate: Gate) -> GateScores:
    champion_mae = gate.champion_mae
    return GateScores(
        champion=None if champion_mae is None else six_figures(champion_mae),
        challenger=six_figures(gate.challenger_mae),
        forecasts=gate.scored,
        reason=gate.reason,
    )

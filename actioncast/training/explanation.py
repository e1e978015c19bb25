"""Why this champion: what the card says beside the figures. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Numbers, Values, np
from actioncast.forecasting.card import Explanation, GateScores, Ranked, six_figures
from actioncast.forecasting.seasons import Seasons
from actioncast.periods.axis import phases_of_errors
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
    axis = test.series.axis
    errors = mae_by_phase(challenger.forecasts, test.actual, axis.errors(test.target), phases_of_errors(axis.timeline))
    frequency = axis.timeline.frequency
    return Explanation(
        seasons=f"{periods} {frequency.plural}, {seasons.note}",
        autocorrelation={str(period): value for period, value in seasons.autocorrelation.items()},
        leaderboard=_ranked(board, challenger),
        mae_by_phase=[six_figures(error) for error in errors],
        gate=_scores(gate),
        notes=tuple(_notes(challenger, test)),
    )


def _notes(challenger: Candidate, test: Backtest) -> list[str]:
    """A sentence each about the blend, what was skipped, the changes of level and the intervals."""
    notes = []
    used = np.flatnonzero(challenger.weights)
    if len(used) > 1:
        largest = used[np.argmax(challenger.weights[used])]
        notes.append(
            f"It is a blend of {len(used)} recipes, weighted by their errors in the backtest; "
            f"{test.recipes[largest].name} has the largest share, {challenger.weights[largest]:.0%}."
        )
    if test.skipped:
        name, reason = next(iter(test.skipped.items()))
        others = f"{len(test.skipped)} candidates were skipped, such as" if len(test.skipped) > 1 else "Skipped was"
        notes.append(f"{others} {name}: {reason}.")
    notes += [f"{str(shift).capitalize()}." for shift in test.series.shifts]
    known = int(np.count_nonzero(~np.isnan(test.actual)))
    notes.append(f"The intervals come from {known:,} errors in the backtest, and follow the live errors from then on.")
    return notes


def mae_by_phase(forecasts: Values, actual: Values, phases: Numbers, count: int) -> Values:
    """[count] mean absolute error by phase (hour of the day, weekday, month: see Axis.errors); one that
    was never observed takes the mean of all.

    `phases` [origins, horizon] are those of the forecast periods.
    """
    errors = np.abs(forecasts - actual)
    observed = ~np.isnan(errors)
    phase = phases[observed]
    counts = np.bincount(phase, minlength=count)
    sums = np.bincount(phase, errors[observed], minlength=count)
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

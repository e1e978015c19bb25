"""The leaderboard: every candidate and the blend, in the order of their error. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.arrays import Flags, Values, np
from actioncast.forecasting.recipes import BLEND, BORROWED, DIRECT, NAIVE, STATISTICAL, ZERO_SHOT
from actioncast.training.backtest import Backtest
from actioncast.training.metrics import mae, seasonal_scale

BLEND_POWER = 6.0  # weights are the inverse relative error to this power
SMALLEST_SHARE = 0.01  # of a blend; crumbs are dropped so that the file stays small
GROUPS = 4  # of origins: a blend is judged with weights that never saw the origins it is judged on
SELECTION_NOISE = 0.5  # by which any other candidate must beat the blend
BLENDABLE = ("ridge", BORROWED, NAIVE)  # linear recipes, which are blended by their errors
FEW_LEARNED = 100  # periods before the first origin: so many make linear recipes count half of their share
GROUP_POWER = 4.0  # of the ratio of the errors of both groups
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)  # of the direct recipe in the blend
USUAL_SHARE = 0.2  # of it: what helped in most backtests
LEAST_BORROWED = 0.5  # share of the shape of another series in a blend
DOUBT = 0.3  # relative error that a share costs for each squared distance from the usual one
FAMILY = {DIRECT: "lightgbm", BORROWED: BLEND}
TINY = 1e-9


@dataclass(frozen=True)
class Candidate:
    """A row of the leaderboard: its forecasts [origins, horizon] over the backtest and the weights of its recipes."""

    name: str
    weights: Values  # over the backtest's recipes
    forecasts: Values
    mae: float
    mase: float | None  # None where the history has no seasonal change to compare with
    seconds: float

    @property
    def is_naive(self) -> bool:
        return self.name.startswith(NAIVE)

    def as_json(self) -> dict[str, Any]:
        return {
            "candidate": self.name,
            "mae": self.mae,
            "mase": self.mase,
            "seconds": round(self.seconds, 3),
        }


def rank_candidates(test: Backtest, families: Sequence[str]) -> list[Candidate]:
    """Every candidate of these families and every seasonal naive, the best first."""
    scale = seasonal_scale(test.series.at_newest_level.values, test.series.seasonality)
    board = [
        _single(test, index, scale)
        for index, recipe in enumerate(test.recipes)
        if FAMILY.get(recipe.estimator, recipe.estimator) in {*families, NAIVE}
    ]
    if BLEND in families:
        board.append(_blend(test, scale))
    return sorted(board, key=lambda candidate: candidate.mae)


def best_naive(board: Sequence[Candidate]) -> Candidate:
    """The first seasonal naive of a leaderboard; there is always one."""
    return next(candidate for candidate in board if candidate.is_naive)


def challengers(board: Sequence[Candidate]) -> list[Candidate]:
    """The leaderboard in the order in which its candidates may challenge, up to the best seasonal
    naive.

    Others must beat the blend clearly: the best of some forty on a few hundred hours looks better
    than it is. On M4's hourly series the blend won most of the time even where a naive had looked
    better by a third. A candidate that loses to the naive by more than that may not challenge at
    all. Beside a blend of the statistical families only the naives may: a short history cannot tell
    which single candidate is best.
    """
    if any(candidate.name in STATISTICAL for candidate in board) and any(c.name == BLEND for c in board):
        board = [candidate for candidate in board if candidate.name == BLEND or candidate.is_naive]
    ranked = sorted(board, key=_handicapped_error)
    last = ranked.index(best_naive(ranked))
    return ranked[: last + 1]


def _handicapped_error(candidate: Candidate) -> float:
    handicap = 1 if candidate.name == BLEND else 1 + SELECTION_NOISE
    return candidate.mae * handicap


def _single(test: Backtest, index: int, scale: float) -> Candidate:
    """The candidate that is one recipe of the backtest."""
    return _candidate(
        test,
        name=test.recipes[index].name,
        weights=np.eye(len(test.recipes))[index],
        forecasts=test.forecasts[index],
        seconds=test.seconds[index],
        scale=scale,
    )


def _blend(test: Backtest, scale: float) -> Candidate:
    """The weighted mean of the linear recipes and the naives, judged out of sample (see GROUPS)."""
    return _candidate(
        test,
        name=BLEND,
        weights=_weights(test, test.forecasts, test.actual),
        forecasts=_blended(test),
        seconds=sum(test.seconds),
        scale=scale,
    )


def _candidate(
    test: Backtest, *, name: str, weights: Values, forecasts: Values, seconds: float, scale: float
) -> Candidate:
    error = mae(forecasts, test.actual)
    return Candidate(
        name=name,
        weights=weights,
        forecasts=forecasts,
        mae=error,
        mase=error / scale if scale else None,
        seconds=seconds,
    )


def _blended(test: Backtest) -> Values:
    """Blend forecasts [origins, horizon]; each group of origins is blended with weights from the other groups."""
    origins = len(test.origins)
    group_of_origin = np.arange(origins) * GROUPS // origins
    blended = np.empty_like(test.actual)
    for group in np.unique(group_of_origin):
        inside = group_of_origin == group
        if np.isnan(test.actual[~inside]).all():
            weights = _weights(test, test.forecasts, test.actual)
        else:
            weights = _weights(test, test.forecasts[:, ~inside], test.actual[~inside])
        blended[inside] = np.tensordot(weights, test.forecasts[:, inside], 1)
    return blended


def _weights(test: Backtest, forecasts: Values, actual: Values) -> Values:
    """[recipes] the blend's weights by the errors of these forecasts; 0 for a recipe that is not BLENDABLE.

    The statistical families count alike: their plain mean is hard to beat, and errors on a short
    history cannot tell which of them is best. They and the linear recipes, which are blended by their
    errors, share by what both groups have shown and by how much there was to learn from.
    """
    estimators = np.array([recipe.estimator for recipe in test.recipes])
    families = np.isin(estimators, (*STATISTICAL, *ZERO_SHOT))
    linear = np.isin(estimators, BLENDABLE)
    errors = blend_errors(forecasts, actual, nonnegative=test.series.nonnegative)
    weights = np.zeros(len(test.recipes))
    weights[linear] = _with_borrowed(blend_weights(errors[linear]), estimators[linear] == BORROWED)
    if (estimators == DIRECT).any():
        return _with_direct(weights, forecasts, actual, int(np.flatnonzero(estimators == DIRECT)[0]))
    if not families.any():
        return weights
    of_families = families / families.sum()
    groups = np.array([np.tensordot(group, forecasts, 1) for group in (of_families, weights)])
    group_errors = blend_errors(groups, actual, nonnegative=test.series.nonnegative)
    share = linear_share(group_errors, learned=int(test.origins[0]))
    return np.asarray(share * weights + (1 - share) * of_families)


def _with_borrowed(weights: Values, borrowed: Flags) -> Values:
    """The weights with at least half for what is borrowed: it is there where a history is too short to judge by."""
    share = float(weights[borrowed].sum())
    if not borrowed.any() or share >= LEAST_BORROWED:
        return weights
    others = np.where(borrowed, 0.0, weights) * (1 - LEAST_BORROWED) / (1 - share)
    return np.asarray(others + LEAST_BORROWED * borrowed / borrowed.sum())


def _with_direct(weights: Values, forecasts: Values, actual: Values, direct: int) -> Values:
    """The weights with that share of the direct recipe which errs least in the backtest, drawn to the usual one."""
    blended = np.tensordot(weights, forecasts, 1)
    alone = mae(blended, actual) + TINY

    def doubted_error(share: float) -> float:
        error = mae((1 - share) * blended + share * forecasts[direct], actual)
        return error / alone + DOUBT * (share - USUAL_SHARE) ** 2

    share = min(SHARES, key=doubted_error)
    return np.asarray((1 - share) * weights + share * np.eye(len(weights))[direct])


def linear_share(group_errors: Values, *, learned: int) -> float:
    """The share of the linear recipes in a blend with the statistical families, whose error is the first of these.

    Before any error it is half of learned / (learned + FEW_LEARNED): many lags need many periods. What
    the errors say counts by the same measure.
    """
    trust = learned / (learned + FEW_LEARNED)
    before = 0.5 * trust
    ratio = (group_errors[0] + TINY) / (group_errors[1] + TINY)
    odds = before / (1 - before) * ratio ** (GROUP_POWER * trust)
    return float(odds / (1 + odds))


def blend_errors(forecasts: Values, actual: Values, *, nonnegative: bool) -> Values:
    """[recipes] the errors that weight a blend: relative where nothing is negative, so that quiet hours count too."""
    errors = np.abs(forecasts - actual)
    if nonnegative:
        typical = np.nanmean(np.abs(actual)) + 1e-12
        errors = errors / (np.abs(forecasts) + np.abs(actual) + 0.01 * typical)
    return np.asarray(np.nanmean(errors, axis=(1, 2)))


def blend_weights(errors: Values) -> Values:
    """[recipes] inverse error to BLEND_POWER, without the crumbs, sum 1."""
    raw = ((errors + 1e-9) / (errors.min() + 1e-9)) ** -BLEND_POWER
    share = raw / raw.sum()
    smallest = min(SMALLEST_SHARE, share.max())
    share = np.where(share < smallest, 0.0, share)
    return np.asarray(share / share.sum())

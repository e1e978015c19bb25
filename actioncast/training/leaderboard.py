"""The leaderboard: every candidate and the blend, in the order of their error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from actioncast.arrays import Values
from actioncast.forecasting import level_shifts
from actioncast.forecasting.recipes import BLEND, NAIVE
from actioncast.hours import Grid
from actioncast.training.backtest import Backtest
from actioncast.training.metrics import mae, seasonal_scale

BLEND_POWER = 6.0  # weights are the inverse relative error to this power
SMALLEST_SHARE = 0.01  # of a blend; crumbs are dropped so that the file stays small
GROUPS = 4  # of origins: a blend is judged with weights that never saw the origins it is judged on
SELECTION_NOISE = 0.5  # by which any other candidate must beat the blend


@dataclass(frozen=True)
class Candidate:
    """A row of the leaderboard: its forecasts [origins, horizon] over the backtest and the weights of its recipes."""

    name: str
    weights: Values  # over the backtest's recipes
    forecasts: Values
    mae: float
    mase: float | None  # None where the history has no seasonal change to compare with
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {"candidate": self.name, "mae": self.mae, "mase": self.mase, "seconds": round(self.seconds, 3)}


def _relative_errors(test: Backtest, nonnegative: bool) -> Values:
    """[recipes] the error that weights a blend: relative where nothing is negative, so that quiet hours count too."""
    miss = np.abs(test.forecasts - test.actual)
    if nonnegative:
        typical = np.nanmean(np.abs(test.actual)) + 1e-12
        miss = miss / (np.abs(test.forecasts) + np.abs(test.actual) + 0.01 * typical)
    return np.asarray(np.nanmean(miss, axis=(1, 2)))


def leaderboard(test: Backtest, known: Grid, seasonality: Sequence[int], families: Sequence[str]) -> list[Candidate]:
    """Every wanted candidate, the best first. A blend is judged out of sample (see GROUPS)."""
    values = level_shifts.restate(known, test.shifts).values
    scale = seasonal_scale(values, seasonality)

    def candidate(name: str, weights: Values, forecasts: Values, seconds: float) -> Candidate:
        error = mae(forecasts, test.actual)
        return Candidate(name, weights, forecasts, error, error / scale if scale else None, seconds)

    single = np.eye(len(test.recipes))
    board = [
        candidate(recipe.name, single[i], test.forecasts[i], test.seconds[i])
        for i, recipe in enumerate(test.recipes)
        if recipe.estimator in families or recipe.estimator == NAIVE
    ]
    if BLEND in families:
        nonnegative = bool(np.nanmin(values) >= 0)
        weights = _weights(test, nonnegative)
        board.append(candidate(BLEND, weights, _blended(test, nonnegative), sum(test.seconds)))
    return sorted(board, key=lambda row: row.mae)


def challengers(board: Sequence[Candidate]) -> list[Candidate]:
    """The leaderboard in the order in which its candidates may challenge, up to the best seasonal naive.

    Others must beat the blend clearly: the best of some forty on a few hundred hours looks better than it is. On M4's
    hourly series the blend won most of the time even where a naive had looked better by a third. What loses to the
    naive by more than that may not challenge at all.
    """

    def handicapped(row: Candidate) -> float:
        return row.mae * (1 if row.name == BLEND else 1 + SELECTION_NOISE)

    ranked = sorted(board, key=handicapped)
    naive = next(place for place, row in enumerate(ranked) if row.name.startswith(NAIVE))
    return ranked[: naive + 1]


def _weights(test: Backtest, nonnegative: bool) -> Values:
    """[recipes] the blend's weights: the linear recipes and the naives, which numpy alone can serve."""
    blendable = np.array([recipe.estimator in ("ridge", NAIVE) for recipe in test.recipes])
    weights = np.zeros(len(test.recipes))
    weights[blendable] = blend_weights(_relative_errors(test, nonnegative)[blendable])
    return weights


def blend_weights(errors: Values) -> Values:
    """[recipes] inverse error to BLEND_POWER, without the crumbs, sum 1."""
    raw = ((errors + 1e-9) / (errors.min() + 1e-9)) ** -BLEND_POWER
    share = raw / raw.sum()
    share = np.where(share < min(SMALLEST_SHARE, share.max()), 0.0, share)
    return np.asarray(share / share.sum())


def _blended(test: Backtest, nonnegative: bool) -> Values:
    """Blend forecasts [origins, horizon]; each group of origins is blended with weights from the other groups."""
    group = np.arange(len(test.origins)) * GROUPS // len(test.origins)
    blended = np.empty_like(test.actual)
    for number in np.unique(group):
        mine, others = group == number, group != number
        rest = replace(test, forecasts=test.forecasts[:, others], actual=test.actual[others])
        rest = test if np.isnan(rest.actual).all() else rest
        blended[mine] = np.tensordot(_weights(rest, nonnegative), test.forecasts[:, mine], 1)
    return blended

"""Backtests and leaderboards that the training tests share, made by training or by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from actioncast.arrays import Values
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.recipes import Recipe, recipe_pool
from actioncast.training.backtest import Backtest, backtest
from actioncast.training.challenger import fit_challenger
from actioncast.training.clean import clean
from actioncast.training.leaderboard import Candidate, challengers, rank_candidates
from tests.support.series import SEASONS, grid
from utils import Predictors

LINEAR = ["seasonal_naive", "ridge", "blend"]
DAY = Recipe("day", "ridge", Predictors((1, 2, 24)))
WEEK_NAIVE = Recipe("seasonal_naive_168", "seasonal_naive", Predictors((168,)))
DAY_NAIVE = Recipe("seasonal_naive_24", "seasonal_naive", Predictors((24,)))


def ignore(_: float) -> None:
    """Nobody watches the progress."""


def backtested(
    values: Values,
    pool: Sequence[Recipe],
    *,
    horizon: int = 24,
    seasons: tuple[int, ...] = SEASONS,
    gated: bool = False,
) -> Backtest:
    series = clean(grid(values), seasons, gated=gated)
    return backtest(series, pool, horizon=horizon, longest=24 * 60, watch=ignore)


def trained(
    values: Values,
    *,
    horizon: int = 24,
    families: Sequence[str] = LINEAR,
    coverage: float = 0.8,
    seasons: tuple[int, ...] = SEASONS,
) -> tuple[Forecaster, list[Candidate]]:
    """The challenger and the leaderboard, as train.py makes them before the gate."""
    pool = recipe_pool(seasons, families, 1, periods=len(values))
    test = backtested(values, pool, horizon=horizon, seasons=seasons)
    board = rank_candidates(test, families)
    return fit_challenger(challengers(board)[0], test, coverage=coverage), board


def by_hand(
    forecasts: Any,
    actual: Any,
    *,
    pool: Sequence[Recipe] = (WEEK_NAIVE, DAY),
    origins: Sequence[int] | None = None,
    hours: int = 124,
) -> Backtest:
    """A backtest with these forecasts [recipes, origins, horizon] on a constant series.

    Origin i is hour 100 + i unless `origins` says otherwise.
    """
    actual = np.array(actual, dtype=np.float64)
    return Backtest(
        series=clean(grid(np.full(hours, 100.0)), SEASONS),
        recipes=tuple(pool),
        seconds=(0.1,) * len(pool),
        origins=100 + np.arange(len(actual)) if origins is None else np.array(origins),
        forecasts=np.array(forecasts, dtype=np.float64),
        actual=actual,
    )


def candidate(name: str, mae: float, forecasts: Any = ((0.0,),)) -> Candidate:
    return Candidate(
        name=name,
        weights=np.ones(1),
        forecasts=np.array(forecasts, dtype=np.float64),
        mae=mae,
        mase=None,
        seconds=0.0,
    )


def hour_of_trouble() -> tuple[list[Candidate], Backtest]:
    """Two origins a day apart, two days ahead; the candidate errs by 5 at hour 3, else by 1; one hour is unknown.

    The naive errs by 2.
    """
    right = np.full((2, 48), 10.0)
    forecasts = right + 1
    forecasts[:, 3::24] += 4
    actual = right.copy()
    actual[0, 5] = np.nan
    test = by_hand(forecasts[None], actual, pool=(), origins=(240, 264), hours=312)
    board = [candidate("ridge_<day>", 1.2, forecasts), candidate("seasonal_naive_24", 2.0, right + 2)]
    return board, test

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actioncast.forecasting import forecaster
from actioncast.forecasting import recipes as recipes_module
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import ForecastError, Recipe
from actioncast.training import backtest, gate, leaderboard, metrics
from actioncast.training.backtest import Backtest
from actioncast.training.challenger import fit_challenger
from actioncast.training.leaderboard import Candidate
from tests.support.series import SEASONS, grid, recorded, seasonal, with_gaps
from utils import Predictors

NAN = float("nan")
LINEAR = ["seasonal_naive", "ridge", "blend"]
DAY = Recipe("day", "ridge", Predictors((1, 2, 24)))
WEEK_NAIVE = Recipe("seasonal_naive_168", "seasonal_naive", Predictors((168,)))
DAY_NAIVE = Recipe("seasonal_naive_24", "seasonal_naive", Predictors((24,)))


def ignore(_: float) -> None:
    """Nobody watches."""


def backtested(
    values: NDArray[np.float64], recipes: list[Recipe], *, horizon: int = 24, seasons: tuple[int, ...] = SEASONS
) -> Backtest:
    return backtest.backtest(grid(values), recipes, horizon, 60, seasons, ignore)


def trained(
    values: NDArray[np.float64],
    *,
    horizon: int = 24,
    families: list[str] = LINEAR,
    coverage: float = 0.8,
    seasons: tuple[int, ...] = SEASONS,
) -> tuple[Forecaster, list[Candidate]]:
    """What train.py does before the gate."""
    known = grid(values)
    test = backtested(
        values, recipes_module.recipe_pool(seasons, families, 1, hours=len(values)), horizon=horizon, seasons=seasons
    )
    board = leaderboard.leaderboard(test, known, seasons, families)
    return fit_challenger(leaderboard.challengers(board)[0], test, known, seasons, coverage), board


def by_hand(forecasts: Any, actual: Any, recipes: tuple[Recipe, ...] = (WEEK_NAIVE, DAY)) -> Backtest:
    """A backtest with these forecasts [recipes, origins, horizon]; origin i is hour 100 + i."""
    forecasts, actual = np.array(forecasts, dtype=np.float64), np.array(actual, dtype=np.float64)
    origins = 100 + np.arange(actual.shape[0])
    return Backtest(recipes, (0.1,) * len(recipes), origins, forecasts, actual, 24)


def row(name: str, mae: float) -> Candidate:
    return Candidate(name, np.ones(1), np.zeros((1, 1)), mae, None, 0.0)


# Backtest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "horizon"), [(80, 168), (504, 168), (1130, 24), (1130, 1), (17_500, 168)])
def test_the_plan_ends_where_the_newest_hour_can_still_be_scored(hours: int, horizon: int) -> None:
    origins, block = backtest.plan(hours, horizon, 60)
    assert hours - origins[-1] <= horizon
    assert origins[0] >= 0.6 * hours - 1
    assert len(origins) >= min(60, hours // 8)
    assert 1 <= (origins[-1] - origins[0]) // block + 1 <= backtest.REFITS


def test_no_fit_sees_an_hour_at_or_after_its_origin() -> None:
    values = seasonal(500)
    clean = backtested(values, [DAY, DAY_NAIVE], horizon=24)
    for i in (0, len(clean.origins) // 2, len(clean.origins) - 1):
        poisoned = values.copy()
        poisoned[clean.origins[i] :] = 1e9
        dirty = backtested(poisoned, [DAY, DAY_NAIVE], horizon=24)
        np.testing.assert_array_equal(dirty.forecasts[:, i], clean.forecasts[:, i])


def test_forecasts_stand_beside_the_hours_they_are_for() -> None:
    hours = np.arange(500.0)
    test = backtested(hours, [Recipe("line", "ridge", Predictors((1, 24)), difference=24)], horizon=24)
    np.testing.assert_allclose(test.forecasts[0], test.origins[:, None] + np.arange(24), rtol=1e-9)
    np.testing.assert_array_equal(test.actual[0], test.origins[0] + np.arange(24))


def test_the_last_folds_are_cut_to_what_is_known() -> None:
    test = backtested(seasonal(600), [DAY_NAIVE], horizon=168)
    known = np.count_nonzero(~np.isnan(test.actual), axis=1)
    assert known[0] == 168
    assert known[-1] == backtest.SHORTEST_LEAD


def test_a_recipe_that_cannot_be_fitted_is_left_out() -> None:
    deep = Recipe("deep", "ridge", Predictors((1, 168)))
    test = backtested(seasonal(200), [WEEK_NAIVE, DAY_NAIVE, deep])
    assert [recipe.name for recipe in test.recipes] == ["seasonal_naive_24"]
    assert test.skipped["deep"].startswith("needs 60 known hours beyond the 168 it looks back on")


def test_when_the_budget_is_spent_the_rest_is_skipped_but_not_the_naive() -> None:
    test = backtest.backtest(grid(seasonal(400)), [DAY, DAY_NAIVE], 24, 60, SEASONS, ignore, budget_seconds=-1)
    assert [recipe.name for recipe in test.recipes] == ["seasonal_naive_24"]
    assert test.skipped == {"day": "budget_seconds = -1 was spent"}


def test_a_season_longer_than_the_history_is_said() -> None:
    with pytest.raises(ForecastError, match="80 hours are too few for a season of 168 h"):
        backtested(seasonal(80), [WEEK_NAIVE], seasons=(168,))


def test_a_missing_hour_is_not_scored() -> None:
    test = backtested(with_gaps(seasonal(400), every=10), [DAY_NAIVE])
    assert np.isnan(test.actual).any()
    assert np.isfinite(test.forecasts).all()
    assert np.isfinite(metrics.mae(test.forecasts[0], test.actual))


def test_the_forest_of_the_grid_is_the_one_that_errs_least(monkeypatch: pytest.MonkeyPatch) -> None:
    stump, deep = {"n_estimators": 3, "max_depth": 1}, {"n_estimators": 3, "max_depth": 8}
    monkeypatch.setattr(recipes_module, "FOREST_GRID", (stump, deep))
    recipe = Recipe("forest", "random_forest", Predictors((1, 2, 24)), parameters={"random_state": 1})
    tuned = backtest.tune_forest(recipe, grid(seasonal(300)), SEASONS)
    assert tuned.parameters == {"random_state": 1, **deep}


# Metrics -----------------------------------------------------------------------------------------------------------


def test_every_lead_counts_the_same() -> None:
    forecasts = np.zeros((3, 2))
    actual = np.array([[1, 4], [1, NAN], [1, NAN]])
    np.testing.assert_array_equal(metrics.mae_by_lead(forecasts, actual), [1, 4])
    assert metrics.mae(forecasts, actual) == 2.5


def test_a_lead_that_was_never_observed_has_no_error() -> None:
    assert np.isnan(metrics.mae_by_lead(np.zeros((1, 2)), np.array([[1, NAN]]))[1])


def test_the_scale_is_the_change_over_the_longest_season_held_twice() -> None:
    values = np.array([0.0, 1, 10, 13, 20, NAN])
    assert metrics.seasonal_scale(values, (2, 4)) == pytest.approx((10 + 12 + 10) / 3)
    assert metrics.seasonal_scale(np.array([5.0, NAN, 5]), (24,)) == 0


# Blend and leaderboard ---------------------------------------------------------------------------------------------


def test_weights_are_the_inverse_error_to_the_sixth_power_without_crumbs() -> None:
    np.testing.assert_allclose(leaderboard.blend_weights(np.array([1.0, 2, 10])), [64 / 65, 1 / 65, 0], rtol=1e-6)
    np.testing.assert_array_equal(leaderboard.blend_weights(np.zeros(2)), [0.5, 0.5])
    assert leaderboard.blend_weights(np.ones(200)).sum() == pytest.approx(1)


def test_a_blend_is_judged_with_weights_that_never_saw_the_hours_it_is_judged_on() -> None:
    """Each recipe is right on one half only: weights from the other half pick the wrong one."""
    right, wrong = np.full((2, 1), 100.0), np.full((2, 1), 300.0)
    forecasts = [np.vstack([right, wrong]), np.vstack([wrong, right])]
    test = by_hand(forecasts, np.full((4, 1), 100.0))
    board = {row.name: row for row in leaderboard.leaderboard(test, grid(np.full(50, 100.0)), SEASONS, LINEAR)}
    assert board["blend"].mae > 90
    np.testing.assert_allclose(board["blend"].weights, [0.5, 0.5])


def test_quiet_hours_weigh_as_much_as_busy_ones_where_nothing_is_negative() -> None:
    quiet_is_right, busy_is_right = [[10.0, 1100.0]], [[20.0, 1001.0]]
    test = by_hand([quiet_is_right, busy_is_right], [[10.0, 1000.0]])
    relative = leaderboard._relative_errors(test, nonnegative=True)
    absolute = leaderboard._relative_errors(test, nonnegative=False)
    assert relative[0] < relative[1]
    assert absolute[0] > absolute[1]


def test_trees_are_not_blended() -> None:
    trees = Recipe("lightgbm", "lightgbm", Predictors((1,)))
    test = by_hand(np.full((2, 4, 1), 100.0), np.full((4, 1), 100.0), (WEEK_NAIVE, trees))
    board = leaderboard.leaderboard(test, grid(np.full(50, 100.0)), SEASONS, ["blend", "lightgbm"])
    assert next(row for row in board if row.name == "blend").weights[1] == 0


def test_the_seasonal_naive_is_on_every_leaderboard() -> None:
    test = by_hand(np.full((2, 4, 1), 100.0), np.full((4, 1), 90.0))
    board = leaderboard.leaderboard(test, grid(np.full(50, 100.0)), SEASONS, ["lightgbm"])
    assert [row.name for row in board] == ["seasonal_naive_168"]


def test_the_best_stands_first() -> None:
    board = trained(seasonal(500))[1]
    assert [row.mae for row in board] == sorted(row.mae for row in board)


def test_a_single_candidate_must_beat_the_blend_clearly() -> None:
    naive = row("seasonal_naive_168", 200)
    assert leaderboard.challengers([row("lucky", 70), row("blend", 100), naive])[0].name == "blend"
    assert leaderboard.challengers([row("good", 66), row("blend", 100), naive])[0].name == "good"


def test_a_naive_must_beat_the_blend_by_more_than_noise() -> None:
    assert leaderboard.challengers([row("seasonal_naive_24", 70), row("blend", 100)])[0].name == "blend"
    assert leaderboard.challengers([row("seasonal_naive_24", 66), row("blend", 100)])[0].name == "seasonal_naive_24"


def test_nothing_that_loses_to_a_seasonal_naive_may_challenge() -> None:
    board = [row("seasonal_naive_24", 60), row("blend", 101), row("ridge", 61), row("seasonal_naive_168", 120)]
    assert [r.name for r in leaderboard.challengers(board)] == ["seasonal_naive_24"]


# Series of every kind ----------------------------------------------------------------------------------------------

KINDS = {
    "zeros": np.maximum(seasonal(500, level=0), 0),
    "all zero": np.zeros(500),
    "constant": np.full(500, 0.1),
    "negatives": seasonal(500, level=0),
    "negative after the training": np.concatenate([seasonal(480, level=40), np.full(20, -5.0)]),
    "gaps": with_gaps(seasonal(500)),
    "mostly gaps": np.where(np.arange(500) % 7 == 0, seasonal(500), NAN),
    "three weeks": seasonal(504),
    "eighty hours": seasonal(80),
    "huge": 1e12 * seasonal(500),
    "tiny": 1e-9 * seasonal(500),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_of_any_kind_is_forecast(kind: str) -> None:
    values = KINDS[kind]
    values = np.concatenate([values[:-1], [np.nanmean(values)]])  # a series ends with a known hour
    model, board = trained(values)
    made = forecaster.forecast(model, grid(with_some(values, model)), 24)
    for array in (made.prediction, made.lower, made.upper):
        assert np.isfinite(array).all()
    assert (made.lower <= made.prediction).all()
    assert (made.prediction <= made.upper).all()
    assert all(np.isfinite(row.mae) for row in board)
    if np.nanmin(values) >= 0:
        assert made.lower.min() >= 0


def with_some(values: NDArray[np.float64], model: Forecaster) -> NDArray[np.float64]:
    """Serving refuses to forecast from mostly gaps: fill what it looks back on."""
    return np.where(np.isnan(values), np.nanmean(values), values) if np.isnan(values).mean() > 0.5 else values


@pytest.mark.parametrize("seasons", [(24,), (12, 84), (8,), (168,)])
def test_other_seasons_are_forecast(seasons: tuple[int, ...]) -> None:
    hour = np.arange(600)
    values = 50 + 10 * np.sin(2 * np.pi * hour / seasons[0]) + np.random.default_rng(0).normal(0, 0.5, 600)
    model, board = trained(values, seasons=seasons)
    naive = min(row.mae for row in board if row.name.startswith("seasonal_naive"))
    assert leaderboard.challengers(board)[0].mae < naive
    assert np.isfinite(forecaster.forecast(model, grid(values), 24).prediction).all()


def test_the_same_seed_makes_the_same_forecaster() -> None:
    families = ["random_forest", "lightgbm"]
    values = with_gaps(seasonal(250))
    first, second = (trained(values, families=families) for _ in range(2))
    assert [row.mae for row in first[1]] == [row.mae for row in second[1]]
    ahead = [forecaster.forecast(model, grid(values), 24).prediction for model, _ in (first, second)]
    np.testing.assert_array_equal(ahead[0], ahead[1])


def test_the_recording_is_forecast_a_day_ahead_within_620_transactions_an_hour() -> None:
    """Rolling over its second half, retrained weekly; the weekly naive makes 729."""
    values = recorded().values
    misses = []
    for end in range(len(values) // 2, len(values) - 24, 168):
        model, _ = trained(values[:end], horizon=24)
        for origin in range(end, min(end + 168, len(values) - 24), 24):
            made = forecaster.forecast(model, grid(values[:origin]), 24)
            misses.append(np.abs(made.prediction - values[origin : origin + 24]))
    assert np.mean(misses) <= 620


# Gate --------------------------------------------------------------------------------------------------------------


def challenge(new: float, old: float | None, margin: float = 0.05, newest_hours: int = 48) -> gate.Gate:
    """Challenger and champion with these errors on the newest 48 of 148 hours, huge ones before."""
    origins = np.arange(60, 148, 4)
    actual = np.zeros((len(origins), 1))
    huge = np.where(origins[:, None] < 100, 1e6, 0.0)
    test = Backtest((DAY,), (0.0,), origins, np.zeros((1, *actual.shape)), actual, 88)
    challenger = Candidate("new", np.ones(1), np.full_like(actual, new) + huge, new, None, 0.0)
    champion = None if old is None else np.full_like(actual, old)
    return gate.decide(challenger, champion, test, hours=148, newest_hours=newest_hours, margin=margin)


@pytest.mark.parametrize(("new", "promoted"), [(94.9, True), (95.1, False), (100.0, False)])
def test_the_challenger_needs_the_margin(new: float, promoted: bool) -> None:
    verdict = challenge(new, 100)
    assert verdict.promoted == promoted
    assert verdict.challenger_mae == pytest.approx(new)
    assert (verdict.champion_mae, verdict.scored) == (100, 12)


def test_a_tie_at_zero_error_keeps_the_champion() -> None:
    assert not challenge(0, 0, margin=0).promoted


def test_without_a_champion_the_challenger_is_promoted() -> None:
    verdict = challenge(100, None)
    assert verdict.promoted
    assert verdict.champion_mae is None
    assert "no champion" in verdict.reason


def test_hours_before_the_newest_do_not_count() -> None:
    assert challenge(1, 100, newest_hours=48).promoted
    assert not challenge(1, 100, newest_hours=88).promoted


def test_the_stored_champion_forecasts_as_it_is() -> None:
    values = seasonal(400)
    test = backtested(values, [DAY_NAIVE])
    member = forecaster.fit(values, DAY_NAIVE, first_hour=0, seasonality=SEASONS)
    champion = Forecaster((member,), np.ones(1), Spread(np.ones(1), np.ones(24), 1, 0, np.zeros(201), 20), 0.8, SEASONS)
    np.testing.assert_array_equal(gate.stored_forecasts(champion, grid(values), test), test.forecasts[0])


def test_a_champion_that_reaches_back_too_far_cannot_be_compared() -> None:
    values = seasonal(400)
    test = backtested(values, [DAY_NAIVE])
    deep = FittedRecipe(Recipe("deep", "seasonal_naive", Predictors((390,))), filter=np.eye(390)[-1])
    champion = Forecaster((deep,), np.ones(1), Spread(np.ones(1), np.ones(24), 1, 0, np.zeros(201), 20), 0.8, SEASONS)
    assert gate.stored_forecasts(champion, grid(values), test) is None

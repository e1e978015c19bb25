from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from actioncast.forecasting.recipes import ForecastError, Recipe
from actioncast.periods.axis import Cycles
from actioncast.periods.timeline import UTC_HOURS
from actioncast.training import backtest, metrics
from actioncast.training.clean import clean
from actioncast.training.work import work_of
from tests.support.series import SEASONS, grid, seasonal, with_gaps
from tests.support.training import DAY, DAY_NAIVE, WEEK_NAIVE, backtested, ignore
from utils import Predictors


@pytest.mark.parametrize(("hours", "horizon"), [(80, 168), (504, 168), (1130, 24), (1130, 1), (17_500, 168)])
def test_the_plan_ends_where_the_newest_hour_can_still_be_scored(hours: int, horizon: int) -> None:
    plan = backtest.plan(hours, horizon=horizon, longest=24 * 60, cycles=Cycles(UTC_HOURS))
    origins = plan.origins
    assert hours - origins[-1] <= horizon
    assert origins[0] >= 0.6 * hours - 1
    assert len(origins) >= min(60, hours // 8)
    assert 1 <= (origins[-1] - origins[0]) // plan.refit_periods + 1 <= backtest.REFITS


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


def test_the_last_folds_are_cut_to_the_hours_that_exist() -> None:
    test = backtested(seasonal(600), [DAY_NAIVE], horizon=168)
    scored = np.count_nonzero(~np.isnan(test.actual), axis=1)
    assert scored[0] == 168
    assert scored[-1] == 24  # a day


def test_a_recipe_that_cannot_be_fitted_is_left_out() -> None:
    deep = Recipe("deep", "ridge", Predictors((1, 168)))
    test = backtested(seasonal(200), [WEEK_NAIVE, DAY_NAIVE, deep])
    assert [recipe.name for recipe in test.recipes] == ["seasonal_naive_24"]
    assert test.skipped["deep"].startswith("needs 60 known hours beyond the 168 it looks back on")


def test_when_the_budget_is_spent_the_rest_is_skipped_but_not_the_naive() -> None:
    test = backtest.backtest(
        clean(grid(seasonal(400)), SEASONS),
        [DAY, DAY_NAIVE],
        horizon=24,
        longest=24 * 60,
        watch=ignore,
        budget=0,
    )
    assert [recipe.name for recipe in test.recipes] == ["seasonal_naive_24"]
    assert test.skipped == {"day": "work of 0.0, and 0.0 is left of train.budget"}


def test_the_budget_counts_work_and_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a recipe takes, the same ones are tried."""

    def tried(seconds_each: float) -> list[str]:
        clock = itertools.count(0, seconds_each)
        monkeypatch.setattr("time.perf_counter", lambda: next(clock))
        recipes = [DAY, replace(DAY, name="again"), replace(DAY, name="once more"), DAY_NAIVE]
        series = clean(grid(seasonal(400)), SEASONS)
        folds = backtest.plan(len(series), horizon=24, longest=24 * 60, cycles=series.cycles)
        budget = 2.5 * work_of(DAY, folds.amount_of(DAY))
        test = backtest.backtest(series, recipes, horizon=24, longest=24 * 60, watch=ignore, budget=budget)
        return [recipe.name for recipe in test.recipes]

    assert tried(0.0) == ["day", "again", "seasonal_naive_24"]
    assert tried(0.001) == tried(0.0)


def test_a_machine_far_too_slow_is_said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0, 1000)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    series = clean(grid(seasonal(400)), SEASONS)
    test = backtest.backtest(series, [DAY, DAY_NAIVE], horizon=24, longest=24 * 60, watch=ignore, budget=40)
    assert test.skipped == {"day": "this machine took over 15 times as long as train.budget allows"}
    assert "candidates are skipped" in caplog.text


def test_a_season_longer_than_the_history_is_said() -> None:
    with pytest.raises(ForecastError, match="80 hours are too few for a season of 168;"):
        backtested(seasonal(80), [WEEK_NAIVE], seasons=(168,))


def test_a_missing_hour_is_not_scored() -> None:
    test = backtested(with_gaps(seasonal(400), every=10), [DAY_NAIVE])
    assert np.isnan(test.actual).any()
    assert np.isfinite(test.forecasts).all()
    assert np.isfinite(metrics.mae(test.forecasts[0], test.actual))


def test_the_forest_of_the_grid_is_the_one_that_errs_least(monkeypatch: pytest.MonkeyPatch) -> None:
    stump = {"n_estimators": 3, "max_depth": 1}
    deep = {"n_estimators": 3, "max_depth": 8}
    monkeypatch.setattr(backtest, "FOREST_GRID", (stump, deep))
    recipe = Recipe("forest", "random_forest", Predictors((1, 2, 24)), parameters={"random_state": 1})
    tuned = backtest.tune_forest(recipe, clean(grid(seasonal(300)), SEASONS))
    assert tuned.parameters == {"random_state": 1, **deep}

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from actioncast.forecasting import linear
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import predict
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.timeline import UTC_HOURS
from tests.support.fitting import CALENDAR, DAY, TEN_LAGS, ahead
from tests.support.reference import skforecast_ahead
from tests.support.series import seasonal
from utils import Predictors

RECIPES = [
    Recipe(f"{loss}_{log}_{difference}", "ridge", DAY, log=log, difference=difference, loss=loss)
    for loss, log, difference in itertools.product(("squared", "absolute"), (False, True), (0, 1))
] + [
    Recipe("window_mean", "ridge", TEN_LAGS, difference=1, loss="squared"),
    Recipe("calendar", "ridge", Predictors(DAY.lags, calendar=CALENDAR), loss="squared", alpha=0.3),
    Recipe("calendar_log", "ridge", Predictors(DAY.lags, calendar=CALENDAR), log=True, alpha=1.0),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_forecasts_are_those_of_skforecast(recipe: Recipe) -> None:
    values = seasonal(700)
    origins = [600, 631, 700]
    ours = ahead(values, recipe, 48, origins)
    theirs = skforecast_ahead(values, recipe, 48, origins)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8 * values.mean())


def test_ridge_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 5))
    y = random.normal(size=80)
    weights = random.uniform(0.5, 2, 80)
    reference = Ridge(alpha=0.7).fit(x, y, sample_weight=weights)
    coefficients, intercept = linear.solve_ridge(x, y, 0.7, weights)
    np.testing.assert_allclose(coefficients, reference.coef_, atol=1e-10)
    assert intercept == pytest.approx(reference.intercept_, abs=1e-10)


def test_absolute_loss_follows_the_median_not_the_outlier() -> None:
    x = np.arange(50.0)[:, None]
    y = 2 * np.arange(50.0)
    y[-1] = 10_000
    coefficients, _ = linear.solve_absolute(x, y, 1e-6)
    assert coefficients[0] == pytest.approx(2, abs=0.01)


# The recursion, by hand --------------------------------------------------------------------------------------------


def test_a_filter_feeds_its_forecasts_back() -> None:
    recipe = Recipe("hand", "ridge", Predictors((1, 2)))
    weights = np.array([0.5, 0.25])
    fitted = FittedRecipe(recipe, low=0, high=100, filter=weights, intercept=np.array([1.0]))
    path = predict(fitted, np.array([4.0, 8.0]), np.array([2]), 3, axis=Axis(UTC_HOURS, 0))
    np.testing.assert_allclose(path, [[1 + 4 + 1, 1 + 3 + 2, 1 + 3 + 1.5]])


def test_the_intercept_follows_the_phase_of_the_week() -> None:
    recipe = Recipe("hand", "ridge", Predictors((1,), calendar=("hour_of_week",)))
    intercept = np.arange(168.0)
    fitted = FittedRecipe(recipe, low=0, high=400, filter=np.zeros(1), intercept=intercept)
    path = predict(fitted, np.zeros(10), np.array([4, 9]), 3, axis=Axis(UTC_HOURS, 160))
    np.testing.assert_array_equal(path, [[164, 165, 166], [1, 2, 3]])


def test_differences_are_added_up_on_the_way() -> None:
    recipe = Recipe("trend", "ridge", Predictors((1,)), difference=1)
    path = ahead(np.arange(100.0) + 5, recipe, 4)
    np.testing.assert_allclose(path, [[105, 106, 107, 108]], rtol=1e-6)

from __future__ import annotations

import numpy as np
import pytest

from actioncast.forecasting.features import TrainingPeriods, fill_missing
from actioncast.forecasting.recipes import Recipe
from actioncast.forecasting.trees import recursive
from actioncast.periods.axis import Axis
from actioncast.periods.timeline import UTC_HOURS
from tests.support.fitting import BOOSTING, DAY, FIRST_HOUR, FOREST, NAN, TEN_LAGS, ahead
from tests.support.reference import skforecast_ahead
from tests.support.series import SEASONS, seasonal
from utils import create_predictors

RECIPES = [
    Recipe("forest", "random_forest", TEN_LAGS, parameters=FOREST),
    Recipe("forest_diff1", "random_forest", TEN_LAGS, difference=1, parameters=FOREST),
    Recipe("boosting", "lightgbm", create_predictors(SEASONS)["trees"], parameters=BOOSTING),
    Recipe("boosting_diff1", "lightgbm", DAY, difference=1, parameters=BOOSTING),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_forecasts_are_those_of_skforecast(recipe: Recipe) -> None:
    values = seasonal(700)
    origins = [600, 631, 700]
    ours = ahead(values, recipe, 48, origins)
    theirs = skforecast_ahead(values, recipe, 48, origins)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8 * values.mean())


def test_a_tree_does_not_learn_a_missing_hour() -> None:
    values = seasonal(300)
    values[150] = NAN
    recipe = Recipe("trees", "random_forest", TEN_LAGS)
    filled = fill_missing(values, SEASONS)
    training = TrainingPeriods(filled, ~np.isnan(values), Axis(UTC_HOURS, FIRST_HOUR), np.zeros((300, 0)))
    _, y = recursive.training_matrices(recipe, training)
    assert len(y) == 300 - 20 - 1

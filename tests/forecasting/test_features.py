from __future__ import annotations

import numpy as np
import pytest

from actioncast.forecasting import features
from actioncast.forecasting.features import TrainingPeriods, fill_missing
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.timeline import UTC_HOURS
from tests.support.fitting import FIRST_HOUR, NAN
from tests.support.series import SEASONS, seasonal
from utils import Predictors


def test_a_missing_hour_takes_the_value_of_the_season_before_never_a_later_one() -> None:
    values = np.array([1.0, 2, NAN, NAN, 5, 6, 7])
    np.testing.assert_array_equal(fill_missing(values, (2, 4)), [1, 2, 1, 2, 5, 6, 7])
    np.testing.assert_array_equal(fill_missing(np.array([1.0, 2, NAN]), (24, 168)), [1, 2, 2])
    np.testing.assert_array_equal(fill_missing(np.array([NAN, 7.0]), (24, 168)), [7, 7])


def test_a_row_holds_lags_windows_calendar_and_terms_in_this_order() -> None:
    predictors = Predictors((1, 3), windows=(2,), calendar=("weekday",))
    history = np.array([[1.0, 2, 4]])
    weekday = features.calendar_table(("weekday",), 168)[[25]]
    row = features.feature_matrix(history, weekday, predictors, np.array([[9.0]]))
    np.testing.assert_array_equal(row, [[4, 1, 3, 0, 1, 0, 0, 0, 0, 0, 9]])


def test_a_difference_leaves_the_first_levels_out() -> None:
    levels = np.array([[1.0, 2, 4, 7]])
    np.testing.assert_array_equal(features.difference(levels, 2), [[3, 5]])
    np.testing.assert_array_equal(features.difference(levels, 0), levels)


@pytest.mark.parametrize("difference", [0, 1, 24])
def test_a_missing_hour_is_never_a_target(difference: int) -> None:
    values = seasonal(300)
    values[[80, 150, 151]] = NAN
    recipe = Recipe("day", "ridge", Predictors((1, 2, 24)), difference=difference)
    filled = fill_missing(values, SEASONS)
    filled[[80, 150, 151]] = 1e6  # were it learned from, it would show
    training = TrainingPeriods(filled, ~np.isnan(values), Axis(UTC_HOURS, FIRST_HOUR), np.zeros((300, 0)))
    x, y = features.training_rows(recipe, training)
    assert np.abs(y).max() < 1e3
    assert len(x) == len(y)

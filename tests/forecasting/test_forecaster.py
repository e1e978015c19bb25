from __future__ import annotations

import numpy as np
import pytest

from actioncast.forecasting import forecaster
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster, predict
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import ForecastError, Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.timeline import UTC_HOURS
from tests.support.fitting import CALENDAR, DAY, FIRST_HOUR, NAN, ahead, fit_on
from tests.support.series import SEASONS, grid, seasonal
from utils import Predictors

EXACT = Spread(np.ones(1), np.ones(24), 1.0, 0.0, np.zeros(201), 20.0)


def naive(season: int) -> Recipe:
    return Recipe("naive", "seasonal_naive", Predictors((season,)))


def one_member(member: FittedRecipe) -> Forecaster:
    return Forecaster((member,), np.ones(1), EXACT, 0.8, SEASONS)


# Fit and predict ---------------------------------------------------------------------------------------------------


def test_a_seasonal_naive_repeats_the_season() -> None:
    path = ahead(np.array([9.0, 1, 2, 3]), naive(3), 5)
    np.testing.assert_array_equal(path, [[1, 2, 3, 1, 2]])


def test_a_series_whose_value_is_its_own_hour_goes_on() -> None:
    hours = FIRST_HOUR + np.arange(400.0)
    recipe = Recipe("line", "ridge", Predictors((1, 24)), difference=24)
    path = ahead(hours, recipe, 168)[0]
    np.testing.assert_allclose(path, FIRST_HOUR + 400 + np.arange(168), rtol=1e-9)


@pytest.mark.parametrize("family", ["ridge", "lightgbm", "random_forest"])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9])
def test_a_constant_series_stays_constant(family: str, constant: float) -> None:
    predictors = Predictors((1, 2, 24), calendar=("hour",))
    for log in (False, True):
        path = ahead(np.full(300, constant), Recipe("flat", family, predictors, log=log), 48)
        np.testing.assert_allclose(path, constant, rtol=1e-9, atol=1e-9)


def test_only_the_newest_half_year_is_learned_from() -> None:
    old = seasonal(1000, level=1e6, seed=1)
    new = seasonal(forecaster.NEWEST_ROWS + 200, seed=2)
    values = np.concatenate([old, new])
    recipe = Recipe("day", "ridge", Predictors((1, 24)))
    with_calendar = Recipe("day", "ridge", Predictors((1, 24), calendar=CALENDAR))
    assert fit_on(values, recipe).high < 1e3
    newest = values[-(forecaster.NEWEST_ROWS + 24) :]
    assert ahead(values, with_calendar, 24) == pytest.approx(ahead(newest, recipe, 24), rel=0.2)


# Range, sign, size -------------------------------------------------------------------------------------------------


def test_an_unstable_recursion_stays_near_what_was_seen() -> None:
    recipe = Recipe("wild", "ridge", Predictors((1,)))
    fitted = FittedRecipe(recipe, low=0, high=10, filter=np.array([3.0]))
    path = predict(fitted, np.array([5.0]), np.array([1]), 2000, axis=Axis(UTC_HOURS, 0))
    assert path.max() == 15
    assert np.isfinite(path).all()


def test_a_level_shift_after_training_is_followed() -> None:
    shifted = np.concatenate([seasonal(300), seasonal(48, level=1000)])
    fitted = fit_on(shifted[:300], naive(24))
    path = predict(fitted, shifted, np.array([348]), 24, axis=Axis(UTC_HOURS, FIRST_HOUR))
    np.testing.assert_allclose(path[0], shifted[-24:])


@pytest.mark.parametrize("log", [False, True])
def test_a_series_that_is_never_negative_is_never_forecast_below_zero(log: bool) -> None:
    values = np.maximum(seasonal(500, level=5), 0)
    recipe = Recipe("day", "ridge", DAY, log=log)
    assert ahead(values, recipe, 168).min() >= 0


def test_an_outage_after_training_does_not_drown_the_logs() -> None:
    values = seasonal(600)
    values[590] = 0.0  # the training has seen none
    path = ahead(values, Recipe("day", "ridge", DAY, log=True), 24, [580, 600])[1]
    assert path.min() > 30


# The forecast ------------------------------------------------------------------------------------------------------


def test_a_blend_is_the_weighted_mean_of_its_members() -> None:
    values = seasonal(400)
    members = tuple(fit_on(values, naive(season)) for season in SEASONS)
    blend = Forecaster(members, np.array([0.25, 0.75]), EXACT, 0.8, SEASONS)
    middle = forecaster.forecast(blend, grid(values), 24).prediction
    np.testing.assert_allclose(middle, 0.25 * values[-24:] + 0.75 * values[-168:-144])


def test_too_few_hours_to_look_back_on_is_said() -> None:
    weekly = one_member(fit_on(seasonal(200), naive(168)))
    with pytest.raises(ForecastError, match=r"100 hours up to 2022-01-07 03:00Z are stored, .* looks back on 168"):
        forecaster.forecast(weekly, grid(seasonal(100)), 24)


def test_mostly_gaps_is_said() -> None:
    values = seasonal(200)
    daily = one_member(fit_on(values, naive(24)))
    values[-23:-1] = NAN
    with pytest.raises(ForecastError, match="92% of the last 24 hours are missing"):
        forecaster.forecast(daily, grid(values), 24)

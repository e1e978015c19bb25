from __future__ import annotations

import itertools
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from skforecast.preprocessing import RollingFeatures
from skforecast.recursive import ForecasterRecursive
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from actioncast.forecasting import features, forecaster, linear, recipes
from actioncast.forecasting.features import fill_missing
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster, fit, predict
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import ForecastError, Recipe
from actioncast.times import HOUR, to_seconds
from tests.support.series import SEASONS, START, grid, seasonal
from utils import Predictors, create_predictors

NAN = float("nan")
FIRST_HOUR = to_seconds(START) // HOUR
CALENDAR = ("hour", "weekday", "hour_of_week")
TEN_LAGS = Predictors(tuple(range(1, 11)), windows=(20,))
FOREST = {"n_estimators": 20, "max_leaf_nodes": 40, "random_state": 1}
BOOSTING = {"n_estimators": 30, "num_leaves": 15, "min_child_samples": 10, "random_state": 1}
EXACT = Spread(np.ones(1), np.ones(24), 1.0, 0.0, np.zeros(201), 20.0)


def fitted(values: NDArray[np.float64], recipe: Recipe) -> FittedRecipe:
    return fit(values, recipe, first_hour=FIRST_HOUR, seasonality=SEASONS)


def ahead(
    values: NDArray[np.float64], recipe: Recipe, horizon: int, origins: list[int] | None = None
) -> NDArray[np.float64]:
    """[origins, horizon] by a fit on the values up to the first origin (default: their end)."""
    origins = origins or [len(values)]
    model = fitted(values[: origins[0]], recipe)
    return predict(model, fill_missing(values, SEASONS), np.array(origins), horizon, first_hour=FIRST_HOUR)


def one_member(member: FittedRecipe) -> Forecaster:
    return Forecaster((member,), np.ones(1), EXACT, 0.8, SEASONS)


# The same numbers as skforecast ------------------------------------------------------------------------------------


class AbsoluteRidge(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """solve_absolute as a scikit-learn estimator, so that skforecast can drive it."""

    def __init__(self, alpha: float = 0.1) -> None:
        self.alpha = alpha

    def fit(self, X: Any, y: Any) -> AbsoluteRidge:  # noqa: N803
        self.coef_, self.intercept_ = linear.solve_absolute(np.asarray(X), np.asarray(y), self.alpha)
        self.n_features_in_ = np.shape(X)[1]
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        return np.asarray(np.asarray(X) @ self.coef_ + self.intercept_)


def estimator_of(recipe: Recipe) -> Any:
    match recipe.estimator, recipe.loss:
        case "ridge", "squared":
            return Ridge(alpha=recipe.alpha)
        case "ridge", _:
            return AbsoluteRidge(alpha=recipe.alpha)
        case "random_forest", _:
            return RandomForestRegressor(**recipe.parameters)
    return lightgbm.LGBMRegressor(**recipe.parameters, n_jobs=1, verbose=-1)


def skforecast_ahead(
    values: NDArray[np.float64], recipe: Recipe, horizon: int, origins: list[int]
) -> NDArray[np.float64]:
    """The forecasts that ForecasterRecursive makes from the same origins, fitted up to the first of them."""
    index = pd.date_range(START.replace(tzinfo=None), periods=len(values) + horizon, freq="h")
    y = pd.Series(values, index=index[: len(values)])
    scaler = make_pipeline(FunctionTransformer(np.log, np.exp), StandardScaler()) if recipe.log else StandardScaler()
    exog = None
    if calendar := recipe.predictors.calendar:
        terms = features.calendar_table(calendar)[(FIRST_HOUR + np.arange(len(index))) % 168]
        exog = pd.DataFrame(terms, index=index).add_prefix("term_")
    sizes = list(recipe.predictors.windows)
    reference = ForecasterRecursive(
        estimator=estimator_of(recipe),
        lags=list(recipe.predictors.lags),
        window_features=RollingFeatures(stats=["mean"] * len(sizes), window_sizes=sizes) if sizes else None,
        transformer_y=scaler,
        differentiation=recipe.difference or None,
    )
    end = origins[0]
    reference.fit(y=y[:end], exog=None if exog is None else exog[:end])
    return np.array(
        [
            reference.predict(horizon, last_window=y[:o], exog=None if exog is None else exog[o : o + horizon])
            for o in origins
        ]
    )


DAY = create_predictors(SEASONS)["day"]
LINEAR = [
    Recipe(f"{loss}_{log}_{difference}", "ridge", DAY, log=log, difference=difference, loss=loss)
    for loss, log, difference in itertools.product(("squared", "absolute"), (False, True), (0, 1))
]
OTHERS = [
    Recipe("window_mean", "ridge", TEN_LAGS, difference=1, loss="squared"),
    Recipe("calendar", "ridge", Predictors(DAY.lags, calendar=CALENDAR), loss="squared", alpha=0.3),
    Recipe("calendar_log", "ridge", Predictors(DAY.lags, calendar=CALENDAR), log=True, alpha=1.0),
    Recipe("forest", "random_forest", TEN_LAGS, parameters=FOREST),
    Recipe("forest_diff1", "random_forest", TEN_LAGS, difference=1, parameters=FOREST),
    Recipe("boosting", "lightgbm", create_predictors(SEASONS)["trees"], parameters=BOOSTING),
    Recipe("boosting_diff1", "lightgbm", DAY, difference=1, parameters=BOOSTING),
]


@pytest.mark.parametrize("recipe", [*LINEAR, *OTHERS], ids=lambda recipe: recipe.name)
def test_forecasts_are_those_of_skforecast(recipe: Recipe) -> None:
    values = seasonal(700)
    origins = [600, 631, 700]
    ours, theirs = ahead(values, recipe, 48, origins), skforecast_ahead(values, recipe, 48, origins)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8 * values.mean())


def test_ridge_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    x, y, weights = random.normal(size=(80, 5)), random.normal(size=80), random.uniform(0.5, 2, 80)
    reference = Ridge(alpha=0.7).fit(x, y, sample_weight=weights)
    coefficients, intercept = linear.solve_ridge(x, y, 0.7, weights)
    np.testing.assert_allclose(coefficients, reference.coef_, atol=1e-10)
    assert intercept == pytest.approx(reference.intercept_, abs=1e-10)


def test_absolute_loss_follows_the_median_not_the_outlier() -> None:
    x, y = np.arange(50.0)[:, None], 2 * np.arange(50.0)
    y[-1] = 10_000
    coefficients, _ = linear.solve_absolute(x, y, 1e-6)
    assert coefficients[0] == pytest.approx(2, abs=0.01)


# The recursion, by hand --------------------------------------------------------------------------------------------


def test_a_filter_feeds_its_forecasts_back() -> None:
    recipe = Recipe("hand", "ridge", Predictors((1, 2)))
    model = FittedRecipe(recipe, low=0, high=100, filter=np.array([0.5, 0.25]), intercept=np.array([1.0]))
    path = predict(model, np.array([4.0, 8.0]), np.array([2]), 3, first_hour=0)
    np.testing.assert_allclose(path, [[1 + 4 + 1, 1 + 3 + 2, 1 + 3 + 1.5]])


def test_the_intercept_follows_the_phase_of_the_week() -> None:
    recipe = Recipe("hand", "ridge", Predictors((1,), calendar=("hour_of_week",)))
    model = FittedRecipe(recipe, low=0, high=400, filter=np.zeros(1), intercept=np.arange(168.0))
    path = predict(model, np.zeros(10), np.array([4, 9]), 3, first_hour=160)
    np.testing.assert_array_equal(path, [[164, 165, 166], [1, 2, 3]])


def test_differences_are_added_up_on_the_way() -> None:
    recipe = Recipe("trend", "ridge", Predictors((1,)), difference=1)
    np.testing.assert_allclose(ahead(np.arange(100.0) + 5, recipe, 4), [[105, 106, 107, 108]], rtol=1e-6)


def test_a_seasonal_naive_repeats_the_season() -> None:
    recipe = Recipe("naive", "seasonal_naive", Predictors((3,)))
    np.testing.assert_array_equal(ahead(np.array([9.0, 1, 2, 3]), recipe, 5), [[1, 2, 3, 1, 2]])


def test_a_series_whose_value_is_its_own_hour_goes_on() -> None:
    hours = FIRST_HOUR + np.arange(400.0)
    recipe = Recipe("line", "ridge", Predictors((1, 24)), difference=24)
    np.testing.assert_allclose(ahead(hours, recipe, 168)[0], FIRST_HOUR + 400 + np.arange(168), rtol=1e-9)


# Missing hours -----------------------------------------------------------------------------------------------------


def test_a_missing_hour_takes_the_value_of_the_season_before_never_a_later_one() -> None:
    values = np.array([1.0, 2, NAN, NAN, 5, 6, 7])
    np.testing.assert_array_equal(fill_missing(values, (2, 4)), [1, 2, 1, 2, 5, 6, 7])
    np.testing.assert_array_equal(fill_missing(np.array([1.0, 2, NAN]), (24, 168)), [1, 2, 2])
    np.testing.assert_array_equal(fill_missing(np.array([NAN, 7.0]), (24, 168)), [7, 7])


@pytest.mark.parametrize("difference", [0, 1, 24])
def test_a_missing_hour_is_never_a_target(difference: int) -> None:
    values = seasonal(300)
    values[[80, 150, 151]] = NAN
    recipe = Recipe("day", "ridge", Predictors((1, 2, 24)), difference=difference)
    filled = fill_missing(values, SEASONS)
    filled[[80, 150, 151]] = 1e6  # were it learned from, it would show
    x, y = features.training_rows(filled, ~np.isnan(values), FIRST_HOUR, recipe, np.zeros((300, 0)))
    assert np.abs(y).max() < 1e3
    assert len(x) == len(y)


def test_a_tree_does_not_learn_a_missing_hour_either() -> None:
    values = seasonal(300)
    values[150] = NAN
    recipe = Recipe("trees", "random_forest", TEN_LAGS)
    _, y = features.matrices(fill_missing(values, SEASONS), ~np.isnan(values), FIRST_HOUR, recipe, np.zeros((300, 0)))
    assert len(y) == 300 - 20 - 1


# Range, sign, size -------------------------------------------------------------------------------------------------


def test_an_unstable_recursion_stays_near_what_was_seen() -> None:
    recipe = Recipe("wild", "ridge", Predictors((1,)))
    model = FittedRecipe(recipe, low=0, high=10, filter=np.array([3.0]))
    path = predict(model, np.array([5.0]), np.array([1]), 2000, first_hour=0)
    assert path.max() == 15
    assert np.isfinite(path).all()


def test_a_level_shift_after_training_is_followed() -> None:
    recipe = Recipe("last", "seasonal_naive", Predictors((24,)))
    shifted = np.concatenate([seasonal(300), seasonal(48, level=1000)])
    path = predict(fitted(shifted[:300], recipe), shifted, np.array([348]), 24, first_hour=FIRST_HOUR)
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


def test_a_log_is_not_offered_to_negative_values_wherever_they_stand() -> None:
    values = seasonal(400)
    recipe = Recipe("day", "ridge", Predictors((1, 24)), log=True)
    assert not recipes.obstacle(values, recipe, before=300)
    values[390] = -1
    assert recipes.obstacle(values, recipe, before=300) == "there are negative values"


def test_a_short_history_also_gets_recipes_without_the_long_season() -> None:
    long, short = (recipes.recipes((24, 168), ["ridge"], seed=1, hours=hours) for hours in (505, 504))
    extra = {recipe.name for recipe in short} - {recipe.name for recipe in long}
    assert "ridge_short_day_diff24" in extra
    assert all(recipe.memory <= 48 for recipe in short if recipe.name in extra)


@pytest.mark.parametrize("family", ["ridge", "lightgbm", "random_forest"])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9])
def test_a_constant_series_stays_constant(family: str, constant: float) -> None:
    predictors = Predictors((1, 2, 24), calendar=("hour",))
    for log in (False, True):
        path = ahead(np.full(300, constant), Recipe("flat", family, predictors, log=log), 48)
        np.testing.assert_allclose(path, constant, rtol=1e-9, atol=1e-9)


def test_only_the_newest_half_year_is_learned_from() -> None:
    values = np.concatenate([seasonal(1000, level=1e6, seed=1), seasonal(features.NEWEST_ROWS + 200, seed=2)])
    recipe = Recipe("day", "ridge", Predictors((1, 24)))
    assert fitted(values, recipe).high < 1e3
    assert ahead(values, Recipe("day", "ridge", Predictors((1, 24), calendar=CALENDAR)), 24) == pytest.approx(
        ahead(values[-(features.NEWEST_ROWS + 24) :], recipe, 24), rel=0.2
    )


# Recipes -----------------------------------------------------------------------------------------------------------


def test_seasonal_naives_are_always_there() -> None:
    names = [recipe.name for recipe in recipes.recipes((24, 168), ["lightgbm"], seed=1, hours=1000)]
    assert names == ["seasonal_naive_168", "seasonal_naive_24", "lightgbm"]


def test_recipe_names_are_unique() -> None:
    for seasonality in [(24,), (24, 168), (12, 84)]:
        pool = recipes.recipes(seasonality, ["ridge", "random_forest", "lightgbm", "blend"], seed=1, hours=200)
        assert len({recipe.name for recipe in pool}) == len(pool)


def test_no_recipe_puts_the_calendar_under_a_difference() -> None:
    pool = recipes.recipes((24, 168), ["ridge"], seed=1, hours=1000)
    assert not [recipe.name for recipe in pool if recipe.difference and recipe.predictors.calendar]


# The forecast ------------------------------------------------------------------------------------------------------


def test_a_blend_is_the_weighted_mean_of_its_members() -> None:
    values = seasonal(400)
    members = tuple(fitted(values, Recipe("naive", "seasonal_naive", Predictors((s,)))) for s in SEASONS)
    blend = Forecaster(members, np.array([0.25, 0.75]), EXACT, 0.8, SEASONS)
    middle = forecaster.forecast(blend, grid(values), 24).prediction
    np.testing.assert_allclose(middle, 0.25 * values[-24:] + 0.75 * values[-168:-144])


def test_too_few_hours_to_look_back_on_is_said() -> None:
    naive = one_member(fitted(seasonal(200), Recipe("naive", "seasonal_naive", Predictors((168,)))))
    with pytest.raises(ForecastError, match=r"100 hours up to 2022-01-07 03:00Z are stored, .* looks back on 168"):
        forecaster.forecast(naive, grid(seasonal(100)), 24)


def test_mostly_gaps_is_said() -> None:
    values = seasonal(200)
    naive = one_member(fitted(values, Recipe("naive", "seasonal_naive", Predictors((24,)))))
    values[-23:-1] = NAN
    with pytest.raises(ForecastError, match="92% of the last 24 hours are missing"):
        forecaster.forecast(naive, grid(values), 24)

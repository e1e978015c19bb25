from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actioncast.forecasting import champion, forecaster
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import DIRECT, Recipe, recipe_pool
from actioncast.periods.axis import Axis
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.timeline import UTC_HOURS, timeline_of
from tests.support.series import SEASONS, grid, seasonal, with_gaps
from tests.training.test_calibration import SPREAD

LONG = seasonal(4000, noise=1.0)
HORIZON = 48


def recipe_of(horizon: int = HORIZON, columns: tuple[str, ...] = ()) -> Recipe:
    pool = recipe_pool(SEASONS, ["blend"], 1, periods=len(LONG), horizon=horizon, columns=columns)
    return next(recipe for recipe in pool if recipe.estimator == DIRECT)


@pytest.fixture(scope="module")
def fitted() -> FittedRecipe:
    return forecaster.fit(LONG[:3800], recipe_of(), axis=Axis(UTC_HOURS, 0), seasonality=SEASONS)


def test_it_forecasts_a_seasonal_series_nearly_as_well_as_its_noise_allows(fitted: FittedRecipe) -> None:
    origins = np.arange(3800, 3950, 7)
    ahead = forecaster.predict(fitted, LONG, origins, HORIZON, axis=Axis(UTC_HOURS, 0))
    actual = LONG[origins[:, None] + np.arange(HORIZON)]
    assert np.abs(ahead - actual).mean() < 2.0
    assert np.abs(LONG[168:] - LONG[:-168]).mean() > 1.0


def test_a_forecast_knows_nothing_from_its_origin_on(fitted: FittedRecipe) -> None:
    other = LONG.copy()
    other[3800:] += 50
    at = np.array([3800])
    same = [forecaster.predict(fitted, values, at, HORIZON, axis=Axis(UTC_HOURS, 0)) for values in (LONG, other)]
    assert same[0] == pytest.approx(same[1])


def test_the_stored_trees_are_those_of_lightgbm_and_need_no_lightgbm(fitted: FittedRecipe) -> None:
    assert fitted.booster
    at = np.array([3800, 3900])
    from_library = forecaster.predict(fitted, LONG, at, HORIZON, axis=Axis(UTC_HOURS, 0))
    from_arrays = forecaster.predict(replace(fitted, booster=""), LONG, at, HORIZON, axis=Axis(UTC_HOURS, 0))
    assert from_arrays == pytest.approx(from_library, abs=1e-8)


def test_it_fits_into_a_champion_without_the_text_of_the_booster(fitted: FittedRecipe) -> None:
    model = Forecaster((fitted,), np.ones(1), SPREAD, 0.8, SEASONS)
    numbers = champion.pack_numbers(model, DIRECT)
    assert len(numbers) < 100 * 1024
    assert b"booster" not in numbers


def test_gaps_are_no_targets_and_columns_are_used() -> None:
    column = np.random.default_rng(0).normal(size=len(LONG) + HORIZON)
    driven = with_gaps(LONG + 10 * column[: len(LONG)])
    recipe = recipe_of(columns=("wind",))
    axis = Axis(UTC_HOURS, 0)
    columns = {"wind": column}
    learned = forecaster.fit(driven[:3800], recipe, axis=axis, seasonality=SEASONS, columns=columns)
    clean = np.where(np.isnan(driven), LONG, driven)
    ahead = forecaster.predict(learned, clean, np.array([3850]), HORIZON, axis=axis, columns=columns)[0]
    actual = LONG[3850 : 3850 + HORIZON] + 10 * column[3850 : 3850 + HORIZON]
    assert np.abs(ahead - actual).mean() < 0.5 * np.abs(10 * column[3850 : 3850 + HORIZON]).mean()


def test_a_short_history_and_long_periods_have_none() -> None:
    def names(periods: int, horizon: int = HORIZON, frequency: str = "1h") -> list[str]:
        timeline = timeline_of(parse_frequency(frequency), "UTC", None)
        seasonality = (7, 364) if frequency == "1D" else SEASONS
        pool = recipe_pool(seasonality, ["blend"], 1, periods=periods, horizon=horizon, timeline=timeline)
        return [recipe.name for recipe in pool]

    assert DIRECT in names(16 * 168)
    assert DIRECT not in names(16 * 168 - 1)
    assert DIRECT not in names(16 * 168, horizon=0)
    assert DIRECT not in names(20 * 364, frequency="1D")


def test_a_longer_horizon_than_it_has_learned_is_still_forecast(fitted: FittedRecipe) -> None:
    model = Forecaster(
        (fitted,), np.ones(1), Spread(np.ones(24), np.ones(24), 1.0, 0.0, np.linspace(-1, 1, 201), 9.0), 0.8, SEASONS
    )
    made = forecaster.forecast(model, grid(LONG[:3000]), 400)
    assert np.isfinite(made.prediction).all()

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actioncast.forecasting import recipes
from actioncast.forecasting.recipes import Recipe, recipe_pool
from actioncast.periods.grid import Grid
from tests.support.series import START, seasonal
from utils import Predictors, create_predictors


def test_seasonal_naives_are_always_there() -> None:
    names = [recipe.name for recipe in recipe_pool((24, 168), ["lightgbm"], seed=1, periods=1000)]
    assert names == ["seasonal_naive_168", "seasonal_naive_24", "lightgbm"]


def test_recipe_names_are_unique() -> None:
    for seasonality in [(24,), (24, 168), (12, 84)]:
        families = ["ridge", "random_forest", "lightgbm", "blend"]
        pool = recipe_pool(seasonality, families, seed=1, periods=200, columns=["price"])
        assert len({recipe.name for recipe in pool}) == len(pool)


def test_no_recipe_puts_the_calendar_under_a_difference() -> None:
    pool = recipe_pool((24, 168), ["ridge"], seed=1, periods=1000)
    assert not [recipe.name for recipe in pool if recipe.difference and recipe.predictors.calendar]


def test_a_short_history_also_gets_recipes_without_the_long_season() -> None:
    long, short = (recipe_pool((24, 168), ["ridge"], seed=1, periods=hours) for hours in (505, 504))
    extra = {recipe.name for recipe in short} - {recipe.name for recipe in long}
    assert "ridge_short_day_diff24" in extra
    assert all(recipe.memory <= 48 for recipe in short if recipe.name in extra)


def test_ridges_with_columns_come_last_among_the_ridges() -> None:
    pool = recipe_pool((24, 168), ["ridge"], seed=1, periods=1000, columns=["price"])
    has_columns = [bool(recipe.predictors.exogenous) for recipe in pool]
    assert has_columns == sorted(has_columns)
    assert has_columns[-1]


def test_features_of_a_user_that_know_no_columns_still_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_seasons_alone(seasonality: Sequence[int]) -> dict[str, Predictors]:
        return create_predictors(seasonality)

    monkeypatch.setattr(recipes, "create_predictors", of_seasons_alone)
    assert recipe_pool((24, 168), ["ridge"], seed=1, periods=1000)


def test_a_log_is_not_offered_to_negative_values_wherever_they_stand() -> None:
    values = seasonal(400)
    recipe = Recipe("day", "ridge", Predictors((1, 24)), log=True)
    assert not recipes.obstacle(Grid(START, values), recipe, before=300)
    values[390] = -1
    assert recipes.obstacle(Grid(START, values), recipe, before=300) == "there are negative values"


def test_a_recipe_needs_hours_beyond_those_it_looks_back_on() -> None:
    recipe = Recipe("day", "ridge", Predictors((1, 24)))
    assert not recipes.obstacle(Grid(START, seasonal(400)), recipe, before=84)
    reason = recipes.obstacle(Grid(START, seasonal(400)), recipe, before=83)
    assert reason == "needs 60 known hours beyond the 24 it looks back on, the backtest starts after 83"

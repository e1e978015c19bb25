"""Recipes: what can be fitted to a series, and the pool of them that a training tries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actioncast.arrays import Values, np
from actioncast.errors import ActioncastError
from utils import Predictors, create_predictors

BLEND = "blend"
NAIVE = "seasonal_naive"
LONGEST_HORIZON = 24 * 92  # hours
SHORTEST_HISTORY = 72  # hours to learn from, at least
FEWEST_ROWS = 60  # hours that a recipe learns from, at least
FEW_SEASONS = 3  # a history with no more of its longest season also gets recipes without it
TREE_SETS = ("trees", "trees_exogenous", "tutorial")  # of LightGBM and of the random forest
BOOSTING = {
    "n_estimators": 100,
    "num_leaves": 15,
    "learning_rate": 0.08,
    "min_child_samples": 10,
}
# The tutorial's grid (100 or 500 trees of depth 3, 5 or 10), without the forests whose file is too
# large for git.
FOREST_GRID = (
    {"n_estimators": 100, "max_depth": 3},
    {"n_estimators": 100, "max_depth": 5},
    {"n_estimators": 500, "max_depth": 3},
)


class ForecastError(ActioncastError):
    """There is not enough to learn or to forecast from."""


@dataclass(frozen=True)
class Recipe:
    """What to fit: an estimator, its predictors and the transformations around it."""

    name: str
    estimator: str  # seasonal_naive | ridge | random_forest | lightgbm
    predictors: Predictors
    log: bool = False
    difference: int = 0  # lag of the difference: 0 none, 1 to the hour before, 24 to the day before
    loss: str = "absolute"  # of ridge: "absolute" aims at the median, "squared" at the mean
    alpha: float = 0.1  # of ridge: the penalty on standardised levels
    parameters: dict[str, Any] = field(default_factory=dict)  # of the tree estimators

    @property
    def memory(self) -> int:
        """Periods, after differencing, that one step looks back on."""
        return max((*self.predictors.lags, *self.predictors.windows))

    @property
    def reach(self) -> int:
        """Periods of history that one step needs."""
        return self.memory + self.difference


def recipe_pool(
    seasonality: Sequence[int],
    families: Iterable[str],
    seed: int,
    *,
    hours: int,
    columns: Sequence[str] = (),
) -> list[Recipe]:
    """The recipes of these families for a history of so many hours.

    Seasonal naives are always among them, the longest season first. `seasonality` is in hours,
    ascending; `columns` are the exogenous columns that recipes may use.
    """
    families = set(families)
    sets = _predictor_sets(seasonality, hours, columns)
    pool = [_seasonal_naive(season) for season in reversed(seasonality)]
    if families & {"ridge", "blend"}:
        pool += _ridges(seasonality, sets)
    if "random_forest" in families:
        pool.append(_random_forest(sets, seed))
    if "lightgbm" in families:
        pool.append(_boosting("lightgbm", sets["trees"], seed))
        if columns:
            pool.append(_boosting("lightgbm_exogenous", sets["trees_exogenous"], seed))
    return pool


def _predictor_sets(
    seasonality: Sequence[int],
    hours: int,
    columns: Sequence[str],
) -> dict[str, Predictors]:
    """The user's predictor sets; for a short history also those without its longest season."""
    # Without columns `create_predictors` gets one argument: a user's own version may take no more.
    sets = create_predictors(seasonality, columns) if columns else create_predictors(seasonality)
    if len(seasonality) > 1 and hours <= FEW_SEASONS * seasonality[-1]:
        short_sets = create_predictors(seasonality[:-1])
        sets |= {f"short_{name}": predictors for name, predictors in short_sets.items()}
    return sets


def _seasonal_naive(season: int) -> Recipe:
    return Recipe(f"seasonal_naive_{season}", "seasonal_naive", Predictors((season,)))


def _random_forest(sets: Mapping[str, Predictors], seed: int) -> Recipe:
    return Recipe(
        name="random_forest",
        estimator="random_forest",
        predictors=sets["tutorial"],
        parameters={"random_state": seed},
    )


def _boosting(name: str, predictors: Predictors, seed: int) -> Recipe:
    return Recipe(
        name=name,
        estimator="lightgbm",
        predictors=predictors,
        parameters={**BOOSTING, "random_state": seed},
    )


def _ridges(seasonality: Sequence[int], sets: Mapping[str, Predictors]) -> list[Recipe]:
    """Ridge recipes on every predictor set, with and without log.

    There are many of them because a blend lives from the diversity of its members.
    """
    pool: list[Recipe] = []
    for log in (False, True):
        for name, predictors in sets.items():
            if name.removeprefix("short_") in TREE_SETS:
                continue
            label = f"ridge_{name}_log" if log else f"ridge_{name}"
            if predictors.calendar:
                pool += _calendar_ridges(label, predictors, log)
            else:
                pool += _autoregressions(label, predictors, log, seasonality)
    # Recipes with columns come last: they are the ones that a tight training budget may leave out.
    return sorted(pool, key=lambda recipe: bool(recipe.predictors.exogenous))


def _calendar_ridges(label: str, predictors: Predictors, log: bool) -> list[Recipe]:
    """Under both losses, or under squares alone when there are columns.

    None has a difference: it would add up the hourly drifts of calendar terms over the horizon.
    """
    squared = Recipe(
        name=f"{label}_squared",
        estimator="ridge",
        predictors=predictors,
        log=log,
        loss="squared",
        alpha=0.3,
    )
    if predictors.exogenous:
        return [squared]
    return [Recipe(label, "ridge", predictors, log=log, alpha=1.0), squared]


def _autoregressions(
    label: str,
    predictors: Predictors,
    log: bool,
    seasonality: Sequence[int],
) -> list[Recipe]:
    """Without a difference and, unless there are columns, with several.

    The differences are those to the hour before and to one season before, for each season.
    """
    differences = (0,) if predictors.exogenous else (0, 1, *seasonality)
    unique = dict.fromkeys(differences)
    pool = []
    for lag in unique:
        name = f"{label}_diff{lag}" if lag else label
        pool.append(Recipe(name, "ridge", predictors, log=log, difference=lag))
    return pool


def obstacle(values: Values, recipe: Recipe, *, before: int) -> str:
    """Why the recipe cannot be fitted on values[:before]; empty when it can."""
    if recipe.log and np.nanmin(values) < 0:
        return "there are negative values"
    fewest_rows = 0
    if recipe.estimator != "seasonal_naive":
        fewest_rows = max(FEWEST_ROWS, len(recipe.predictors.lags))
    targets = values[recipe.reach : before]
    rows = int(np.count_nonzero(~np.isnan(targets)))
    if before < recipe.reach or rows < fewest_rows:
        return (
            f"needs {fewest_rows} known hours beyond the {recipe.reach} it looks back on, "
            f"the backtest starts after {before}"
        )
    return ""

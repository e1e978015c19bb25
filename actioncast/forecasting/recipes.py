"""Recipes: what can be fitted to a series, the pool of candidates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actioncast.arrays import Values, np
from actioncast.errors import ActioncastError
from utils import Predictors, create_predictors

BLEND, NAIVE = "blend", "seasonal_naive"
WEEK = 168
LONGEST_HORIZON = 24 * 92  # hours
TREE_SETS = ("trees", "trees_exogenous", "tutorial")  # predictor sets of LightGBM and of the random forest
NO_COLUMNS: Mapping[str, Values] = {}
FEWEST_ROWS = 60  # hours that a recipe learns from, at least
FEW_SEASONS = 3  # a history that holds its longest season no more often also gets recipes without it
SHORTEST_HISTORY = 72  # hours to learn from, at least
# The tutorial's grid (100 or 500 trees of depth 3, 5 or 10) as far as the file of such a forest may lie in git.
FOREST_GRID = (
    {"n_estimators": 100, "max_depth": 3},
    {"n_estimators": 100, "max_depth": 5},
    {"n_estimators": 500, "max_depth": 3},
)
BOOSTING = {"n_estimators": 100, "num_leaves": 15, "learning_rate": 0.08, "min_child_samples": 10}


class ForecastError(ActioncastError):
    """There is not enough to learn or to forecast from."""


@dataclass(frozen=True)
class Recipe:
    """What to fit: an estimator, its predictors and the transformations around it.

    `difference` is the lag of the difference (0 none, 1 to the hour before, 24 to the day before); `alpha` the ridge
    penalty on standardised levels; `parameters` those of the tree estimators.
    """

    name: str
    estimator: str  # seasonal_naive | ridge | random_forest | lightgbm
    predictors: Predictors
    log: bool = False
    difference: int = 0
    loss: str = "absolute"  # of ridge: "absolute" aims at the median, "squared" is scikit-learn's Ridge
    alpha: float = 0.1
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def memory(self) -> int:
        """Hours, after differencing, that one step looks back on."""
        return max((*self.predictors.lags, *self.predictors.windows))

    @property
    def reach(self) -> int:
        """Hours of history that one step needs."""
        return self.memory + self.difference


def recipes(
    seasonality: Sequence[int], families: Iterable[str], seed: int, *, hours: int, columns: Sequence[str] = ()
) -> list[Recipe]:
    """The recipes of the wanted families for so many hours of history; seasonal naives always, the longest first."""
    wanted = set(families)
    sets = create_predictors(seasonality, columns) if columns else create_predictors(seasonality)
    if len(seasonality) > 1 and hours <= FEW_SEASONS * seasonality[-1]:
        sets |= {f"short_{name}": predictors for name, predictors in create_predictors(seasonality[:-1]).items()}
    pool = [Recipe(f"seasonal_naive_{s}", "seasonal_naive", Predictors((s,))) for s in reversed(seasonality)]
    if wanted & {"ridge", "blend"}:
        pool += _ridges(seasonality, sets)
    if "random_forest" in wanted:
        pool.append(Recipe("random_forest", "random_forest", sets["tutorial"], parameters={"random_state": seed}))
    if "lightgbm" in wanted:
        for name in ("lightgbm", "lightgbm_exogenous") if columns else ("lightgbm",):
            predictors = sets[name.replace("lightgbm", "trees")]
            pool.append(Recipe(name, "lightgbm", predictors, parameters={**BOOSTING, "random_state": seed}))
    return pool


def _ridges(seasonality: Sequence[int], sets: dict[str, Predictors]) -> list[Recipe]:
    """Every predictor set with and without log and, without calendar terms, with several differences: a blend lives
    from their diversity. (Calendar terms under a difference add up their hourly drifts over the horizon.)"""
    pool = []
    for log in (False, True):
        for name, predictors in sets.items():
            label = f"ridge_{name}{'_log' if log else ''}"
            if name.removeprefix("short_") in TREE_SETS:
                continue
            if predictors.calendar:
                if not predictors.exogenous:
                    pool.append(Recipe(label, "ridge", predictors, log=log, alpha=1.0))
                pool.append(Recipe(f"{label}_squared", "ridge", predictors, log=log, loss="squared", alpha=0.3))
                continue
            for lag in dict.fromkeys((0, 1, *seasonality)) if not predictors.exogenous else (0,):
                pool.append(
                    Recipe(f"{label}{f'_diff{lag}' if lag else ''}", "ridge", predictors, log=log, difference=lag)
                )
    return sorted(pool, key=lambda recipe: bool(recipe.predictors.exogenous))  # what the budget may leave out is last


def obstacle(values: Values, recipe: Recipe, *, before: int) -> str:
    """Why the recipe cannot be fitted on values[:before]; empty when it can."""
    if recipe.log and np.nanmin(values) < 0:
        return "there are negative values"
    naive = recipe.estimator == "seasonal_naive"
    wanted = 0 if naive else max(FEWEST_ROWS, len(recipe.predictors.lags))
    rows = int(np.count_nonzero(~np.isnan(values[recipe.reach : before])))
    if before < recipe.reach or rows < wanted:
        return (
            f"needs {wanted} known hours beyond the {recipe.reach} it looks back on, the backtest starts after {before}"
        )
    return ""

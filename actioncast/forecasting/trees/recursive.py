"""Tree recipes: random forest and LightGBM, fitted on the training matrices of skforecast."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

from actioncast.arrays import Array, Numbers, Values, np
from actioncast.forecasting.features import (
    TrainingPeriods,
    calendar_table,
    difference,
    feature_matrix,
)
from actioncast.forecasting.fitted import FittedRecipe, walk
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import WeekPhases, phases_of_week

LOADED_BOOSTERS = 16  # LightGBM models that are kept in memory


def fit_forest(recipe: Recipe, training: TrainingPeriods) -> dict[str, Any]:
    """The field of FittedRecipe that a random forest learns: `trees`."""
    from sklearn.ensemble import RandomForestRegressor

    x, y = training_matrices(recipe, training)
    forest = RandomForestRegressor(**recipe.parameters, n_jobs=1)
    forest.fit(x, y)
    trees = [estimator.tree_ for estimator in forest.estimators_]
    return {
        "trees": {
            "feature": stack([tree.feature for tree in trees], np.int16),
            "threshold": stack([tree.threshold for tree in trees], np.float64),
            "left": stack([tree.children_left for tree in trees], np.int16),
            "right": stack([tree.children_right for tree in trees], np.int16),
            "value": stack([tree.value[:, 0, 0] for tree in trees], np.float64),
        }
    }


def stack(nodes_of_trees: list[Array], kind: type) -> Array:
    """[trees, nodes]: one array per tree, padded with zeros to the largest tree."""
    size = max(len(nodes) for nodes in nodes_of_trees)
    padded = [np.pad(nodes, (0, size - len(nodes))) for nodes in nodes_of_trees]
    return np.array(padded, dtype=kind)


def fit_boosting(recipe: Recipe, training: TrainingPeriods) -> dict[str, Any]:
    """The field of FittedRecipe that LightGBM learns: `booster`."""
    import lightgbm

    x, y = training_matrices(recipe, training)
    model = lightgbm.LGBMRegressor(**recipe.parameters, n_jobs=1, verbose=-1)
    model.fit(x, y)
    return {"booster": model.booster_.model_to_string()}


def training_matrices(recipe: Recipe, training: TrainingPeriods) -> tuple[Values, Values]:
    """Predictors [rows, features] and targets [rows] as skforecast builds them.

    Rows whose target or columns are missing are left out.
    """
    import pandas as pd

    # The dates do not matter: what the calendar says comes in columns.
    index = pd.date_range("1970-01-01", periods=len(training.levels), freq="h")
    levels = pd.Series(training.levels, index=index)
    columns = _outer_columns(recipe, training)
    exog = None
    if columns.shape[1]:
        exog = pd.DataFrame(columns, index=index).add_prefix("known_")
    x, y = _skforecaster(recipe).create_train_X_y(y=levels, exog=exog)
    predictors = x.to_numpy(dtype=np.float64)
    targets = y.to_numpy(dtype=np.float64)
    first = len(levels) - len(targets)  # position of the first target in levels
    keep = training.may_be_target[first:]
    return predictors[keep], targets[keep]


def _skforecaster(recipe: Recipe) -> Any:
    """skforecast's forecaster with the predictors of this recipe."""
    from skforecast.preprocessing import RollingFeatures
    from skforecast.recursive import ForecasterRecursive
    from sklearn.linear_model import Ridge

    windows = None
    if recipe.predictors.windows:
        sizes = list(recipe.predictors.windows)
        windows = RollingFeatures(stats=["mean"] * len(sizes), window_sizes=sizes)
    return ForecasterRecursive(
        estimator=Ridge(),  # never fitted: skforecast is only asked for its matrices
        lags=list(recipe.predictors.lags),
        window_features=windows,
        differentiation=recipe.difference or None,
    )


def _outer_columns(recipe: Recipe, training: TrainingPeriods) -> Values:
    """[n, weekly + terms]: predictors from outside the series; 0 where a column is missing."""
    axis = training.axis
    table = calendar_table(recipe.predictors.calendar, phases_of_week(axis.timeline))
    weekly = table[axis.weekly(np.arange(len(training.levels)))]
    return np.hstack([weekly, np.nan_to_num(training.terms)])


def walk_trees(
    fitted: FittedRecipe,
    levels: Values,
    week: WeekPhases,
    terms: Values,
) -> Values:
    """Levels [origins, horizon] of a tree recipe; it forecasts differences, which are added up.

    `levels` [origins, reach] end with the period before each origin; `week` has the phases
    [origins, horizon]; `terms` [origins, horizon, terms] the dated ones and those of exogenous columns.
    """
    lag = fitted.recipe.difference
    predictors = fitted.recipe.predictors
    table = calendar_table(predictors.calendar, week.count)

    def next_level(recent: Values, step: int) -> Values:
        history = difference(recent, lag)
        x = feature_matrix(history, table[week.at[:, step]], predictors, terms[:, step])
        ahead = _evaluate(fitted, x)
        return ahead + recent[:, -lag] if lag else ahead

    return walk(levels, terms.shape[1], next_level)


def _evaluate(fitted: FittedRecipe, x: Values) -> Values:
    """[rows] the next levels or differences from predictors [rows, features]."""
    if fitted.trees:
        return _forest_values(fitted.trees, x)
    return booster_values(fitted.booster, x)


def _forest_values(trees: dict[str, Array], x: Values) -> Values:
    """[rows] mean over the trees."""
    # scikit-learn compares float32 predictors with float64 thresholds; so does this.
    leaves = leaves_of(trees, x.astype(np.float32))
    tree = np.arange(leaves.shape[1])
    return np.asarray(trees["value"][tree, leaves].mean(axis=1))


def leaves_of(trees: dict[str, Array], x: Array) -> Numbers:
    """[rows, trees] the leaf where each row [rows, features] ends up; all rows descend all trees together."""
    tree = np.arange(len(trees["value"]))
    row = np.arange(len(x))[:, None]
    node = np.zeros((len(x), len(tree)), dtype=np.int64)
    while True:
        left = trees["left"][tree, node]
        is_inner = left > 0  # the children of a leaf are -1
        if not is_inner.any():
            return node
        right = trees["right"][tree, node]
        feature = np.maximum(trees["feature"][tree, node], 0)  # that of a leaf is negative
        goes_left = x[row, feature] <= trees["threshold"][tree, node]
        child = np.where(goes_left, left, right)
        node = np.where(is_inner, child, node)


@lru_cache(maxsize=LOADED_BOOSTERS)
def booster(text: str) -> Any:
    """LightGBM's model from its text."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def booster_values(text: str, x: Values) -> Values:
    """[rows] predictions of the booster."""
    with warnings.catch_warnings():
        # scikit-learn warns about feature names, which neither side has.
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(booster(text).predict(x, num_threads=1))

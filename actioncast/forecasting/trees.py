"""Tree recipes: random forest and LightGBM, walked recursively."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from actioncast.arrays import Array, Flags, Numbers, Values, np
from actioncast.forecasting.features import features, matrices
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.recipes import Recipe


def fit_forest(levels: Values, known: Flags, first_hour: int, recipe: Recipe, terms: Values) -> dict[str, Any]:
    from sklearn.ensemble import RandomForestRegressor

    x, y = matrices(levels, known, first_hour, recipe, terms)
    forest = RandomForestRegressor(**recipe.parameters, n_jobs=1).fit(x, y)
    trees = [estimator.tree_ for estimator in forest.estimators_]
    size = max(tree.node_count for tree in trees)

    def stack(get: Callable[[Any], Values], kind: type) -> Array:
        return np.array([np.pad(get(tree), (0, size - tree.node_count)) for tree in trees], dtype=kind)

    return {
        "trees": {
            "feature": stack(lambda tree: tree.feature, np.int16),
            "threshold": stack(lambda tree: tree.threshold, np.float64),
            "left": stack(lambda tree: tree.children_left, np.int16),
            "right": stack(lambda tree: tree.children_right, np.int16),
            "value": stack(lambda tree: tree.value[:, 0, 0], np.float64),
        }
    }


def fit_boosting(levels: Values, known: Flags, first_hour: int, recipe: Recipe, terms: Values) -> dict[str, Any]:
    import lightgbm

    x, y = matrices(levels, known, first_hour, recipe, terms)
    model = lightgbm.LGBMRegressor(**recipe.parameters, n_jobs=1, verbose=-1).fit(x, y)
    return {"booster": model.booster_.model_to_string()}


def walk_trees(fitted: FittedRecipe, levels: Values, hours: Numbers, terms: Values) -> Values:
    """The recursion of a tree recipe: on differenced levels, added up on the way."""
    lag, reach, horizon = fitted.recipe.difference, levels.shape[1], terms.shape[1]
    evaluate = _forest_values if fitted.trees else _booster_values
    path = np.empty((len(levels), reach + horizon))
    path[:, :reach] = levels
    for step in range(horizon):
        recent = path[:, step : step + reach]
        history = recent[:, lag:] - recent[:, :-lag] if lag else recent
        ahead = evaluate(fitted, features(history, hours + step, fitted.recipe.predictors, terms[:, step]))
        path[:, reach + step] = ahead + (recent[:, reach - lag] if lag else 0.0)
    return path[:, reach:]


def _forest_values(fitted: FittedRecipe, x: Values) -> Values:
    """Mean over the trees. scikit-learn compares float32 predictors with float64 thresholds, so do we."""
    trees, x32 = fitted.trees, x.astype(np.float32)
    tree, row = np.arange(len(trees["value"])), np.arange(len(x))[:, None]
    node = np.zeros((len(x), len(tree)), dtype=np.int64)
    while (inner := trees["left"][tree, node] > 0).any():
        below = x32[row, np.maximum(trees["feature"][tree, node], 0)] <= trees["threshold"][tree, node]
        node = np.where(inner, np.where(below, trees["left"][tree, node], trees["right"][tree, node]), node)
    return np.asarray(trees["value"][tree, node].mean(axis=1))


@lru_cache(maxsize=16)
def booster(text: str) -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _booster_values(fitted: FittedRecipe, x: Values) -> Values:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's, about feature names that neither side has
        return np.asarray(booster(fitted.booster).predict(x, num_threads=1))

"""Linear recipes: ridge and absolute loss, folded into one filter on levels."""

from __future__ import annotations

from typing import Any

from actioncast.arrays import Flags, Numbers, Values, np
from actioncast.forecasting.exogenous import scales
from actioncast.forecasting.features import calendar_table, training_rows
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.recipes import Recipe


def solve_ridge(x: Values, y: Values, alpha: float, weights: Values | None = None) -> tuple[Values, float]:
    """Coefficients and intercept of scikit-learn's Ridge(alpha), optionally with sample weights."""
    w = np.ones(len(y)) if weights is None else weights
    x_mean, y_mean = w @ x / w.sum(), w @ y / w.sum()
    centred = (x - x_mean) * np.sqrt(w)[:, None]
    gram = centred.T @ centred + alpha * np.eye(x.shape[1])
    coefficients = np.linalg.solve(gram, centred.T @ ((y - y_mean) * np.sqrt(w)))
    return coefficients, float(y_mean - x_mean @ coefficients)


def solve_absolute(x: Values, y: Values, alpha: float, iterations: int = 4) -> tuple[Values, float]:
    """Ridge under absolute loss, by iteratively reweighted least squares: outliers pull less than under squares."""
    coefficients, intercept = solve_ridge(x, y, alpha)
    for _ in range(iterations):
        miss = np.abs(y - x @ coefficients - intercept)
        weights = 1.0 / np.maximum(miss, 0.5 * np.median(miss) + 1e-9)
        coefficients, intercept = solve_ridge(x, y, alpha, weights / weights.mean())
    return coefficients, intercept


def fit_linear(levels: Values, known: Flags, first_hour: int, recipe: Recipe, terms: Values) -> dict[str, Any]:
    scale = scales(recipe.predictors.exogenous, terms)  # the penalty must not depend on a column's unit
    x, y = training_rows(levels, known, first_hour, recipe, terms / scale)
    solve = solve_absolute if recipe.loss == "absolute" else solve_ridge
    coefficients, intercept = solve(x, y, recipe.alpha)
    own, outer = np.split(coefficients, [len(coefficients) - len(scale)])
    by_phase = np.zeros(1)
    if recipe.predictors.calendar:
        calendar = calendar_table(recipe.predictors.calendar)
        by_phase = calendar @ own[-calendar.shape[1] :]
    return {"filter": _level_filter(own, recipe), "intercept": intercept + by_phase, "exogenous": outer / scale}


def _level_filter(coefficients: Values, recipe: Recipe) -> Values:
    """Fold lags, window means and the difference into one filter on levels: (1 - F)(1 - B^d) z = intercept."""
    lags, windows = recipe.predictors.lags, recipe.predictors.windows
    steps = np.zeros(recipe.memory)
    np.add.at(steps, np.array(lags) - 1, coefficients[: len(lags)])
    for size, weight in zip(windows, coefficients[len(lags) : len(lags) + len(windows)], strict=True):
        steps[:size] += weight / size
    whole = np.concatenate([[1.0], -steps])
    if recipe.difference:
        whole = np.convolve(whole, np.concatenate([[1.0], np.zeros(recipe.difference - 1), [-1.0]]))
    return np.asarray(-whole[1:])


def walk_filter(fitted: FittedRecipe, levels: Values, hours: Numbers, terms: Values) -> Values:
    """The recursion of a linear recipe: one matrix-vector product per step for all origins."""
    reach, weights, intercept = levels.shape[1], fitted.filter[::-1], fitted.intercept
    horizon, push = terms.shape[1], terms @ fitted.exogenous
    path = np.empty((len(levels), reach + horizon))
    path[:, :reach] = levels
    with np.errstate(over="ignore", invalid="ignore"):  # kept in range afterwards
        for step in range(horizon):
            ahead = path[:, step : step + reach] @ weights + intercept[(hours + step) % len(intercept)]
            path[:, reach + step] = ahead + push[:, step]
    return path[:, reach:]

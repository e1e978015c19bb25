"""Linear recipes: ridge under squared or absolute loss, folded into one filter on levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from actioncast.arrays import Values, np
from actioncast.forecasting.exogenous import scales
from actioncast.forecasting.features import TrainingPeriods, calendar_table, training_rows
from actioncast.forecasting.fitted import FittedRecipe, walk
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import WeekPhases, phases_of_week

PERIODS_OF_DOUBT = 6.0  # of a borrowed shape, that speak for the same size
REWEIGHTINGS = 4  # rounds of least squares under absolute loss


def solve_ridge(
    x: Values,
    y: Values,
    alpha: float,
    weights: Values | None = None,
) -> tuple[Values, float]:
    """Coefficients and intercept of scikit-learn's Ridge(alpha), optionally with sample weights."""
    if weights is None:
        weights = np.ones(len(y))
    total = weights.sum()
    x_mean = weights @ x / total
    y_mean = weights @ y / total
    root = np.sqrt(weights)
    x_centred = (x - x_mean) * root[:, None]
    y_centred = (y - y_mean) * root
    gram = x_centred.T @ x_centred + alpha * np.eye(x.shape[1])
    coefficients = np.linalg.solve(gram, x_centred.T @ y_centred)
    intercept = float(y_mean - x_mean @ coefficients)
    return coefficients, intercept


def solve_absolute(x: Values, y: Values, alpha: float) -> tuple[Values, float]:
    """Ridge under absolute loss, by iteratively reweighted least squares.

    Outliers pull less than under squares: the fit aims at the median.
    """
    coefficients, intercept = solve_ridge(x, y, alpha)
    for _ in range(REWEIGHTINGS):
        miss = np.abs(y - x @ coefficients - intercept)
        floor = 0.5 * np.median(miss) + 1e-9  # no row may weigh without bound
        weights = 1.0 / np.maximum(miss, floor)
        weights = weights / weights.mean()
        coefficients, intercept = solve_ridge(x, y, alpha, weights)
    return coefficients, intercept


def fit_linear(recipe: Recipe, training: TrainingPeriods) -> dict[str, Any]:
    """The fields of FittedRecipe that a ridge learns: filter, intercept, exogenous_coefficients."""
    # Each column is scaled, so that the penalty does not depend on its unit.
    scale = scales(recipe.predictors, training.terms, training.axis.timeline)
    scaled = replace(training, terms=training.terms / scale)
    x, y = training_rows(recipe, scaled)
    solve = solve_absolute if recipe.loss == "absolute" else solve_ridge
    coefficients, intercept = solve(x, y, recipe.alpha)
    own, exogenous = np.split(coefficients, [len(coefficients) - len(scale)])
    return {
        "filter": _level_filter(own, recipe),
        "intercept": intercept + _calendar_effect(own, recipe, phases_of_week(training.axis.timeline)),
        "exogenous_coefficients": exogenous / scale,
    }


def fit_borrowed(recipe: Recipe, training: TrainingPeriods) -> dict[str, Any]:
    """The fields of FittedRecipe that the shape of another series gives: an intercept for each phase of the week.

    Its size and level are regressed on what is known; before that both series deviate alike.
    """
    shape = np.array(recipe.parameters["shape"])
    keep = training.may_be_target
    phases = training.axis.weekly(np.arange(len(training.levels)))
    x = shape[phases][keep]
    y = training.levels[keep]
    covariance = float((x - x.mean()) @ (y - y.mean()))
    variance = float((x - x.mean()) @ (x - x.mean()))
    size = (covariance + PERIODS_OF_DOUBT) / (variance + PERIODS_OF_DOUBT)
    level = float(y.mean() - size * x.mean())
    return {"filter": np.zeros(recipe.memory), "intercept": level + size * shape}


def _calendar_effect(coefficients: Values, recipe: Recipe, phases: int) -> Values:
    """[phases] what the calendar adds by phase of the week; [1] zero without weekly terms."""
    table = calendar_table(recipe.predictors.calendar, phases)
    count = table.shape[1]
    if not count:
        return np.zeros(1)
    return np.asarray(table @ coefficients[-count:])


def _level_filter(coefficients: Values, recipe: Recipe) -> Values:
    """[reach] lags, window means and the difference as one filter on levels; position 0 is lag 1.

    With F the filter on differences and B the backshift, the recipe is (1 - F)(1 - B^d) z =
    intercept.
    """
    steps = _difference_filter(coefficients, recipe)
    polynomial = np.concatenate([[1.0], -steps])  # 1 - F
    if recipe.difference:
        between = np.zeros(recipe.difference - 1)
        difference = np.concatenate([[1.0], between, [-1.0]])  # 1 - B^d
        polynomial = np.convolve(polynomial, difference)
    return np.asarray(-polynomial[1:])


def _difference_filter(coefficients: Values, recipe: Recipe) -> Values:
    """[memory] lags and window means as one filter on differences; position 0 is lag 1."""
    lags = np.array(recipe.predictors.lags)
    windows = recipe.predictors.windows
    first_window = len(lags)
    end = first_window + len(windows)
    steps = np.zeros(recipe.memory)
    np.add.at(steps, lags - 1, coefficients[:first_window])
    for size, weight in zip(windows, coefficients[first_window:end], strict=True):
        steps[:size] += weight / size
    return steps


def walk_filter(
    fitted: FittedRecipe,
    levels: Values,
    week: WeekPhases,
    terms: Values,
) -> Values:
    """Levels [origins, horizon] of a linear recipe: one matrix-vector product per step for all
    origins.

    `levels` [origins, reach] end with the period before each origin; `week` has the phases
    [origins, horizon]; `terms` [origins, horizon, terms] the dated ones and those of exogenous columns.
    """
    weights = fitted.filter[::-1]  # the oldest period first, as in the history
    intercept = fitted.intercept
    exogenous = terms @ fitted.exogenous_coefficients
    by_step = intercept[week.at % len(intercept)]

    def next_level(recent: Values, step: int) -> Values:
        ahead = recent @ weights + by_step[:, step]
        return np.asarray(ahead + exogenous[:, step])

    with np.errstate(over="ignore", invalid="ignore"):  # `predict` keeps the result in range
        return walk(levels, terms.shape[1], next_level)

"""Fits and forecasts of the small series, in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actioncast.forecasting.features import fill_missing
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import fit, predict
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.timeline import UTC_HOURS
from actioncast.times import HOUR, to_seconds
from tests.support.series import SEASONS, START
from utils import Predictors, create_predictors

NAN = float("nan")
FIRST_HOUR = to_seconds(START) // HOUR
CALENDAR = ("hour", "weekday", "hour_of_week")
DAY = create_predictors(SEASONS)["day"]
TEN_LAGS = Predictors(tuple(range(1, 11)), windows=(20,))
FOREST = {"n_estimators": 20, "max_leaf_nodes": 40, "random_state": 1}
BOOSTING = {"n_estimators": 30, "num_leaves": 15, "min_child_samples": 10, "random_state": 1}


def fit_on(values: NDArray[np.float64], recipe: Recipe) -> FittedRecipe:
    """The recipe, fitted on values that begin at START."""
    return fit(values, recipe, axis=Axis(UTC_HOURS, FIRST_HOUR), seasonality=SEASONS)


def ahead(
    values: NDArray[np.float64],
    recipe: Recipe,
    horizon: int,
    origins: list[int] | None = None,
) -> NDArray[np.float64]:
    """[origins, horizon] by a fit on the values up to the first origin (default: their end)."""
    origins = origins or [len(values)]
    fitted = fit_on(values[: origins[0]], recipe)
    filled = fill_missing(values, SEASONS)
    return predict(fitted, filled, np.array(origins), horizon, axis=Axis(UTC_HOURS, FIRST_HOUR))

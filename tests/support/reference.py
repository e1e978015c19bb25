"""The forecasts that skforecast makes of our recipes: what ours are compared with."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skforecast.preprocessing import RollingFeatures
from skforecast.recursive import ForecasterRecursive
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from actioncast.forecasting import features, linear
from actioncast.forecasting.recipes import Recipe
from tests.support.fitting import FIRST_HOUR
from tests.support.series import START


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
    """The scikit-learn estimator that a recipe stands for."""
    match recipe.estimator, recipe.loss:
        case "ridge", "squared":
            return Ridge(alpha=recipe.alpha)
        case "ridge", _:
            return AbsoluteRidge(alpha=recipe.alpha)
        case "random_forest", _:
            return RandomForestRegressor(**recipe.parameters)
    return lightgbm.LGBMRegressor(**recipe.parameters, n_jobs=1, verbose=-1)


def skforecast_ahead(
    values: NDArray[np.float64],
    recipe: Recipe,
    horizon: int,
    origins: list[int],
) -> NDArray[np.float64]:
    """The forecasts that ForecasterRecursive makes from the same origins, fitted up to the first of them."""
    index = pd.date_range(START.replace(tzinfo=None), periods=len(values) + horizon, freq="h")
    y = pd.Series(values, index=index[: len(values)])
    logs = FunctionTransformer(np.log, np.exp)
    scaler = make_pipeline(logs, StandardScaler()) if recipe.log else StandardScaler()
    exog = None
    if recipe.predictors.calendar:
        hours = FIRST_HOUR + np.arange(len(index))
        terms = features.calendar_table(recipe.predictors.calendar, 168)[hours % 168]
        exog = pd.DataFrame(terms, index=index).add_prefix("term_")
    sizes = list(recipe.predictors.windows)
    windows = RollingFeatures(stats=["mean"] * len(sizes), window_sizes=sizes) if sizes else None
    reference = ForecasterRecursive(
        estimator=estimator_of(recipe),
        lags=list(recipe.predictors.lags),
        window_features=windows,
        transformer_y=scaler,
        differentiation=recipe.difference or None,
    )
    end = origins[0]
    reference.fit(y=y[:end], exog=None if exog is None else exog[:end])
    paths = []
    for origin in origins:
        ahead = None if exog is None else exog[origin : origin + horizon]
        paths.append(reference.predict(horizon, last_window=y[:origin], exog=ahead))
    return np.array(paths)

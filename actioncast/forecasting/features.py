"""Features: lags, windows, calendar, and gaps that are filled."""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Flags, Numbers, Values, np
from actioncast.forecasting.recipes import WEEK, Recipe
from actioncast.times import HOUR
from utils import Predictors

FILL_HOURS = 2 * WEEK  # stored hours read beyond a forecaster's reach, to fill gaps from
NEWEST_ROWS = 4_400  # hours, half a year, that a recipe learns from at most; more cost time and change little


def fill_missing(values: Values, seasonality: Sequence[int]) -> Values:
    """Missing hours take the value one long season earlier, else a short one, else the last known: never a later one.

    Filled hours serve as lags only; no recipe learns them as targets and no error is computed on them.
    """
    filled = values.astype(np.float64).copy()
    for hour in np.flatnonzero(np.isnan(filled)):
        known = [filled[hour - s] for s in (*reversed(seasonality), 1) if hour >= s and not np.isnan(filled[hour - s])]
        filled[hour] = known[0] if known else np.nan
    known_at = np.flatnonzero(~np.isnan(filled))
    filled[: known_at[0]] = filled[known_at[0]]
    return filled


def _difference(levels: Values, lag: int) -> Values:
    return levels[lag:] - levels[:-lag] if lag else levels


def calendar_table(calendar: Sequence[str]) -> Values:
    """[168, terms]: one row per phase of the week. Hour-of-week is halved: the penalty prefers coarser terms."""
    phase = np.arange(WEEK)
    terms = {"hour": np.eye(24)[phase % 24], "weekday": np.eye(7)[phase // 24], "hour_of_week": 0.5 * np.eye(WEEK)}
    return np.hstack([terms[name] for name in calendar])


def features(history: Values, phase: Numbers, predictors: Predictors, terms: Values) -> Values:
    """[rows, lags + windows + calendar + terms] for the hour after each row of history [rows, memory], newest last;
    `terms` [rows, terms] are those of the exogenous columns at that hour."""
    parts = [history[:, history.shape[1] - np.array(predictors.lags)]]
    parts += [history[:, -size:].mean(axis=1, keepdims=True) for size in predictors.windows]
    if predictors.calendar:
        parts.append(calendar_table(predictors.calendar)[phase % WEEK])
    return np.hstack([*parts, terms])


def log_offset(values: Values) -> float:
    """0 for a positive series; with zeros a small share of the typical value, so that the log exists."""
    return 0.0 if np.nanmin(values) > 0 else max(0.05 * float(np.nanmean(np.abs(values))), 1e-9)


def training_rows(
    levels: Values, known: Flags, first_hour: int, recipe: Recipe, terms: Values
) -> tuple[Values, Values]:
    """Predictors and targets, one row per known hour."""
    steps = _difference(levels, recipe.difference)
    history = np.lib.stride_tricks.sliding_window_view(steps[:-1], recipe.memory)
    target = steps[recipe.memory :]
    hours = np.arange(len(levels))[-len(target) :]
    keep = known[hours] & known[hours - recipe.difference] & ~np.isnan(terms[hours]).any(axis=1)
    return features(history[keep], first_hour + hours[keep], recipe.predictors, terms[hours[keep]]), target[keep]


def matrices(levels: Values, known: Flags, first_hour: int, recipe: Recipe, terms: Values) -> tuple[Values, Values]:
    """Training matrices as skforecast builds them, without the rows whose target is a filled hour."""
    import pandas as pd
    from skforecast.preprocessing import RollingFeatures
    from skforecast.recursive import ForecasterRecursive
    from sklearn.linear_model import Ridge

    index = pd.date_range(pd.Timestamp(first_hour * HOUR, unit="s"), periods=len(levels), freq="h")
    known = known & ~np.isnan(terms).any(axis=1)
    outer = np.nan_to_num(terms)
    if recipe.predictors.calendar:
        calendar = calendar_table(recipe.predictors.calendar)[(first_hour + np.arange(len(levels))) % WEEK]
        outer = np.hstack([calendar, outer])
    exog = pd.DataFrame(outer, index=index).add_prefix("known_") if outer.shape[1] else None
    windows = list(recipe.predictors.windows)
    forecaster = ForecasterRecursive(
        estimator=Ridge(),  # only asked for its matrices
        lags=list(recipe.predictors.lags),
        window_features=RollingFeatures(stats=["mean"] * len(windows), window_sizes=windows) if windows else None,
        differentiation=recipe.difference or None,
    )
    x, y = forecaster.create_train_X_y(y=pd.Series(levels, index=index), exog=exog)
    keep = known[len(levels) - len(y) :]
    return x.to_numpy(dtype=np.float64)[keep], y.to_numpy(dtype=np.float64)[keep]

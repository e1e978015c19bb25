"""Recipes, fitting, recursion: from known hours to the next ones.

Words used throughout: `values` [n] are hourly values, NaN where an hour is missing; `first_hour` is the number of
values[0] in hours since 1970 (UTC); an `origin` is an index into values, the first hour a forecast made there does not
know; `levels` are values after a recipe's log and standardisation, before its differencing.

A fitted recipe is plain numbers. A linear one, with differencing, window means and calendar terms, is one filter on
levels plus an intercept per phase of the week: serving it takes numpy alone, and it gives the numbers of skforecast's
ForecasterRecursive (a test holds both to 1e-8 of each other). Tree candidates are trained on skforecast's own training
matrices.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline import exogenous, spikes
from pipeline.errors import ActioncastError
from pipeline.intervals import Spread, bounds
from pipeline.later import np
from pipeline.level import Shift, restate
from pipeline.series import HOUR, Grid, Values, to_seconds
from utils import Predictors, create_predictors

if TYPE_CHECKING:
    from numpy.typing import NDArray

Numbers: TypeAlias = "NDArray[np.int64]"
WEEK = 168
LONGEST_HORIZON = 24 * 92  # hours
TREE_SETS = ("trees", "trees_exogenous", "tutorial")  # predictor sets of LightGBM and of the random forest
NO_COLUMNS: Mapping[str, Values] = {}
LOG_FLOOR = 0.1  # of the lowest value learned from: an hour below it, in serving, counts as this much in logs
FEWEST_ROWS = 60  # hours that a recipe learns from, at least
FEW_SEASONS = 3  # a history that holds its longest season no more often also gets recipes without it
SHORTEST_HISTORY = 72  # hours to learn from, at least
FILL_HOURS = 2 * WEEK  # stored hours read beyond a forecaster's reach, to fill gaps from
NEWEST_ROWS = 4_400  # hours, half a year, that a recipe learns from at most; more cost time and change little
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


@dataclass(frozen=True)
class FittedRecipe:
    """Plain numbers only. A tree recipe has `trees` or `booster` instead of a filter."""

    recipe: Recipe
    offset: float = 0.0  # added before the log
    center: float = 0.0
    scale: float = 1.0
    low: float = -math.inf  # range of the values it learned from
    high: float = math.inf
    filter: Values = field(default_factory=lambda: np.zeros(0))  # [reach] on levels; position 0 is lag 1
    intercept: Values = field(default_factory=lambda: np.zeros(1))  # [1], or [168] by phase of the week
    exogenous: Values = field(default_factory=lambda: np.zeros(0))  # [terms] of the columns known in the future
    trees: dict[str, NDArray[Any]] = field(default_factory=dict)  # [trees, nodes] each: feature, threshold, ...
    booster: str = ""  # LightGBM's model text


@dataclass(frozen=True)
class Forecaster:
    """A weighted blend of fitted recipes (often one) and the spread of its errors."""

    members: tuple[FittedRecipe, ...]
    weights: Values  # [members], sum 1
    spread: Spread
    coverage: float  # share of hours that lower..upper shall hold
    seasonality: tuple[int, ...]  # hours, ascending: where missing hours are filled from
    shifts: tuple[Shift, ...] = ()  # changes of level: hours before them are restated
    spike_limit: float = math.inf  # in the series' unit: see spikes.limit

    def history(self, known: Grid) -> Values:
        """What a forecast looks back on [hours]: restated, without spikes and gaps."""
        values = restate(known, self.shifts).values
        return fill_missing(spikes.without(values, self.seasonality, self.spike_limit), self.seasonality)

    @property
    def reach(self) -> int:
        """Hours of history that a forecast needs."""
        return max(member.recipe.reach for member in self.members)

    @property
    def columns(self) -> tuple[str, ...]:
        """Exogenous columns that a forecast needs."""
        return tuple(sorted({name for member in self.members for name in member.recipe.predictors.exogenous}))

    def warm(self) -> None:
        """Import and read what the first forecast would otherwise wait for. A linear recipe needs nothing."""
        for member in self.members:
            if member.booster:
                _booster(member.booster)


@dataclass(frozen=True)
class Forecast:
    """Arrays [horizon] in the series' unit, for the hours after the last known one."""

    prediction: Values
    lower: Values
    upper: Values


# Recipes -----------------------------------------------------------------------------------------------------------


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


# Small parts -------------------------------------------------------------------------------------------------------


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


# Fitting -----------------------------------------------------------------------------------------------------------


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


def fit(
    values: Values,
    recipe: Recipe,
    *,
    first_hour: int,
    seasonality: Sequence[int],
    columns: Mapping[str, Values] = NO_COLUMNS,
) -> FittedRecipe:
    """Fit a recipe on the newest of values [n]; a missing hour serves as a filled lag, never as a target.

    `columns` are the exogenous ones [n or more], from the same first hour on.
    """
    newest = np.arange(max(0, len(values) - NEWEST_ROWS - recipe.reach), len(values))
    terms = exogenous.terms(recipe.predictors.exogenous, columns, first_hour, newest)
    values, first_hour = values[newest], first_hour + int(newest[0])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if recipe.estimator == "seasonal_naive":
        return FittedRecipe(recipe, low=low, high=high, filter=np.eye(recipe.memory)[-1])
    offset = _log_offset(values) if recipe.log else 0.0
    filled = fill_missing(values, seasonality)
    raw = np.log(filled + offset) if recipe.log else filled
    center, scale = float(raw.mean()), float(raw.std()) or 1.0
    learn = {"ridge": _fit_linear, "random_forest": _fit_forest, "lightgbm": _fit_boosting}[recipe.estimator]
    learned = learn((raw - center) / scale, ~np.isnan(values), first_hour, recipe, terms)
    return FittedRecipe(recipe, offset=offset, center=center, scale=scale, low=low, high=high, **learned)


def _log_offset(values: Values) -> float:
    """0 for a positive series; with zeros a small share of the typical value, so that the log exists."""
    return 0.0 if np.nanmin(values) > 0 else max(0.05 * float(np.nanmean(np.abs(values))), 1e-9)


def training_rows(
    levels: Values, known: NDArray[np.bool_], first_hour: int, recipe: Recipe, terms: Values
) -> tuple[Values, Values]:
    """Predictors and targets, one row per known hour."""
    steps = _difference(levels, recipe.difference)
    history = np.lib.stride_tricks.sliding_window_view(steps[:-1], recipe.memory)
    target = steps[recipe.memory :]
    hours = np.arange(len(levels))[-len(target) :]
    keep = known[hours] & known[hours - recipe.difference] & ~np.isnan(terms[hours]).any(axis=1)
    return features(history[keep], first_hour + hours[keep], recipe.predictors, terms[hours[keep]]), target[keep]


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


def _fit_linear(
    levels: Values, known: NDArray[np.bool_], first_hour: int, recipe: Recipe, terms: Values
) -> dict[str, Any]:
    scale = exogenous.scales(recipe.predictors.exogenous, terms)  # the penalty must not depend on a column's unit
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


def _matrices(
    levels: Values, known: NDArray[np.bool_], first_hour: int, recipe: Recipe, terms: Values
) -> tuple[Values, Values]:
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


def _fit_forest(
    levels: Values, known: NDArray[np.bool_], first_hour: int, recipe: Recipe, terms: Values
) -> dict[str, Any]:
    from sklearn.ensemble import RandomForestRegressor

    x, y = _matrices(levels, known, first_hour, recipe, terms)
    forest = RandomForestRegressor(**recipe.parameters, n_jobs=1).fit(x, y)
    trees = [estimator.tree_ for estimator in forest.estimators_]
    size = max(tree.node_count for tree in trees)

    def stack(get: Callable[[Any], Values], kind: type) -> NDArray[Any]:
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


def _fit_boosting(
    levels: Values, known: NDArray[np.bool_], first_hour: int, recipe: Recipe, terms: Values
) -> dict[str, Any]:
    import lightgbm

    x, y = _matrices(levels, known, first_hour, recipe, terms)
    model = lightgbm.LGBMRegressor(**recipe.parameters, n_jobs=1, verbose=-1).fit(x, y)
    return {"booster": model.booster_.model_to_string()}


# Predicting --------------------------------------------------------------------------------------------------------


def predict(
    fitted: FittedRecipe,
    filled: Values,
    origins: Numbers,
    horizon: int,
    *,
    first_hour: int,
    columns: Mapping[str, Values] = NO_COLUMNS,
) -> Values:
    """Recursive forecasts [origins, horizon] from the hours before each origin; all origins advance together.

    `columns` are the exogenous ones, from the same first hour on and as far as the last forecast hour.
    """
    recipe, reach = fitted.recipe, fitted.recipe.reach
    terms = exogenous.terms(recipe.predictors.exogenous, columns, first_hour, origins[:, None] + np.arange(horizon))
    past = filled[origins[:, None] + np.arange(-reach, 0)]
    floor = LOG_FLOOR * (fitted.low + fitted.offset)
    levels = np.log(np.maximum(past + fitted.offset, floor)) if recipe.log else past
    levels = (levels - fitted.center) / fitted.scale
    walk = _walk_filter if len(fitted.filter) else _walk_trees
    ahead = walk(fitted, levels, first_hour + origins, terms) * fitted.scale + fitted.center
    if recipe.log:
        ahead = np.exp(np.clip(ahead, -700, 700)) - fitted.offset
    return _keep_in_range(fitted, ahead, past)


def _keep_in_range(fitted: FittedRecipe, ahead: Values, past: Values) -> Values:
    """Half a range beyond what training and the hours before each origin have seen, and no change of sign.

    An unstable recursion must not run away, but a level shift after training must be followed.
    """
    margin = 0.5 * (fitted.high - fitted.low)
    low = np.minimum(fitted.low, past.min(axis=1, keepdims=True))
    low = np.where(low >= 0, np.maximum(low - margin, 0.0), low - margin)
    high = np.maximum(fitted.high, past.max(axis=1, keepdims=True)) + margin
    settled = np.where(np.isnan(ahead), past[:, -1:], ahead)
    return np.clip(settled, low, high)


def _walk_filter(fitted: FittedRecipe, levels: Values, hours: Numbers, terms: Values) -> Values:
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


def _walk_trees(fitted: FittedRecipe, levels: Values, hours: Numbers, terms: Values) -> Values:
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
def _booster(text: str) -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _booster_values(fitted: FittedRecipe, x: Values) -> Values:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's, about feature names that neither side has
        return np.asarray(_booster(fitted.booster).predict(x, num_threads=1))


def forecast(forecaster: Forecaster, known: Grid, horizon: int) -> Forecast:
    """The next `horizon` hours. Raises ForecastError when fewer than the reach are stored, or mostly gaps, or when a
    column that the champion needs is not known so far ahead."""
    reach = forecaster.reach
    if len(known) < reach:
        raise ForecastError(
            f"{len(known)} hours up to {known.end:%Y-%m-%d %H:%MZ} are stored, the champion looks back on {reach}"
        )
    missing = float(np.isnan(known.values[-reach:]).mean())
    if missing > 0.5:
        raise ForecastError(
            f"{missing:.0%} of the last {reach} hours are missing; a forecast from them would be a guess"
        )
    for name in forecaster.columns:
        if gap := exogenous.gap(known, name, len(known), len(known) + horizon):
            raise ForecastError(f"the champion needs the column {name}, which {gap}; {exogenous.REMEDY}")
    first_hour = to_seconds(known.start) // HOUR
    history, origin = forecaster.history(known), np.array([len(known)])
    paths = [
        predict(member, history, origin, horizon, first_hour=first_hour, columns=known.exogenous)[0]
        for member in forecaster.members
    ]
    middle = forecaster.weights @ np.array(paths)
    lower, upper = bounds(forecaster.spread, middle, first_hour + len(known), forecaster.coverage)
    return Forecast(middle, lower, upper)

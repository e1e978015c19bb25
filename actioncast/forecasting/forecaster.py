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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actioncast.arrays import Numbers, Values, np
from actioncast.forecasting import exogenous as exogenous_module
from actioncast.forecasting import outliers
from actioncast.forecasting.exogenous import COLUMN_REMEDY
from actioncast.forecasting.features import NEWEST_ROWS, fill_missing, log_offset
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.intervals import Spread, bounds
from actioncast.forecasting.level_shifts import Shift, restate
from actioncast.forecasting.linear import fit_linear, walk_filter
from actioncast.forecasting.recipes import NO_COLUMNS, ForecastError, Recipe
from actioncast.forecasting.trees import booster, fit_boosting, fit_forest, walk_trees
from actioncast.hours import Grid
from actioncast.times import HOUR, to_seconds

LOG_FLOOR = 0.1  # of the lowest value learned from: an hour below it, in serving, counts as this much in logs


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
        return fill_missing(outliers.without(values, self.seasonality, self.spike_limit), self.seasonality)

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
                booster(member.booster)


@dataclass(frozen=True)
class Forecast:
    """Arrays [horizon] in the series' unit, for the hours after the last known one."""

    prediction: Values
    lower: Values
    upper: Values


# Recipes -----------------------------------------------------------------------------------------------------------


# Small parts -------------------------------------------------------------------------------------------------------


# Fitting -----------------------------------------------------------------------------------------------------------


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
    terms = exogenous_module.terms(recipe.predictors.exogenous, columns, first_hour, newest)
    values, first_hour = values[newest], first_hour + int(newest[0])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if recipe.estimator == "seasonal_naive":
        return FittedRecipe(recipe, low=low, high=high, filter=np.eye(recipe.memory)[-1])
    offset = log_offset(values) if recipe.log else 0.0
    filled = fill_missing(values, seasonality)
    raw = np.log(filled + offset) if recipe.log else filled
    center, scale = float(raw.mean()), float(raw.std()) or 1.0
    learn = {"ridge": fit_linear, "random_forest": fit_forest, "lightgbm": fit_boosting}[recipe.estimator]
    learned = learn((raw - center) / scale, ~np.isnan(values), first_hour, recipe, terms)
    return FittedRecipe(recipe, offset=offset, center=center, scale=scale, low=low, high=high, **learned)


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
    terms = exogenous_module.terms(
        recipe.predictors.exogenous, columns, first_hour, origins[:, None] + np.arange(horizon)
    )
    past = filled[origins[:, None] + np.arange(-reach, 0)]
    floor = LOG_FLOOR * (fitted.low + fitted.offset)
    levels = np.log(np.maximum(past + fitted.offset, floor)) if recipe.log else past
    levels = (levels - fitted.center) / fitted.scale
    walk = walk_filter if len(fitted.filter) else walk_trees
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
        if gap := exogenous_module.gap(known, name, len(known), len(known) + horizon):
            raise ForecastError(f"the champion needs the column {name}, which {gap}; {COLUMN_REMEDY}")
    first_hour = to_seconds(known.start) // HOUR
    history, origin = forecaster.history(known), np.array([len(known)])
    paths = [
        predict(member, history, origin, horizon, first_hour=first_hour, columns=known.exogenous)[0]
        for member in forecaster.members
    ]
    middle = forecaster.weights @ np.array(paths)
    lower, upper = bounds(forecaster.spread, middle, first_hour + len(known), forecaster.coverage)
    return Forecast(middle, lower, upper)

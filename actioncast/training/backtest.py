"""Who forecasts best: rolling-origin backtest, metrics, leaderboard, blend, champion against challenger.

Pure functions. All candidates forecast the same hours from the same origins, each fitted on what came before. Near the
end of the series the horizon is cut to what is known, so that the newest hours count as well.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from actioncast.arrays import Flags, Numbers, Values
from actioncast.forecasting import features, forecaster, level_shifts, outliers
from actioncast.forecasting import recipes as recipes_module
from actioncast.forecasting.level_shifts import Shift
from actioncast.forecasting.recipes import NAIVE, ForecastError, Recipe, obstacle
from actioncast.hours import Grid
from actioncast.times import HOUR, to_seconds

LEAST_LEARNED = 420  # hours before the first origin, where the history has them: with less, all but the naives look bad
REFITS = 5  # over the backtest's window
TUNING_HORIZON = 10  # hours, of the random forest's grid, as in the tutorial
SHORTEST_LEAD = 24  # hours that the last origin must be able to see


@dataclass(frozen=True)
class Backtest:
    """Forecasts [candidates, origins, horizon] and actual [origins, horizon], NaN where missing or not yet known."""

    recipes: tuple[Recipe, ...]
    seconds: tuple[float, ...]
    origins: Numbers
    forecasts: Values
    actual: Values
    window: int  # hours
    skipped: dict[str, str] = field(default_factory=dict)  # recipe -> why it was not tried
    shifts: tuple[Shift, ...] = ()  # changes of level, for which the series was restated
    settled: int = 0  # index of the first hour at the newest level
    spike_limit: float = math.inf  # beyond which hours count as missing


Watch = Callable[[float], object]  # told after each recipe, to draw a progress bar


def plan(hours: int, horizon: int, backtest_days: int, settled: int = 0) -> tuple[Numbers, int]:
    """(origins, hours between refits): at most 40 % of the history and `backtest_days`, some 60 origins or more.

    Newer errors say more: the window is no longer than the larger of 12 days, 6 horizons and a twelfth of the history.
    When the level changed within the last two days, at hour `settled`, every hour since then is an origin.
    """
    window = min(int(0.4 * hours), 24 * backtest_days, max(288, 6 * horizon, hours // 12))
    window = min(window, max(hours - LEAST_LEARNED, hours // 5, 48))
    start = hours - window
    last = max(hours - min(SHORTEST_LEAD, horizon, window // 2), start)
    stride = max(1, min(6, (last - start) // 60))
    origins = np.arange(last, start - 1, -stride)[::-1]
    if settled > hours - 2 * SHORTEST_LEAD:
        origins = np.union1d(origins, np.arange(settled, hours))
    return origins, max(-(-(last - start + 1) // REFITS), 24)


def backtest(
    known: Grid,
    recipes: Sequence[Recipe],
    horizon: int,
    backtest_days: int,
    seasonality: Sequence[int],
    watch: Watch,
    budget_seconds: float = math.inf,
    gated: bool = False,
) -> Backtest:
    """Forecasts of every recipe that can be fitted, from every origin, each by a fit that ends before the origin.

    All work on `known` restated at its newest level (`gated`: see level.find), without its spikes, which
    count as missing hours. When the budget is spent, what is left of the recipes is skipped, the naives excepted.
    """
    begun = time.perf_counter()
    shifts = level_shifts.find(known, seasonality, gated=gated)
    known, settled = level_shifts.restate(known, shifts), level_shifts.index_of(known, shifts[-1]) if shifts else 0
    spike_limit = outliers.limit(known.values, seasonality)
    values = outliers.without(known.values, seasonality, spike_limit)
    known = replace(known, values=values)
    origins, block = plan(len(values), horizon, backtest_days, settled)
    tried: list[tuple[Recipe, Values, float]] = []
    skipped: dict[str, str] = {}
    for recipe in recipes:
        started = time.perf_counter()
        if why := obstacle(values, recipe, before=int(origins[0])):
            skipped[recipe.name] = why
        elif started - begun > budget_seconds and recipe.estimator != NAIVE:
            skipped[recipe.name] = f"budget_seconds = {budget_seconds:g} was spent"
        else:
            chosen = tune_forest(recipe, known, seasonality) if recipe.estimator == "random_forest" else recipe
            forecasts = _roll(known, chosen, origins, block, horizon, seasonality)
            tried.append((chosen, forecasts, time.perf_counter() - started))
        watch(1)
    if not tried:
        raise ForecastError(
            f"{len(values)} hours are too few for a season of {min(seasonality)} h; wait, or shorten seasonality in "
            "config.toml"
        )
    usable, forecasts_of_all, seconds = zip(*tried, strict=True)
    actual = np.concatenate([values, np.full(horizon, np.nan)])[origins[:, None] + np.arange(horizon)]
    window = len(values) - int(origins[0])
    found = np.array(forecasts_of_all)
    return Backtest(usable, seconds, origins, found, actual, window, skipped, shifts, settled, spike_limit)


def _roll(
    known: Grid, recipe: Recipe, origins: Numbers, block: int, horizon: int, seasonality: Sequence[int]
) -> Values:
    """Forecasts [origins, horizon] of one recipe, fitted anew for each block of origins."""
    values, first_hour = known.values, to_seconds(known.start) // HOUR
    filled = features.fill_missing(values, seasonality)
    forecasts = np.empty((len(origins), horizon))
    for end, here in _blocks(origins, block):
        columns = known.exogenous
        fitted = forecaster.fit(values[:end], recipe, first_hour=first_hour, seasonality=seasonality, columns=columns)
        forecasts[here] = forecaster.predict(
            fitted, filled, origins[here], horizon, first_hour=first_hour, columns=columns
        )
    return forecasts


def _blocks(origins: Numbers, block: int) -> Iterator[tuple[int, Flags]]:
    """(end of the training data, origins that this fit serves)."""
    for end in range(int(origins[0]), int(origins[-1]) + 1, block):
        here = (origins >= end) & (origins < end + block)
        if here.any():
            yield end, here


def tune_forest(recipe: Recipe, known: Grid, seasonality: Sequence[int]) -> Recipe:
    """The best of FOREST_GRID by squared error 10 hours ahead, fitted on the older 80 % and tried on the newer 20 %."""
    values, first_hour = known.values, to_seconds(known.start) // HOUR
    end = int(0.8 * len(values))
    origins = np.arange(end, len(values) - TUNING_HORIZON, TUNING_HORIZON)
    actual = values[origins[:, None] + np.arange(TUNING_HORIZON)]
    filled = features.fill_missing(values, seasonality)

    def error(parameters: dict[str, int]) -> float:
        wanted = replace(recipe, parameters={**recipe.parameters, **parameters})
        fitted = forecaster.fit(values[:end], wanted, first_hour=first_hour, seasonality=seasonality)
        ahead = forecaster.predict(fitted, filled, origins, TUNING_HORIZON, first_hour=first_hour)
        return float(np.nanmean((ahead - actual) ** 2))

    best = min(recipes_module.FOREST_GRID, key=error)
    return replace(recipe, parameters={**recipe.parameters, **best})


# Metrics -----------------------------------------------------------------------------------------------------------


# Leaderboard -------------------------------------------------------------------------------------------------------


# Champion and challenger -------------------------------------------------------------------------------------------

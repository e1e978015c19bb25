"""Who forecasts best: rolling-origin backtest, metrics, leaderboard, blend, champion against challenger.

Pure functions. All candidates forecast the same hours from the same origins, each fitted on what came before. Near the
end of the series the horizon is cut to what is known, so that the newest hours count as well.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import forecaster, intervals, level, spikes
from pipeline.forecaster import FittedRecipe, Forecaster, ForecastError, Recipe
from pipeline.level import Shift
from pipeline.series import HOUR, Grid, Values, to_seconds

Numbers = NDArray[np.int64]
BLEND, NAIVE = "blend", "seasonal_naive"
BLEND_POWER = 6.0  # weights are the inverse relative error to this power
SMALLEST_SHARE = 0.01  # of a blend; crumbs are dropped so that the file stays small
GROUPS = 4  # of origins: a blend is judged with weights that never saw the origins it is judged on
LEAST_LEARNED = 420  # hours before the first origin, where the history has them: with less, all but the naives look bad
REFITS = 5  # over the backtest's window
SELECTION_NOISE = 0.5  # by which any other candidate must beat the blend
TUNING_HORIZON = 10  # hours, of the random forest's grid, as in the tutorial
FEWEST_GATE_HOURS = 48  # a champion younger than that is compared on hours it has learned from, which favours it
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


@dataclass(frozen=True)
class Candidate:
    """A row of the leaderboard: its forecasts [origins, horizon] over the backtest and the weights of its recipes."""

    name: str
    weights: Values  # over the backtest's recipes
    forecasts: Values
    mae: float
    mase: float | None  # None where the history has no seasonal change to compare with
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {"candidate": self.name, "mae": self.mae, "mase": self.mase, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Gate:
    """Champion and challenger on the same newest hours. Errors in the series' unit."""

    promoted: bool
    reason: str
    champion_mae: float | None
    challenger_mae: float
    scored: int  # forecasts compared


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
    shifts = level.find(known, seasonality, gated=gated)
    known, settled = level.restate(known, shifts), level.index_of(known, shifts[-1]) if shifts else 0
    spike_limit = spikes.limit(known.values, seasonality)
    values = spikes.without(known.values, seasonality, spike_limit)
    known = replace(known, values=values)
    origins, block = plan(len(values), horizon, backtest_days, settled)
    tried: list[tuple[Recipe, Values, float]] = []
    skipped: dict[str, str] = {}
    for recipe in recipes:
        started = time.perf_counter()
        if why := forecaster.obstacle(values, recipe, before=int(origins[0])):
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
    filled = forecaster.fill_missing(values, seasonality)
    forecasts = np.empty((len(origins), horizon))
    for end, here in _blocks(origins, block):
        columns = known.exogenous
        fitted = forecaster.fit(values[:end], recipe, first_hour=first_hour, seasonality=seasonality, columns=columns)
        forecasts[here] = forecaster.predict(
            fitted, filled, origins[here], horizon, first_hour=first_hour, columns=columns
        )
    return forecasts


def _blocks(origins: Numbers, block: int) -> Iterator[tuple[int, NDArray[np.bool_]]]:
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
    filled = forecaster.fill_missing(values, seasonality)

    def error(parameters: dict[str, int]) -> float:
        wanted = replace(recipe, parameters={**recipe.parameters, **parameters})
        fitted = forecaster.fit(values[:end], wanted, first_hour=first_hour, seasonality=seasonality)
        ahead = forecaster.predict(fitted, filled, origins, TUNING_HORIZON, first_hour=first_hour)
        return float(np.nanmean((ahead - actual) ** 2))

    best = min(forecaster.FOREST_GRID, key=error)
    return replace(recipe, parameters={**recipe.parameters, **best})


# Metrics -----------------------------------------------------------------------------------------------------------


def mae_by_lead(forecasts: Values, actual: Values) -> Values:
    """[horizon] mean absolute error over the origins; NaN for a lead that was never observed."""
    miss = np.abs(forecasts - actual)
    counts = np.count_nonzero(~np.isnan(miss), axis=0)
    return np.where(counts > 0, np.nansum(miss, axis=0) / np.maximum(counts, 1), np.nan)


def mae(forecasts: Values, actual: Values) -> float:
    """Mean over the leads of the mean absolute error at each: short leads, seen more often, count no more."""
    return float(np.nanmean(mae_by_lead(forecasts, actual)))


def seasonal_scale(values: Values, seasonality: Sequence[int]) -> float:
    """Mean absolute seasonal difference, the denominator of MASE (Hyndman & Koehler 2006), at the longest season that
    the history holds twice; 0 where it holds no such pair of hours."""
    season = max((s for s in seasonality if len(values) >= 2 * s), default=1)
    change = np.abs(values[season:] - values[:-season])
    return float(np.nanmean(change)) if not np.isnan(change).all() else 0.0


def _relative_errors(test: Backtest, nonnegative: bool) -> Values:
    """[recipes] the error that weights a blend: relative where nothing is negative, so that quiet hours count too."""
    miss = np.abs(test.forecasts - test.actual)
    if nonnegative:
        typical = np.nanmean(np.abs(test.actual)) + 1e-12
        miss = miss / (np.abs(test.forecasts) + np.abs(test.actual) + 0.01 * typical)
    return np.asarray(np.nanmean(miss, axis=(1, 2)))


# Leaderboard -------------------------------------------------------------------------------------------------------


def leaderboard(test: Backtest, known: Grid, seasonality: Sequence[int], families: Sequence[str]) -> list[Candidate]:
    """Every wanted candidate, the best first. A blend is judged out of sample (see GROUPS)."""
    values = level.restate(known, test.shifts).values
    scale = seasonal_scale(values, seasonality)

    def candidate(name: str, weights: Values, forecasts: Values, seconds: float) -> Candidate:
        error = mae(forecasts, test.actual)
        return Candidate(name, weights, forecasts, error, error / scale if scale else None, seconds)

    single = np.eye(len(test.recipes))
    board = [
        candidate(recipe.name, single[i], test.forecasts[i], test.seconds[i])
        for i, recipe in enumerate(test.recipes)
        if recipe.estimator in families or recipe.estimator == NAIVE
    ]
    if BLEND in families:
        nonnegative = bool(np.nanmin(values) >= 0)
        weights = _weights(test, nonnegative)
        board.append(candidate(BLEND, weights, _blended(test, nonnegative), sum(test.seconds)))
    return sorted(board, key=lambda row: row.mae)


def challengers(board: Sequence[Candidate]) -> list[Candidate]:
    """The leaderboard in the order in which its candidates may challenge, up to the best seasonal naive.

    Others must beat the blend clearly: the best of some forty on a few hundred hours looks better than it is. On M4's
    hourly series the blend won most of the time even where a naive had looked better by a third. What loses to the
    naive by more than that may not challenge at all.
    """

    def handicapped(row: Candidate) -> float:
        return row.mae * (1 if row.name == BLEND else 1 + SELECTION_NOISE)

    ranked = sorted(board, key=handicapped)
    naive = next(place for place, row in enumerate(ranked) if row.name.startswith(NAIVE))
    return ranked[: naive + 1]


def _weights(test: Backtest, nonnegative: bool) -> Values:
    """[recipes] the blend's weights: the linear recipes and the naives, which numpy alone can serve."""
    blendable = np.array([recipe.estimator in ("ridge", NAIVE) for recipe in test.recipes])
    weights = np.zeros(len(test.recipes))
    weights[blendable] = blend_weights(_relative_errors(test, nonnegative)[blendable])
    return weights


def blend_weights(errors: Values) -> Values:
    """[recipes] inverse error to BLEND_POWER, without the crumbs, sum 1."""
    raw = ((errors + 1e-9) / (errors.min() + 1e-9)) ** -BLEND_POWER
    share = raw / raw.sum()
    share = np.where(share < min(SMALLEST_SHARE, share.max()), 0.0, share)
    return np.asarray(share / share.sum())


def _blended(test: Backtest, nonnegative: bool) -> Values:
    """Blend forecasts [origins, horizon]; each group of origins is blended with weights from the other groups."""
    group = np.arange(len(test.origins)) * GROUPS // len(test.origins)
    blended = np.empty_like(test.actual)
    for number in np.unique(group):
        mine, others = group == number, group != number
        rest = replace(test, forecasts=test.forecasts[:, others], actual=test.actual[others])
        rest = test if np.isnan(rest.actual).all() else rest
        blended[mine] = np.tensordot(_weights(rest, nonnegative), test.forecasts[:, mine], 1)
    return blended


# Champion and challenger -------------------------------------------------------------------------------------------


def build(winner: Candidate, test: Backtest, known: Grid, seasonality: Sequence[int], coverage: float) -> Forecaster:
    """The winner, fitted on everything known, its interval calibrated on its own backtest residuals."""
    first_hour, values = to_seconds(known.start) // HOUR, level.restate(known, test.shifts).values
    learned = spikes.without(values, seasonality, test.spike_limit)
    chosen = np.flatnonzero(winner.weights)
    members: tuple[FittedRecipe, ...] = tuple(
        forecaster.fit(
            learned, test.recipes[i], first_hour=first_hour, seasonality=seasonality, columns=known.exogenous
        )
        for i in chosen
    )
    spread = intervals.calibrate(
        test.actual - winner.forecasts,
        winner.forecasts,
        first_hour + test.origins[:, None] + np.arange(test.actual.shape[1]),
        nonnegative=bool(np.nanmin(values) >= 0),
        span=test.window,
    )
    return Forecaster(
        members, winner.weights[chosen], spread, coverage, tuple(seasonality), test.shifts, test.spike_limit
    )


def stored_forecasts(champion: Forecaster, known: Grid, test: Backtest) -> Values | None:
    """What the champion, as it is stored, forecasts from the backtest's origins; None when they reach back too far, or
    when a column that it needs is not there."""
    if champion.reach > test.origins[0] or not set(champion.columns) <= set(known.exogenous):
        return None
    first_hour = to_seconds(known.start) // HOUR
    history = champion.history(known)
    paths = [
        forecaster.predict(
            member, history, test.origins, test.actual.shape[1], first_hour=first_hour, columns=known.exogenous
        )
        for member in champion.members
    ]
    return np.tensordot(champion.weights, np.array(paths), 1)


def gate(
    challenger: Candidate, champion: Values | None, test: Backtest, *, hours: int, newest_hours: int, margin: float
) -> Gate:
    """Champion and challenger on the newest `newest_hours` of `hours`; the challenger needs a margin.

    When the level changed within these hours, only forecasts made since then count: what was made before says nothing
    about how it goes on.
    """
    target = test.origins[:, None] + np.arange(test.actual.shape[1])
    settled = test.settled > hours - newest_hours
    newest_hours = hours - test.settled if settled else newest_hours
    change = f"{test.shifts[-1]}; " if settled else ""
    counts = test.origins[:, None] >= test.settled if settled else target >= hours - newest_hours
    recent = np.where(counts, test.actual, np.nan)
    scored = int(np.count_nonzero(~np.isnan(recent)))
    new = mae(challenger.forecasts, recent)
    if champion is None:
        return Gate(True, "there is no champion that could be compared", None, new, scored)
    old = mae(champion, recent)
    better = new < (1 - margin) * old
    reason = (
        f"{change}on the newest {newest_hours} h the challenger {challenger.name} errs {new:,.4g}, "
        f"the champion {old:,.4g}; "
        f"{'better' if better else 'not better'} by the margin of {margin:.1%}"
    )
    return Gate(better, reason, old, new, scored)

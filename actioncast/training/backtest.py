"""The backtest: what every candidate would have forecast, from the same origins on the newest
hours. Pure functions.

Each candidate is fitted only on hours before its origins. Near the end of the series the horizon is
cut to the hours that exist, so that the newest hours count as well.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from actioncast.arrays import Flags, Numbers, Values, np
from actioncast.forecasting import features, forecaster
from actioncast.forecasting.recipes import FOREST_GRID, NAIVE, ForecastError, Recipe, obstacle
from actioncast.periods.axis import Cycles
from actioncast.training.clean import CleanSeries
from actioncast.training.work import Amount, work_of

LARGEST_SHARE = 0.4  # of the history that the backtest's window may take
LONG_WINDOW = 12  # days: a longer window takes a long horizon or a long history
HORIZONS = 6  # that a window should hold
HISTORY_SHARE = 12  # a window should hold one period in so many of the history
FEWEST_LEARNED = 17.5  # days before the first origin, where the history has them: with less, only naives look good
FEWEST_ORIGINS = 60  # about; the stride is short enough for so many
LONGEST_STRIDE = 0.25  # days from one origin to the next, of periods within a day
REFITS = 5  # over the backtest's window
SLOWEST = 15  # times as many seconds as the budget has units of work: the last guard
SHORTEST_LEAD = 1  # days that the last origin must be able to see
SLOW = "arima"  # fitted once: its search takes longest, and its states know each value until the origin
TUNING_HORIZON = 10  # hours, of the random forest's grid, as in the tutorial
TUNING_SHARE = 0.8  # of the history that a forest of the grid is fitted on; the newer hours judge it

log = logging.getLogger("actioncast")
Watch = Callable[[float], object]  # called with 1 after each recipe, to advance a progress bar


@dataclass(frozen=True)
class Plan:
    """Where a backtest forecasts from, how far, and how often its recipes are fitted anew."""

    origins: Numbers  # ascending, indices into the hours of the series
    horizon: int  # hours
    refit_periods: int  # from one fit to the next

    @property
    def first_origin(self) -> int:
        return int(self.origins[0])

    def amount_of(self, recipe: Recipe) -> Amount:
        """How much a recipe has to do in this backtest."""
        return Amount(
            fits=1 if recipe.estimator == SLOW else REFITS,
            learned=min(self.first_origin, forecaster.most_learned(recipe)),
            origins=len(self.origins),
            horizon=self.horizon,
        )


@dataclass(frozen=True)
class Backtest:
    """Forecasts [recipes, origins, horizon] and actual [origins, horizon], NaN where missing or still to come."""

    series: CleanSeries
    recipes: tuple[Recipe, ...]
    seconds: tuple[float, ...]  # that each recipe took
    origins: Numbers
    forecasts: Values
    actual: Values
    skipped: dict[str, str] = field(default_factory=dict)  # recipe -> why it was not tried

    @property
    def target(self) -> Numbers:
        """[origins, horizon] index of the hour that each forecast is for; beyond the series' end for the newest."""
        return periods_ahead(self.origins, self.actual.shape[1])

    @property
    def window(self) -> int:
        """Periods from the first origin to the end of the series."""
        return len(self.series) - int(self.origins[0])


@dataclass(frozen=True)
class _Trial:
    """One recipe's forecasts [origins, horizon] and the seconds that they took."""

    recipe: Recipe
    forecasts: Values
    seconds: float


def periods_ahead(origins: Numbers, horizon: int) -> Numbers:
    """[origins, horizon] indices of the hours that forecasts from these origins are for."""
    ahead: Numbers = origins[:, None] + np.arange(horizon)
    return ahead


def plan(periods: int, *, horizon: int, longest: int, cycles: Cycles, settled: int = 0) -> Plan:
    """Choose the origins for a history of so many periods, and the periods between two fits.

    Newer errors say more: the window is no longer than the larger of 12 days, 6 horizons and a
    twelfth of the history; of weeks and longer periods 12 count.
    When the level changed within the last two days, at the position `settled`, every period since
    then is an origin.
    """
    day = cycles.days(SHORTEST_LEAD)
    window = _window(periods, horizon, longest, cycles)
    start = periods - window
    last = max(periods - min(day, horizon, window // 2), start)
    stride = max(1, (last - start) // FEWEST_ORIGINS)
    if cycles.timeline.frequency.is_within_day:
        stride = min(cycles.days(LONGEST_STRIDE), stride)
    origins = np.arange(last, start - 1, -stride)[::-1]
    if settled > periods - 2 * day:
        origins = np.union1d(origins, np.arange(settled, periods))
    refit_periods = math.ceil((last - start + 1) / REFITS)
    return Plan(origins, horizon, max(refit_periods, day))


def _window(periods: int, horizon: int, longest: int, cycles: Cycles) -> int:
    """Length of the backtest in periods; the first of the history is before it."""
    informative = max(cycles.days(LONG_WINDOW), HORIZONS * horizon, periods // HISTORY_SHARE)
    window = min(int(LARGEST_SHARE * periods), longest, informative)
    fewest = max(1, min(2 * cycles.days(SHORTEST_LEAD), periods - 1))
    affordable = max(periods - cycles.days(FEWEST_LEARNED), periods // 5, fewest)
    return max(1, min(window, affordable))


def backtest(
    series: CleanSeries,
    recipes: Sequence[Recipe],
    *,
    horizon: int,
    longest: int,
    watch: Watch,
    budget: float = math.inf,
) -> Backtest:
    """Forecast with every recipe that can be fitted, from every origin, each by a fit that ends
    before the origin.

    A recipe whose work (work.py) is more than what is left of the budget is skipped, but never a
    naive: the same ones on every machine. Raises ForecastError when none can be fitted.
    """
    deadline = time.perf_counter() + SLOWEST * budget
    spent = 0.0
    folds = plan(len(series), horizon=horizon, longest=longest, cycles=series.cycles, settled=series.settled)
    trials: list[_Trial] = []
    skipped: dict[str, str] = {}
    for recipe in recipes:
        work = work_of(recipe, folds.amount_of(recipe))
        reason = obstacle(series.without_spikes, recipe, before=folds.first_origin)
        if not reason and recipe.estimator != NAIVE:
            reason = _reason_to_stop(work, budget - spent, deadline)
        if not reason:
            spent += work
            try:
                trials.append(_try(recipe, series, folds))
            except ForecastError as error:
                reason = str(error)
        if reason:
            skipped[recipe.name] = reason
        watch(1)
    if not trials:
        raise ForecastError(
            f"{len(series)} {series.history.timeline.frequency.plural} are too few for a season of "
            f"{min(series.seasonality)}; wait, or shorten seasonality in config.toml"
        )
    return Backtest(
        series=series,
        recipes=tuple(trial.recipe for trial in trials),
        seconds=tuple(trial.seconds for trial in trials),
        origins=folds.origins,
        forecasts=np.array([trial.forecasts for trial in trials]),
        actual=_actual(series, folds),
        skipped=skipped,
    )


def _reason_to_stop(work: float, left: float, deadline: float) -> str:
    """Why a recipe with this much work is skipped; empty when it is not."""
    if work > left:
        return f"work of {work:.1f}, and {max(left, 0):.1f} is left of train.budget"
    if time.perf_counter() > deadline:
        log.warning("this machine takes over %d times as long as train.budget allows; candidates are skipped", SLOWEST)
        return f"this machine took over {SLOWEST} times as long as train.budget allows"
    return ""


def _actual(series: CleanSeries, folds: Plan) -> Values:
    """[origins, horizon] the hours that the forecasts are for; NaN for spikes, missing hours and hours to come."""
    still_to_come = np.full(folds.horizon, np.nan)
    values = np.concatenate([series.without_spikes.values, still_to_come])
    return values[periods_ahead(folds.origins, folds.horizon)]


def _try(recipe: Recipe, series: CleanSeries, folds: Plan) -> _Trial:
    """Forecast from every origin with one recipe; a random forest is tuned first."""
    started = time.perf_counter()
    if recipe.estimator == "random_forest":
        recipe = tune_forest(recipe, series)
    forecasts = _roll(recipe, series, folds)
    return _Trial(recipe, forecasts, time.perf_counter() - started)


def _roll(recipe: Recipe, series: CleanSeries, folds: Plan) -> Values:
    """Forecasts [origins, horizon] of one recipe, fitted anew for each block of origins."""
    grid = series.without_spikes
    filled = features.fill_missing(grid.values, series.seasonality)
    forecasts = np.empty((len(folds.origins), folds.horizon))
    blocks = _one_block(folds) if recipe.estimator == SLOW else _blocks(folds)
    for end, block in blocks:
        fitted = forecaster.fit(
            grid.values[:end],
            recipe,
            axis=series.axis,
            seasonality=series.seasonality,
            columns=grid.exogenous,
        )
        forecasts[block] = forecaster.predict(
            fitted,
            filled,
            folds.origins[block],
            folds.horizon,
            axis=series.axis,
            columns=grid.exogenous,
        )
    return forecasts


def _blocks(folds: Plan) -> Iterator[tuple[int, Flags]]:
    """Pairs of the end of the training data and the origins [origins] that a fit on it serves."""
    last_origin = int(folds.origins[-1])
    for end in range(folds.first_origin, last_origin + 1, folds.refit_periods):
        block = (folds.origins >= end) & (folds.origins < end + folds.refit_periods)
        if block.any():
            yield end, block


def _one_block(folds: Plan) -> Iterator[tuple[int, Flags]]:
    """One fit for all origins."""
    yield folds.first_origin, np.ones(len(folds.origins), dtype=np.bool_)


def tune_forest(recipe: Recipe, series: CleanSeries) -> Recipe:
    """The recipe with the parameters of FOREST_GRID that err least on the newest fifth of the history."""
    candidates = [replace(recipe, parameters=recipe.parameters | chosen) for chosen in FOREST_GRID]
    return min(candidates, key=lambda candidate: _tuning_error(candidate, series))


def _tuning_error(recipe: Recipe, series: CleanSeries) -> float:
    """Mean squared error up to 10 hours ahead of a fit on the older 80 % of the history."""
    values = series.without_spikes.values
    end = int(TUNING_SHARE * len(values))
    origins = np.arange(end, len(values) - TUNING_HORIZON, TUNING_HORIZON)
    fitted = forecaster.fit(
        values[:end],
        recipe,
        axis=series.axis,
        seasonality=series.seasonality,
    )
    forecasts = forecaster.predict(
        fitted,
        features.fill_missing(values, series.seasonality),
        origins,
        TUNING_HORIZON,
        axis=series.axis,
    )
    errors = forecasts - values[periods_ahead(origins, TUNING_HORIZON)]
    return float(np.nanmean(errors**2))

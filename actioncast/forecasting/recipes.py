"""Recipes: what can be fitted to a series, and the pool of them that a training tries."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actioncast.arrays import np
from actioncast.errors import ActioncastError
from actioncast.forecasting.guests import zero_shot
from actioncast.forecasting.naive import NO_SEASON
from actioncast.periods.frequency import WEEK
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import UTC_HOURS, Timeline
from utils import Predictors, create_predictors

BLEND = "blend"
NAIVE = "seasonal_naive"
DIRECT = "lightgbm_direct"
BORROWED = "borrowed"  # the shape of a week of another series
LONGEST_HORIZON = 24 * 92  # periods
FEWEST_ROWS = 60  # periods within a day that a recipe learns from, at least
FEWEST_SMOOTHED = 8  # likewise, of the statistical families
FEWEST_LONG_ROWS = 20  # likewise, periods of a day and longer
FEW_SEASONS = 3  # a history with no more of its longest season also gets recipes without it
LONGEST_SMOOTHED = 24  # periods of a season that the statistical families can learn
ZERO_SHOT = ("fracast", "flair")  # estimators, of actioncast/forecasting/guests
LONGEST_CONTEXT = 512  # periods that a guest sees at most
STATISTICAL = ("ets", "theta", "ces", "arima")  # estimators, of actioncast/forecasting/statistical
# Terms of the calendar that candidates may use; those of shorter periods are utils.py's own.
CALENDARS = {
    "D": ("weekday", "day_of_year", "week_of_month", "end_of_month"),
    "W": ("day_of_year",),
    "MS": ("month",),
    "QS": ("month",),
    "YS": (),
}
TREE_SETS = ("trees", "trees_exogenous", "tutorial")  # of LightGBM and of the random forest
BOOSTING = {
    "n_estimators": 100,
    "num_leaves": 15,
    "learning_rate": 0.08,
    "min_child_samples": 10,
}
DIRECT_SEASONS = 16  # of the longest season that a direct recipe needs
DIRECT_BOOSTING = {
    "n_estimators": 150,
    "num_leaves": 16,
    "learning_rate": 0.05,
    "min_child_samples": 300,
}
# The tutorial's grid (100 or 500 trees of depth 3, 5 or 10), without the forests whose file is too
# large for git.
FOREST_GRID = (
    {"n_estimators": 100, "max_depth": 3},
    {"n_estimators": 100, "max_depth": 5},
    {"n_estimators": 500, "max_depth": 3},
)


class ForecastError(ActioncastError):
    """There is not enough to learn or to forecast from."""


@dataclass(frozen=True)
class Recipe:
    """What to fit: an estimator, its predictors and the transformations around it."""

    name: str
    # seasonal_naive | ridge | random_forest | lightgbm | lightgbm_direct | borrowed | ets | theta | ces | arima | guest
    estimator: str
    predictors: Predictors
    log: bool = False
    difference: int = 0  # lag of the difference: 0 none, 1 to the period before, 24 to the day before
    loss: str = "absolute"  # of ridge: "absolute" aims at the median, "squared" at the mean
    alpha: float = 0.1  # of ridge: the penalty on standardised levels
    parameters: dict[str, Any] = field(default_factory=dict)  # of the tree estimators

    @property
    def memory(self) -> int:
        """Periods, after differencing, that one step looks back on."""
        return max((*self.predictors.lags, *self.predictors.windows))

    @property
    def reach(self) -> int:
        """Periods of history that one step needs."""
        return self.memory + self.difference


def recipe_pool(
    seasonality: Sequence[int],
    families: Iterable[str],
    seed: int,
    *,
    periods: int,
    timeline: Timeline = UTC_HOURS,
    columns: Sequence[str] = (),
    horizon: int = 0,
) -> list[Recipe]:
    """The recipes of these families for a history of so many periods, by promise: what a budget may leave out is last.

    Seasonal naives are always among them, the longest season first, and the last value as the
    forecast of a history that holds no season. `seasonality` is in periods, ascending; `columns` are
    the exogenous columns that recipes may use. Direct recipes are made for a `horizon`.
    """
    families = set(families)
    sets = _predictor_sets(seasonality, periods, columns, timeline)
    pool = [_seasonal_naive(season) for season in reversed(seasonality)]
    if periods < FEW_SEASONS * seasonality[0] and NO_SEASON not in seasonality:
        pool.append(_seasonal_naive(NO_SEASON))
    if not timeline.frequency.is_within_day:
        pool += _statistical(seasonality, families)
    pool += [_guest(name, seasonality, periods) for name in ZERO_SHOT if name in families]
    if families & {"ridge", "blend"}:
        pool += _ridges(seasonality, sets)
    if timeline.frequency.seconds >= WEEK:
        return pool  # trees need more rows than years have weeks
    if "lightgbm" in families:
        pool.append(_boosting("lightgbm", sets["trees"], seed))
        if columns:
            pool.append(_boosting("lightgbm_exogenous", sets["trees_exogenous"], seed))
    if horizon and families & {"lightgbm", BLEND} and _is_long_enough(periods, seasonality, timeline):
        pool.append(_direct(seasonality, horizon, seed, columns))
    if "random_forest" in families:
        pool.append(_random_forest(sets, seed))
    return pool


def _statistical(seasonality: Sequence[int], families: set[str]) -> list[Recipe]:
    """The families of exponential smoothing, on the longest season that they can learn."""
    season = max((season for season in seasonality if season <= LONGEST_SMOOTHED), default=NO_SEASON)
    return [Recipe(name, name, Predictors((season,))) for name in STATISTICAL if name in families or BLEND in families]


def _predictor_sets(
    seasonality: Sequence[int],
    periods: int,
    columns: Sequence[str],
    timeline: Timeline,
) -> dict[str, Predictors]:
    """The user's predictor sets; for a short history also those without its longest season."""
    sets = _sets_of_the_user(seasonality, columns, timeline)
    if len(seasonality) > 1 and periods <= FEW_SEASONS * seasonality[-1]:
        short_sets = _sets_of_the_user(seasonality[:-1], (), timeline)
        sets |= {f"short_{name}": predictors for name, predictors in short_sets.items()}
    return sets


def _sets_of_the_user(
    seasonality: Sequence[int],
    columns: Sequence[str],
    timeline: Timeline,
) -> dict[str, Predictors]:
    """What `create_predictors` of utils.py makes. A user's own version may take fewer arguments."""
    arguments: dict[str, Any] = {}
    if columns:
        arguments["exogenous"] = columns
    calendar = CALENDARS.get(timeline.frequency.unit)
    if calendar is not None and "calendar" in inspect.signature(create_predictors).parameters:
        arguments["calendar"] = calendar
    return create_predictors(seasonality, **arguments)


def _seasonal_naive(season: int) -> Recipe:
    return Recipe(f"seasonal_naive_{season}", "seasonal_naive", Predictors((season,)))


def _random_forest(sets: Mapping[str, Predictors], seed: int) -> Recipe:
    return Recipe(
        name="random_forest",
        estimator="random_forest",
        predictors=sets["tutorial"],
        parameters={"random_state": seed},
    )


def _boosting(name: str, predictors: Predictors, seed: int) -> Recipe:
    return Recipe(
        name=name,
        estimator="lightgbm",
        predictors=predictors,
        parameters={**BOOSTING, "random_state": seed},
    )


def _guest(name: str, seasonality: Sequence[int], periods: int) -> Recipe:
    """A guest sees half of the history, so that the other half can judge it."""
    context = min(LONGEST_CONTEXT, max(seasonality[-1], periods // 2))
    return Recipe(name, name, Predictors((1,), windows=(context,)))


def _is_long_enough(periods: int, seasonality: Sequence[int], timeline: Timeline) -> bool:
    """Whether a direct recipe has enough to learn from: periods within a day, and many of their longest seasons."""
    return timeline.frequency.is_within_day and periods >= DIRECT_SEASONS * seasonality[-1] > NO_SEASON


def _direct(seasonality: Sequence[int], horizon: int, seed: int, columns: Sequence[str]) -> Recipe:
    """LightGBM for every lead; its windows say how far it looks back, its lags are the shortest and longest season."""
    day, week = seasonality[0], seasonality[-1]
    return Recipe(
        name=DIRECT,
        estimator=DIRECT,
        predictors=Predictors((day, week), windows=(4 * week,), exogenous=tuple(columns)),
        parameters={**DIRECT_BOOSTING, "random_state": seed, "horizon": horizon},
    )


def _ridges(seasonality: Sequence[int], sets: Mapping[str, Predictors]) -> list[Recipe]:
    """Ridge recipes on every predictor set, with and without log.

    There are many of them because a blend lives from the diversity of its members.
    """
    pool: list[Recipe] = []
    for log in (False, True):
        for name, predictors in sets.items():
            if name.removeprefix("short_") in TREE_SETS:
                continue
            label = f"ridge_{name}_log" if log else f"ridge_{name}"
            if predictors.calendar:
                pool += _calendar_ridges(label, predictors, log)
            else:
                pool += _autoregressions(label, predictors, log, seasonality)
    # Recipes with columns come last: they are the ones that a tight training budget may leave out.
    return sorted(pool, key=lambda recipe: bool(recipe.predictors.exogenous))


def _calendar_ridges(label: str, predictors: Predictors, log: bool) -> list[Recipe]:
    """Under both losses, or under squares alone when there are columns.

    None has a difference: it would add up the hourly drifts of calendar terms over the horizon.
    """
    squared = Recipe(
        name=f"{label}_squared",
        estimator="ridge",
        predictors=predictors,
        log=log,
        loss="squared",
        alpha=0.3,
    )
    if predictors.exogenous:
        return [squared]
    return [Recipe(label, "ridge", predictors, log=log, alpha=1.0), squared]


def _autoregressions(
    label: str,
    predictors: Predictors,
    log: bool,
    seasonality: Sequence[int],
) -> list[Recipe]:
    """Without a difference and, unless there are columns, with several.

    The differences are those to the hour before and to one season before, for each season.
    """
    differences = (0,) if predictors.exogenous else (0, 1, *seasonality)
    unique = dict.fromkeys(differences)
    pool = []
    for lag in unique:
        name = f"{label}_diff{lag}" if lag else label
        pool.append(Recipe(name, "ridge", predictors, log=log, difference=lag))
    return pool


def obstacle(history: Grid, recipe: Recipe, *, before: int) -> str:
    """Why the recipe cannot be fitted on the periods before this position; empty when it can."""
    values = history.values
    if recipe.estimator in ZERO_SHOT and not zero_shot.is_installed(recipe.estimator):
        return "its package is not installed; pip install -r requirements/guests.txt"
    if recipe.log and np.nanmin(values) < 0:
        return "there are negative values"
    fewest_rows = 0
    if recipe.estimator != "seasonal_naive":
        fewest_rows = _fewest_rows(history, recipe)
    targets = values[recipe.reach : before]
    rows = int(np.count_nonzero(~np.isnan(targets)))
    if before < recipe.reach or rows < fewest_rows:
        return (
            f"needs {fewest_rows} known {history.timeline.frequency.plural} beyond the {recipe.reach} it looks "
            f"back on, the backtest starts after {before}"
        )
    return ""


def _fewest_rows(history: Grid, recipe: Recipe) -> int:
    """How many periods a recipe must be able to learn from."""
    if recipe.estimator in (*STATISTICAL, *ZERO_SHOT, BORROWED):
        return FEWEST_SMOOTHED
    is_within_day = history.timeline.frequency.is_within_day
    return max(FEWEST_ROWS if is_within_day else FEWEST_LONG_ROWS, len(recipe.predictors.lags))

"""The forecaster: fits recipes to past hours and forecasts the next ones.

Words used throughout the wing:
- `values` [n] are those of a series, NaN where a period is missing.
- `axis` says which periods the positions of values are.
- An `origin` is an index into values: the first period that a forecast made there does not know.
- `levels` are values after a recipe's log and standardisation, before its differencing.

A fitted recipe is plain numbers. A linear one, with its differencing, window means and calendar
terms, is one filter on levels plus an intercept per phase of the week. Serving it takes numpy alone
and gives the numbers of skforecast's ForecasterRecursive (a test holds both to 1e-8 of each other).
Tree recipes learn from skforecast's own training matrices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from actioncast.arrays import Numbers, Values, np
from actioncast.forecasting import exogenous, outliers
from actioncast.forecasting.features import TrainingPeriods, fill_missing
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.guests import zero_shot
from actioncast.forecasting.intervals import AS_TRAINED, Spread, Width, bounds, distribution
from actioncast.forecasting.level_shifts import Shift, restate
from actioncast.forecasting.linear import fit_borrowed, fit_linear, walk_filter
from actioncast.forecasting.recipes import BORROWED, DIRECT, STATISTICAL, ZERO_SHOT, ForecastError, Recipe
from actioncast.forecasting.statistical.smoothing import made_of, walk
from actioncast.forecasting.trees import direct, recursive
from actioncast.periods.axis import Axis
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.periods.wall import Seen, seen_by

NO_COLUMNS: Mapping[str, Values] = {}
NEWEST_ROWS = 4_400  # hours, half a year, to learn from at most; more cost time and change little
NEWEST_OF_DIRECT = 17_520  # likewise, of a direct recipe: two years
LOG_FLOOR = 0.1  # of the lowest value learned from: an hour below it counts as this much in logs
LARGEST_LOG = 700  # exp of a larger number is infinite
LARGEST_MISSING_SHARE = 0.5  # of the hours looked back on
RANGE_MARGIN = 0.5  # of the range seen in training: how far beyond it a forecast may go
SMOOTHED_MARGIN = 1.5  # likewise, of a statistical family, which may have learned a trend
NEWEST_SMOOTHED = 1_500  # periods that a statistical family learns from at most
LEARNERS = {
    "ridge": fit_linear,
    "random_forest": recursive.fit_forest,
    "lightgbm": recursive.fit_boosting,
    DIRECT: direct.fit_direct,
    BORROWED: fit_borrowed,
}


@dataclass(frozen=True)
class Forecaster:
    """A weighted blend of fitted recipes (often one) and the spread of its errors."""

    members: tuple[FittedRecipe, ...]
    weights: Values  # [members], sum 1
    spread: Spread
    coverage: float  # share of hours that lower..upper shall hold
    seasonality: tuple[int, ...]  # hours, ascending: where missing hours are filled from
    shifts: tuple[Shift, ...] = ()  # changes of level: hours before them are restated
    spike_limit: float = math.inf  # in the series' unit: see outliers.limit
    timeline: Timeline = UTC_HOURS  # whose periods it has learned from
    levels: tuple[float, ...] = ()  # of the quantiles that a forecast states, ascending

    def clean_history(self, history: Grid) -> Values:
        """What a forecast looks back on [hours]: at the newest level, without spikes and gaps."""
        restated = restate(history, self.shifts).values
        without_spikes = outliers.without(restated, self.seasonality, self.spike_limit, outliers.longest(self.timeline))
        return fill_missing(without_spikes, self.seasonality)

    @property
    def reach(self) -> int:
        """Periods of history that a forecast needs."""
        return max(member.recipe.reach for member in self.members)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the exogenous columns that a forecast needs."""
        names: set[str] = set()
        for member in self.members:
            names.update(member.recipe.predictors.exogenous)
        return tuple(sorted(names))

    @property
    def since(self) -> int | None:
        """The number of the oldest period that a forecast needs, whatever the reach; None for no such one."""
        return min((member.since for member in self.members if member.smoothing), default=None)

    def warm(self) -> None:
        """Load the boosters, for which the first forecast would otherwise wait."""
        for member in self.members:
            if member.booster:
                recursive.booster(member.booster)


@dataclass(frozen=True)
class Forecast:
    """Arrays [horizon] in the series' unit, for the hours after the last one of the history."""

    prediction: Values
    lower: Values
    upper: Values
    levels: tuple[float, ...]  # of the quantiles
    quantiles: Values  # [levels, horizon]
    width: Width | None = None  # how live errors have changed the width; None: there were none


def fit(
    values: Values,
    recipe: Recipe,
    *,
    axis: Axis,
    seasonality: Sequence[int],
    columns: Mapping[str, Values] = NO_COLUMNS,
) -> FittedRecipe:
    """Fit a recipe on the newest of values [n].

    A missing hour serves as a filled lag, never as a target. `columns` are the exogenous ones [n or
    more], from the same first hour on.
    """
    oldest = max(0, len(values) - most_learned(recipe) - recipe.reach)
    positions = np.arange(oldest, len(values))
    newest = values[positions]
    low = float(np.nanmin(newest))
    high = float(np.nanmax(newest))
    fitted = FittedRecipe(recipe, low=low, high=high)
    if recipe.estimator == "seasonal_naive":
        only_the_oldest = np.eye(recipe.memory)[-1]
        return replace(fitted, filter=only_the_oldest)
    if recipe.estimator in ZERO_SHOT:
        return fitted
    filled = fill_missing(newest, seasonality)
    if recipe.estimator in STATISTICAL:
        return _fit_smoothing(fitted, filled, axis.first + oldest)
    fitted = _standardised(fitted, newest, filled)
    training = TrainingPeriods(
        levels=_to_levels(fitted, filled),
        has_value=~np.isnan(newest),
        axis=axis.moved(oldest),
        terms=exogenous.terms(recipe.predictors, columns, axis, positions),
    )
    learn = LEARNERS[recipe.estimator]
    return replace(fitted, **learn(recipe, training))


def most_learned(recipe: Recipe) -> int:
    """How many of the newest periods a recipe learns from at most."""
    if recipe.estimator == DIRECT:
        return NEWEST_OF_DIRECT
    return NEWEST_SMOOTHED if recipe.estimator in STATISTICAL else NEWEST_ROWS


def _fit_smoothing(fitted: FittedRecipe, filled: Values, first: int) -> FittedRecipe:
    """A statistical family, fitted to values [n] from the period of number `first` on. Raises ForecastError."""
    from actioncast.forecasting.statistical import fitting  # heavy, and training alone needs it

    newest = filled[-NEWEST_SMOOTHED:]
    try:
        arrays = fitting.fit(fitted.recipe.estimator, newest, fitted.recipe.memory)
    except ValueError as error:
        raise ForecastError(str(error)) from error
    return replace(fitted, smoothing=arrays, since=first + len(filled) - len(newest))


def _standardised(fitted: FittedRecipe, values: Values, filled: Values) -> FittedRecipe:
    """The recipe with the offset, center and scale that make levels of these values."""
    offset = log_offset(values) if fitted.recipe.log else 0.0
    raw = np.log(filled + offset) if fitted.recipe.log else filled
    return replace(
        fitted,
        offset=offset,
        center=float(raw.mean()),
        scale=float(raw.std()) or 1.0,
    )


def log_offset(values: Values) -> float:
    """What is added before the log: 0, or a small share of the typical value if there are zeros."""
    if np.nanmin(values) > 0:
        return 0.0
    typical = float(np.nanmean(np.abs(values)))
    return max(0.05 * typical, 1e-9)


def predict(
    fitted: FittedRecipe,
    filled: Values,
    origins: Numbers,
    horizon: int,
    *,
    axis: Axis,
    columns: Mapping[str, Values] = NO_COLUMNS,
) -> Values:
    """Recursive forecasts [origins, horizon] from the hours before each origin.

    All origins advance together. `filled` are values without gaps; `columns` are the exogenous
    ones, from the same first hour on and as far as the last forecast hour.
    """
    recipe = fitted.recipe
    if fitted.smoothing:
        return _walk_smoothing(fitted, filled, origins, horizon, axis)
    targets = origins[:, None] + np.arange(horizon)
    terms = exogenous.terms(recipe.predictors, columns, axis, targets)
    past = filled[origins[:, None] + np.arange(-recipe.reach, 0)]
    if recipe.estimator in ZERO_SHOT:
        ahead = zero_shot.forecast(recipe.estimator, past, horizon, axis.timeline.frequency)
        return _keep_in_range(fitted, ahead, past, margin=SMOOTHED_MARGIN)
    levels = _to_levels(fitted, past)
    if recipe.estimator == DIRECT:
        ahead = direct.walk_direct(fitted, levels, axis, targets, terms)
        return _keep_in_range(fitted, _to_values(fitted, ahead), past)
    walk_recipe = walk_filter if len(fitted.filter) else recursive.walk_trees
    ahead = walk_recipe(fitted, levels, axis.week_phases(targets), terms)
    return _keep_in_range(fitted, _to_values(fitted, ahead), past)


def _walk_smoothing(fitted: FittedRecipe, filled: Values, origins: Numbers, horizon: int, axis: Axis) -> Values:
    """Forecasts [origins, horizon] of a statistical family, which walks from its first period to each origin."""
    start = fitted.since - axis.first
    if start < 0:
        raise ForecastError(
            f"{fitted.recipe.name} has learned from {axis.timeline.start_of(fitted.since):%Y-%m-%d} on, "
            f"the history begins {-start} {axis.timeline.frequency.plural} later; run: python train.py"
        )
    smoothing = made_of(fitted.recipe.estimator, fitted.smoothing)
    ahead = walk(smoothing, filled[start:], origins - start, horizon)
    past = filled[origins[:, None] + np.arange(-fitted.recipe.reach, 0)]
    return _keep_in_range(fitted, ahead, past, margin=SMOOTHED_MARGIN)


def _to_levels(fitted: FittedRecipe, values: Values) -> Values:
    """Levels of the values, for training and for serving.

    The log has a floor, which only serving meets: an outage must not weigh without bound.
    """
    raw = values
    if fitted.recipe.log:
        floor = LOG_FLOOR * (fitted.low + fitted.offset)
        raw = np.log(np.maximum(values + fitted.offset, floor))
    return (raw - fitted.center) / fitted.scale


def _to_values(fitted: FittedRecipe, levels: Values) -> Values:
    """The inverse of `_to_levels`."""
    raw = levels * fitted.scale + fitted.center
    if fitted.recipe.log:
        return np.exp(np.clip(raw, -LARGEST_LOG, LARGEST_LOG)) - fitted.offset
    return raw


def _keep_in_range(fitted: FittedRecipe, ahead: Values, past: Values, margin: float = RANGE_MARGIN) -> Values:
    """Clip forecasts [origins, horizon] to the range seen in training and in `past` [origins,
    reach].

    A margin lies around the range. An unstable recursion must not run away, but a level shift after
    training must be followed. What was never negative is not forecast below zero; NaN takes the
    newest value.
    """
    margin = margin * (fitted.high - fitted.low)
    lowest = np.minimum(fitted.low, past.min(axis=1, keepdims=True))
    highest = np.maximum(fitted.high, past.max(axis=1, keepdims=True))
    never_negative = np.maximum(lowest - margin, 0.0)
    lower = np.where(lowest >= 0, never_negative, lowest - margin)
    upper = highest + margin
    without_nan = np.where(np.isnan(ahead), past[:, -1:], ahead)
    return np.clip(without_nan, lower, upper)


def forecast(forecaster: Forecaster, history: Grid, horizon: int, *, width: Width | None = None) -> Forecast:
    """The next `horizon` hours after the history; `width` changes what the backtest says of intervals.

    Raises ForecastError when the history is shorter than the reach or mostly gaps, or when a column
    that the forecaster needs is not known so far ahead.
    """
    seen = _as_learned(forecaster, history, horizon)
    history = seen.history
    steps = int(seen.ahead.max()) + 1
    _check_history(forecaster, history)
    _check_columns(forecaster, history, steps)
    axis = history.axis
    filled = forecaster.clean_history(history)
    origin = len(history)
    paths = []
    for member in forecaster.members:
        path = predict(
            member,
            filled,
            np.array([origin]),
            steps,
            axis=axis,
            columns=history.exogenous,
        )
        paths.append(path[0])
    middle = forecaster.weights @ np.array(paths)
    phases = axis.errors(np.arange(origin, origin + steps))
    now = width or AS_TRAINED
    lower, upper = bounds(forecaster.spread, middle, phases, forecaster.coverage, now)
    quantiles = distribution(forecaster.spread, middle, phases, forecaster.levels, forecaster.coverage, now)
    return Forecast(
        prediction=middle[seen.ahead],
        lower=lower[seen.ahead],
        upper=upper[seen.ahead],
        levels=forecaster.levels,
        quantiles=quantiles[:, seen.ahead],
        width=width,
    )


def _as_learned(forecaster: Forecaster, history: Grid, horizon: int) -> Seen:
    """The history as the forecaster has learned it.

    Its zone may be another one as long as the periods are the same: hours of Madrid are those of
    UTC. Raises ForecastError where they are not.
    """
    try:
        return seen_by(forecaster.timeline, history, horizon)
    except ValueError:
        raise ForecastError(
            f"the champion was trained on {forecaster.timeline}, the series is {history.timeline} now; "
            "run: python train.py"
        ) from None


def _check_history(forecaster: Forecaster, history: Grid) -> None:
    """Raise ForecastError when the history is too short or has too many gaps."""
    reach = forecaster.reach
    if len(history) < reach:
        plural = history.timeline.frequency.plural
        stored = f"{len(history)} {plural} up to {history.end:%Y-%m-%d %H:%MZ} are stored"
        raise ForecastError(f"{stored}, the champion looks back on {reach}")
    missing_share = float(np.isnan(history.values[-reach:]).mean())
    if missing_share > LARGEST_MISSING_SHARE:
        problem = f"{missing_share:.0%} of the last {reach} {history.timeline.frequency.plural} are missing"
        raise ForecastError(f"{problem}; a forecast from them would be a guess")


def _check_columns(forecaster: Forecaster, history: Grid, horizon: int) -> None:
    """Raise ForecastError when a column that is needed has a gap in the hours to forecast."""
    start = len(history)
    for name in forecaster.columns:
        gap = exogenous.gap(history, name, start, start + horizon)
        if gap:
            reason = f"the champion needs the column {name}, which {gap}"
            raise ForecastError(f"{reason}; {exogenous.COLUMN_REMEDY}")

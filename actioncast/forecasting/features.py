"""Features: lags, means over windows and calendar terms of a series whose gaps are filled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from actioncast.arrays import Flags, Values, np
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import HOURS, WEEKDAYS, Axis, Cycles, phases_of_week
from actioncast.periods.timeline import Timeline
from utils import Predictors

FILL_DAYS = 14  # of stored history read beyond a forecaster's reach, to fill gaps from


def fill_periods(timeline: Timeline, seasonality: Sequence[int]) -> int:
    """Stored periods read beyond a forecaster's reach, to fill gaps from."""
    return max(Cycles(timeline).days(FILL_DAYS), *seasonality)


@dataclass(frozen=True)
class TrainingPeriods:
    """The periods that a recipe learns from."""

    levels: Values  # [n] after log and standardisation, gaps filled
    has_value: Flags  # [n] False where the period was missing: such a period is never a target
    axis: Axis  # of levels
    terms: Values  # [n, terms] dated ones and those of exogenous columns, NaN where a column is missing

    @property
    def may_be_target(self) -> Flags:
        """[n] True for periods whose value and columns are all there."""
        return self.has_value & ~np.isnan(self.terms).any(axis=1)


def fill_missing(values: Values, seasonality: Sequence[int]) -> Values:
    """The values [n] with every gap filled from an earlier hour, never from a later one.

    A missing hour takes the value one long season earlier, else one short season earlier, else that
    of the hour before. Filled hours serve as lags only; no recipe learns them as targets and no
    error is computed on them.
    """
    filled = values.astype(np.float64).copy()
    lags = (*reversed(seasonality), 1)
    for hour in np.flatnonzero(np.isnan(filled)).tolist():
        filled[hour] = _earlier_value(filled, hour, lags)
    # Periods before the first value have nothing earlier to take.
    first = np.flatnonzero(~np.isnan(filled))[0]
    filled[:first] = filled[first]
    return filled


def _earlier_value(filled: Values, hour: int, lags: Sequence[int]) -> float:
    """The value at the first of these lags that has one; NaN when none has."""
    for lag in lags:
        if hour < lag:
            continue
        earlier = float(filled[hour - lag])
        if not math.isnan(earlier):
            return earlier
    return math.nan


def difference(levels: Values, lag: int) -> Values:
    """Differences to the level `lag` hours before, along the last axis; the levels for lag 0."""
    if not lag:
        return levels
    return levels[..., lag:] - levels[..., :-lag]


def calendar_table(calendar: Sequence[str], phases: int) -> Values:
    """[phases, terms]: indicators of the weekly ones of these calendar terms, one row per phase of the week.

    A term that all phases share, such as the hour of a daily series, has no column.
    """
    phase = np.arange(phases)
    minutes = phase * HOURS * WEEKDAYS * 60 // phases
    hour_of_week = minutes // 60
    indicators = {
        "hour": np.eye(HOURS)[hour_of_week % HOURS],
        "weekday": np.eye(WEEKDAYS)[hour_of_week // HOURS],
        # Halved, so that the penalty prefers the coarser terms.
        "hour_of_week": 0.5 * np.eye(HOURS * WEEKDAYS)[hour_of_week],
    }
    if phases <= WEEKDAYS:
        del indicators["hour"], indicators["hour_of_week"]
    if phases == 1:
        del indicators["weekday"]
    columns = [indicators[name] for name in calendar if name in indicators]
    return np.hstack([np.zeros((phases, 0)), *columns])


def feature_matrix(
    history: Values,
    weekly: Values,
    predictors: Predictors,
    terms: Values,
) -> Values:
    """[rows, lags + windows + weekly + terms]: the predictors of one period per row.

    Each row of `history` [rows, memory] ends with the period before; `weekly` [rows, terms] are its
    weekly calendar terms, `terms` [rows, terms] the dated ones and those of exogenous columns.
    """
    memory = history.shape[1]
    lagged = memory - np.array(predictors.lags)
    parts = [history[:, lagged]]
    for size in predictors.windows:
        window = history[:, -size:]
        parts.append(window.mean(axis=1, keepdims=True))
    return np.hstack([*parts, weekly, terms])


def training_rows(recipe: Recipe, training: TrainingPeriods) -> tuple[Values, Values]:
    """Predictors [rows, features] and targets [rows] of the hours whose value and columns are there."""
    steps = difference(training.levels, recipe.difference)
    history = np.lib.stride_tricks.sliding_window_view(steps[:-1], recipe.memory)
    targets = steps[recipe.memory :]
    # Positions of the targets in levels. A difference needs the value that it starts from, too.
    positions = np.arange(len(training.levels))[-len(targets) :]
    has_start = training.has_value[positions - recipe.difference]
    keep = training.may_be_target[positions] & has_start
    kept = positions[keep]
    table = calendar_table(recipe.predictors.calendar, phases_of_week(training.axis.timeline))
    rows = feature_matrix(
        history[keep],
        table[training.axis.weekly(kept)],
        recipe.predictors,
        training.terms[kept],
    )
    return rows, targets[keep]

"""Features: lags, means over windows and calendar terms of a series whose gaps are filled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from actioncast.arrays import Flags, Numbers, Values, np
from actioncast.forecasting.recipes import Recipe
from actioncast.times import HOURS_PER_DAY, HOURS_PER_WEEK
from utils import Predictors

FILL_PERIODS = 2 * HOURS_PER_WEEK  # stored hours read beyond a forecaster's reach, to fill gaps from
DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class TrainingPeriods:
    """The hours that a recipe learns from."""

    levels: Values  # [n] after log and standardisation, gaps filled
    has_value: Flags  # [n] False where the hour was missing: such an hour is never a target
    first_period: int  # number of levels[0] in hours since 1970 (UTC)
    terms: Values  # [n, terms] of the exogenous columns, NaN where a column is missing

    @property
    def may_be_target(self) -> Flags:
        """[n] True for hours whose value and columns are all there."""
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


def calendar_table(calendar: Sequence[str]) -> Values:
    """[168, terms]: indicators of these calendar terms, one row per phase of the week."""
    phase = np.arange(HOURS_PER_WEEK)
    indicators = {
        "hour": np.eye(HOURS_PER_DAY)[phase % HOURS_PER_DAY],
        "weekday": np.eye(DAYS_PER_WEEK)[phase // HOURS_PER_DAY],
        # Halved, so that the penalty prefers the coarser terms.
        "hour_of_week": 0.5 * np.eye(HOURS_PER_WEEK),
    }
    return np.hstack([indicators[name] for name in calendar])


def calendar_rows(calendar: Sequence[str], hours: Numbers) -> Values:
    """[rows, terms]: calendar terms of hours numbered since 1970 (UTC)."""
    return calendar_table(calendar)[hours % HOURS_PER_WEEK]


def feature_matrix(
    history: Values,
    hours: Numbers,
    predictors: Predictors,
    terms: Values,
) -> Values:
    """[rows, lags + windows + calendar + terms]: the predictors of one hour per row.

    Each row of `history` [rows, memory] ends with the hour before; `hours` [rows] are numbered
    since 1970 (UTC); `terms` [rows, terms] are those of the exogenous columns at that hour.
    """
    memory = history.shape[1]
    lagged = memory - np.array(predictors.lags)
    parts = [history[:, lagged]]
    for size in predictors.windows:
        window = history[:, -size:]
        parts.append(window.mean(axis=1, keepdims=True))
    if predictors.calendar:
        parts.append(calendar_rows(predictors.calendar, hours))
    parts.append(terms)
    return np.hstack(parts)


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
    rows = feature_matrix(
        history[keep],
        training.first_period + kept,
        recipe.predictors,
        training.terms[kept],
    )
    return rows, targets[keep]

"""A fitted recipe: plain numbers, which need no pickle, and the recursion that forecasts with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from actioncast.arrays import Array, Values, np
from actioncast.forecasting.recipes import Recipe


@dataclass(frozen=True)
class FittedRecipe:
    """A recipe and the numbers that it learned.

    A tree recipe has `trees` or `booster` instead of a filter, a statistical family `smoothing`.
    """

    recipe: Recipe
    offset: float = 0.0  # added before the log
    center: float = 0.0
    scale: float = 1.0
    low: float = -math.inf  # range of the values it learned from
    high: float = math.inf
    # [reach] weights on levels; position 0 is lag 1
    filter: Values = field(default_factory=lambda: np.zeros(0))
    # [1], or [168] by phase of the week
    intercept: Values = field(default_factory=lambda: np.zeros(1))
    # [terms] of the columns known in the future
    exogenous_coefficients: Values = field(default_factory=lambda: np.zeros(0))
    # [trees, nodes] each: feature, threshold, left, right, value
    trees: dict[str, Array] = field(default_factory=dict)
    booster: str = ""  # LightGBM's model as its own text
    # Of a statistical family: see actioncast/forecasting/statistical/smoothing.py
    smoothing: dict[str, Array] = field(default_factory=dict)
    since: int = 0  # likewise: the number of the first period that it has learned from


def walk(
    levels: Values,
    horizon: int,
    next_level: Callable[[Values, int], Values],
) -> Values:
    """Levels [origins, horizon] ahead, step by step; every forecast is history for the next one.

    `levels` [origins, reach] end with the hour before each origin. `next_level` takes the newest
    levels [origins, reach] and the step, and returns the level at that step [origins].
    """
    origins, reach = levels.shape
    path = np.empty((origins, reach + horizon))
    path[:, :reach] = levels
    for step in range(horizon):
        recent = path[:, step : step + reach]
        path[:, reach + step] = next_level(recent, step)
    return path[:, reach:]

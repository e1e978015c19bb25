"""A fitted recipe: plain numbers, no pickle."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from actioncast.arrays import Array, Values, np
from actioncast.forecasting.recipes import Recipe


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
    trees: dict[str, Array] = field(default_factory=dict)  # [trees, nodes] each: feature, threshold, ...
    booster: str = ""  # LightGBM's model text

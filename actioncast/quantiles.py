"""The quantiles of a forecast: how they are called, and how good they were. Pure functions.

The loss of one is the pinball loss. Twice its mean over evenly spaced levels comes close to the CRPS,
and twice its sum over the sum of the sizes of the values is the weighted quantile loss, WQL
(Gneiting and Ranjan, "Comparing density forecasts using threshold- and quantile-weighted scoring
rules", 2011; GluonTS computes it likewise).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.arrays import Values, np

Row = Mapping[str, Any]
MOST_LEVELS = 99
DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SMALLEST_LEVEL = 0.005
FINENESS = 1000  # parts of an interval that its quantiles tell apart
MOST_DECIMALS = 300


@dataclass(frozen=True)
class DistributionScore:
    """How good quantiles were over some periods; CRPS in the series' unit."""

    crps: float
    wql: float | None  # None where all values are 0
    below: dict[str, float]  # level -> share of the values at or below its quantile


def levels_of(levels: tuple[float, ...]) -> tuple[float, ...]:
    """The levels, which rise. Raises ValueError that says what else they must be."""
    if len(levels) > MOST_LEVELS:
        raise ValueError(f"at most {MOST_LEVELS} levels: each forecast stores them all")
    if any(not SMALLEST_LEVEL <= level <= 1 - SMALLEST_LEVEL for level in levels):
        raise ValueError(f"a level lies in {SMALLEST_LEVEL} to {1 - SMALLEST_LEVEL}; a backtest shows no rarer values")
    if any(later <= earlier for earlier, later in itertools.pairwise(levels)):
        raise ValueError("the levels must rise, such as [0.1, 0.5, 0.9]")
    return levels


def name_of(level: float) -> str:
    """How a level is called where quantiles are stored and answered: 0.1."""
    return f"{level:g}"


def by_name(levels: Sequence[float], quantiles: Sequence[float], lower: float, upper: float) -> dict[str, float] | None:
    """The quantiles of one period by the name of their level; None without any.

    Within the interval, whose bounds stay as they are, they are rounded to a thousandth of its width: more figures
    would say nothing, and are stored for each forecast.
    """
    if not levels:
        return None
    width = upper - lower
    decimals = math.ceil(-math.log10(width / FINENESS)) if width > 0 else MOST_DECIMALS
    named = {}
    for level, value in zip(levels, map(float, quantiles), strict=True):
        shown = round(value, min(decimals, MOST_DECIMALS))
        if lower <= value <= upper:
            shown = min(max(shown, lower), upper)
        named[name_of(level)] = value if value in (lower, upper) else shown
    return named


def score(quantiles: Values, actual: Values, levels: Sequence[float]) -> DistributionScore | None:
    """Score quantiles [levels, ...] beside actual values [...], NaN where unknown; None where all are."""
    known = ~np.isnan(actual)
    if not known.any() or not len(levels):
        return None
    values = actual[known]
    forecasts = quantiles[:, known]
    losses = pinball_losses(forecasts, values, levels)
    size = float(np.abs(values).sum())
    shares = (values <= forecasts).mean(axis=1)
    return DistributionScore(
        crps=float(2 * losses.mean()),
        wql=float(2 * losses.mean(axis=0).sum() / size) if size else None,
        below={name_of(level): float(share) for level, share in zip(levels, shares, strict=True)},
    )


def pinball_losses(quantiles: Values, actual: Values, levels: Sequence[float]) -> Values:
    """[levels, n] of quantiles [levels, n] beside actual values [n]."""
    level = np.array(levels)[:, None]
    miss = actual - quantiles
    return np.asarray(np.maximum(level * miss, (level - 1) * miss))


def score_rows(rows: Iterable[Row]) -> DistributionScore | None:
    """Score rows of the view `performance` that have reality and the levels of the newest of them; None without any."""
    scored = [row for row in rows if row["reality"] is not None and row.get("quantiles")]
    if not scored:
        return None
    names = list(scored[-1]["quantiles"])
    alike = [row for row in scored if list(row["quantiles"]) == names]
    quantiles = np.array([[row["quantiles"][name] for row in alike] for name in names])
    actual = np.array([row["reality"] for row in alike])
    return score(quantiles, actual, [float(name) for name in names])

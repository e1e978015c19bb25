"""How much work it is to backtest a recipe: the same number on every machine, whatever its neighbours do.

A unit is about a second of one core of today. The factors were measured on series from 60 quarters to
70,000 quarter hours; most estimates lie within a half of what it took.
"""

from __future__ import annotations

from dataclasses import dataclass

from actioncast.forecasting.recipes import Recipe


@dataclass(frozen=True)
class Amount:
    """How much a recipe has to do."""

    fits: int
    learned: int  # periods that each fit learns from
    origins: int
    horizon: int


@dataclass(frozen=True)
class _Factors:
    """Work for each of these."""

    fit: float = 0.0
    learned_period: float = 0.0  # of each fit
    step: float = 0.0  # forecast from an origin
    period_looked_back: float = 0.0  # at each step


FACTORS = {
    "seasonal_naive": _Factors(),
    "borrowed": _Factors(),
    "fracast": _Factors(fit=0.1, step=5e-5),
    "flair": _Factors(step=2e-3),
    "ridge": _Factors(learned_period=2e-6, period_looked_back=4e-9),
    "lightgbm": _Factors(fit=0.1, learned_period=3e-5),
    "lightgbm_direct": _Factors(fit=0.8, step=5e-6),
    "random_forest": _Factors(fit=0.1, learned_period=4e-4, step=4e-5),
    "ets": _Factors(learned_period=3e-4),
    "theta": _Factors(learned_period=2e-4),
    "ces": _Factors(step=2e-5),
    "arima": _Factors(fit=0.05),
}


def work_of(recipe: Recipe, amount: Amount) -> float:
    """The units of work of this recipe."""
    factors = FACTORS[recipe.estimator]
    steps = amount.origins * amount.horizon
    fitting = amount.fits * (factors.fit + factors.learned_period * amount.learned)
    forecasting = steps * (factors.step + factors.period_looked_back * recipe.reach)
    return fitting + forecasting

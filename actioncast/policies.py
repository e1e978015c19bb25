"""What holds for one series: the tables [train], [retrain] and [freshness] of config.toml with the
series' own tables over them, and each length in periods of its frequency, or in time.

actioncast/settings.py makes them; the defaults here are those of an hourly series.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from actioncast.periods.frequency import HOURLY, Frequency

SHORTEST_HISTORY = 2  # periods of a training: one to forecast from and one to compare with


@dataclass(frozen=True)
class TrainPolicy:
    """How candidates are compared, and what a challenger must show. Lengths are in periods."""

    history: int = 17_520
    backtest: int = 1_440
    candidates: tuple[str, ...] = ()
    coverage: float = 0.8
    quantiles: tuple[float, ...] = ()
    budget: float = 40
    gate: int = 168
    gate_margin: float = 0.01
    seed: int = 123
    frequency: Frequency = HOURLY

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "frequency": str(self.frequency)}


@dataclass(frozen=True)
class RetrainPolicy:
    """When the live error is no longer good, and how often a retrain may be asked for."""

    mode: Literal["dispatch", "suggest"] = "dispatch"
    window: int = 48  # periods
    minimum_scored: int = 24  # periods
    maximum_ratio_to_backtest: float = 1.5
    maximum_ratio_to_naive: float = 1.1
    bad_checks: int = 3
    of_checks: int = 4
    cooldown: timedelta = timedelta(hours=24)
    maximum_per_week: int = 3
    max_mae: float | None = None
    frequency: Frequency = HOURLY
    naive: str = "168 hours (a week)"  # the season of the naive reference, in words


@dataclass(frozen=True)
class FreshnessPolicy:
    """How old is too old."""

    source: timedelta = timedelta(hours=24)
    actual: timedelta = timedelta(hours=12)
    forecast: timedelta = timedelta(hours=24)
    champion: timedelta = timedelta(days=90)
    coverage_window: int = 168  # periods
    coverage_tolerance: float = 0.15
    look_hours: float = 12
    bad_looks: int = 2
    frequency: Frequency = HOURLY

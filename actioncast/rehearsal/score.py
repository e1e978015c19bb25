"""Scores a policy: live error, retrains, bad hours, Actions minutes, growth of the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

import numpy as np

from actioncast import quantiles
from actioncast.arrays import Values
from actioncast.database.schema import Row
from actioncast.periods.axis import Cycles
from actioncast.quantiles import DistributionScore
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.policies import Policy
from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.stage import Stage
from actioncast.times import floor_hour

# GitHub bills each job in whole minutes. Measured on runs of this project, pip cache included.
MINUTES = {
    "ingest": 1,
    "forecast": 1,
    "check": 1,
    "refresh": 3,
    "train": 3,
    "freshness": 1,
}
DEPLOY_MINUTES = 2  # for each promotion
# Linux, two cores, beyond the free minutes of a private repository; a public one pays nothing.
DOLLARS_PER_MINUTE = 0.006
# Forecasts count as degraded above this many times the error before the change.
DEGRADED = 1.5
SETTLING_DAYS = 1  # over which the error is averaged for that
DAY_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """One policy's figures. Errors in the series' unit; None where there is nothing to average."""

    policy: Policy
    hours: int  # scored
    live_mae: float | None
    day_ahead_mae: float | None  # of the newest vintage that was there 24 h before each hour
    naive_mae: float | None
    coverage: float | None
    distribution: DistributionScore | None  # of the quantiles, if config.toml asks for some
    retrains: int
    promoted: int
    false_alarms: int  # asked for by a check, and the gate found nothing better
    degraded_hours: int | None  # after a change of the series; None without one
    hours_to_promotion: float | None  # from the first change on
    billed_minutes: int
    repository_bytes: int
    progress: Progress
    # (hour of the rehearsal, mean absolute error of SETTLING_DAYS)
    errors: list[tuple[int, float]] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return self.retrains - self.promoted

    @property
    def dollars(self) -> float:
        return self.billed_minutes * DOLLARS_PER_MINUTE

    @property
    def naive_ratio(self) -> float | None:
        """The live error as a multiple of the seasonal naive's."""
        if not self.live_mae or not self.naive_mae:
            return None
        return self.live_mae / self.naive_mae

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.policy.name,
            "live_mae": self.live_mae,
            "naive_mae": self.naive_mae,
            "day_ahead_mae": self.day_ahead_mae,
            "coverage": self.coverage,
            "crps": self.distribution.crps if self.distribution else None,
            "wql": self.distribution.wql if self.distribution else None,
            "below": self.distribution.below if self.distribution else None,
            "scored_periods": self.hours,
            "retrains": self.retrains,
            "promoted": self.promoted,
            "rejected": self.rejected,
            "false_alarms": self.false_alarms,
            "degraded_hours": self.degraded_hours,
            "hours_to_promotion": self.hours_to_promotion,
            "billed_minutes": self.billed_minutes,
            "dollars": round(self.dollars, 2),
            "repository_bytes": self.repository_bytes,
        }


def score(stage: Stage, progress: Progress) -> Outcome:
    """Read what the rehearsal left in the database."""
    plan = stage.plan
    rows = stage.database.performance(stage.series_id, since=plan.start, until=plan.end)
    rows = [row for row in rows if row["reality"] is not None]
    naive_errors = [row["naive_error"] for row in rows if row["naive_error"] is not None]
    retrains = progress.trainings[1:]
    errors = rolling_errors(rows, plan)
    return Outcome(
        policy=stage.policy,
        hours=len(rows),
        live_mae=mean([row["absolute_error"] for row in rows]),
        day_ahead_mae=_day_ahead_mae(stage),
        naive_mae=mean(naive_errors),
        coverage=mean([float(bool(row["covered"])) for row in rows]),
        distribution=quantiles.score_rows(rows),
        retrains=len(retrains),
        promoted=sum(promoted for _, promoted in retrains),
        false_alarms=_false_alarms(stage, retrains),
        degraded_hours=degraded_hours(errors, plan),
        hours_to_promotion=hours_to_promotion(retrains, plan),
        billed_minutes=minutes(progress),
        repository_bytes=progress.published_bytes,
        progress=progress,
        errors=errors,
    )


def mean(values: Sequence[float]) -> float | None:
    """The mean of these values; None without one."""
    return fmean(values) if values else None


def minutes(progress: Progress) -> int:
    """Whole minutes of every job that ran, and of the deployment that each promotion starts."""
    job_minutes = sum(MINUTES[job] * runs for job, runs in progress.runs.items())
    promotions = sum(promoted for _, promoted in progress.trainings)
    return job_minutes + DEPLOY_MINUTES * promotions


def rolling_errors(rows: Sequence[Mapping[str, Any]], plan: Plan) -> list[tuple[int, float]]:
    """(tick of the rehearsal, mean error of the last SETTLING_DAYS), for each row."""
    settling = Cycles(plan.timeline).days(SETTLING_DAYS)
    errors: Values = np.array([row["absolute_error"] for row in rows], dtype=np.float64)
    means = []
    for index, row in enumerate(rows):
        first = max(index - settling + 1, 0)
        means.append((int(plan.tick_of(row["prediction_date"])), float(errors[first : index + 1].mean())))
    return means


def degraded_hours(errors: Sequence[tuple[int, float]], plan: Plan) -> int | None:
    """Periods after the first change of the series whose error is above the limit.

    The limit is DEGRADED times the mean error before the change, scaled as the level is. None
    without a change, or without an error before it.
    """
    changes = plan.faults.changes()
    if not changes:
        return None
    _, first_change = changes[0]
    before = [error for hour, error in errors if hour < first_change.at]
    if not before:
        return None
    level_factors = [span.amount for name, span in changes if name == "shift"]
    limit = DEGRADED * fmean(before) * max([*level_factors, 1.0])
    return sum(hour >= first_change.at and error > limit for hour, error in errors)


def hours_to_promotion(retrains: Sequence[tuple[str, bool]], plan: Plan) -> float | None:
    """Periods from the first change of the series to the first promotion after it.

    `retrains`: (moment, promoted). None without a change, or without a promotion after it.
    """
    changes = plan.faults.changes()
    if not changes:
        return None
    _, first_change = changes[0]
    changed_at = plan.moment(first_change.at)
    for moment, promoted in retrains:
        ticks = plan.tick_of(datetime.fromisoformat(moment)) - plan.tick_of(changed_at)
        if promoted and ticks >= 0:
            return ticks
    return None


def _false_alarms(stage: Stage, retrains: Sequence[tuple[str, bool]]) -> int:
    """Retrains that a check asked for, after which the gate kept the champion."""
    kept = {moment for moment, promoted in retrains if not promoted}
    checks = stage.database.checks(
        stage.series_id,
        since=stage.plan.start,
        before=stage.plan.end,
    )
    requests = [floor_hour(check["checked_at"]) for check in checks if check["dispatched"]]
    return sum(moment.isoformat() in kept for moment in requests)


def _day_ahead_mae(stage: Stage) -> float | None:
    """Error of the newest vintage that was there a day before each hour began."""
    forecasts = stage.database.forecasts_with_reality(
        stage.series_id,
        since=stage.plan.start,
        until=stage.plan.end,
    )
    return day_ahead_mae(forecasts)


def day_ahead_mae(forecasts: Sequence[Row]) -> float | None:
    """The same of rows of `forecasts_with_reality`, oldest vintage first."""
    errors = {}
    for row in forecasts:
        begins = row["prediction_date"]
        if begins - row["issued_at"] >= DAY_AHEAD:
            errors[begins] = abs(row["prediction"] - row["reality"])
    return mean(list(errors.values()))

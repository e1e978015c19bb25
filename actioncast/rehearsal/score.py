"""What a policy was worth: live error, retrains, hours of bad forecasts, Actions minutes, growth of the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

import numpy as np
from sqlalchemy import bindparam, column, text

from actioncast.arrays import Values
from actioncast.database.database import Database
from actioncast.database.schema import UtcTime
from actioncast.rehearsal.loop import Progress
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.policies import Policy

Row = Mapping[str, Any]
# GitHub bills each job in whole minutes; those of the pip cache and the training were measured on runs of this project.
MINUTES = {"ingest": 1, "forecast": 1, "check": 1, "refresh": 3, "train": 3, "freshness": 1}
DEPLOY_MINUTES = 2  # for each promotion
DOLLARS_PER_MINUTE = 0.006  # Linux, two cores, beyond the free minutes of a private repository; public ones pay nothing
DEGRADED = 1.5  # times the error before the change, scaled as the level: then forecasts count as degraded
SETTLING_HOURS = 24  # over which the error is averaged for that


@dataclass(frozen=True)
class Outcome:
    """One policy's figures. Errors in the series' unit; None where there is nothing to average."""

    policy: Policy
    hours: int  # scored
    live_mae: float | None
    day_ahead_mae: float | None  # of the newest vintage that was there 24 h before each hour
    naive_mae: float | None
    coverage: float | None
    retrains: int
    promoted: int
    false_alarms: int  # asked for by a check, and the gate found nothing better
    degraded_hours: int | None  # after a change of the series; None without one
    hours_to_promotion: float | None  # from the first change on
    billed_minutes: int
    repository_bytes: int
    progress: Progress
    errors: list[tuple[int, float]] = field(default_factory=list)  # (hour of the rehearsal, mean of 24 h)

    @property
    def rejected(self) -> int:
        return self.retrains - self.promoted

    @property
    def dollars(self) -> float:
        return self.billed_minutes * DOLLARS_PER_MINUTE

    @property
    def naive_ratio(self) -> float | None:
        return self.live_mae / self.naive_mae if self.live_mae and self.naive_mae else None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.policy.name,
            "live_mae": self.live_mae,
            "naive_mae": self.naive_mae,
            "day_ahead_mae": self.day_ahead_mae,
            "coverage": self.coverage,
            "scored_hours": self.hours,
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


def score(plan: Plan, policy: Policy, database: Database, series_id: str, progress: Progress) -> Outcome:
    """Read what the rehearsal left in the database."""
    rows = database.performance(series_id, since=plan.start, until=plan.end)
    rows = [row for row in rows if row["reality"] is not None]
    retrains = progress.trainings[1:]
    errors = rolling_errors(rows, plan.start)
    return Outcome(
        policy=policy,
        hours=len(rows),
        live_mae=mean([row["absolute_error"] for row in rows]),
        day_ahead_mae=day_ahead_mae(database, series_id, plan),
        naive_mae=mean([row["naive_error"] for row in rows if row["naive_error"] is not None]),
        coverage=mean([float(bool(row["covered"])) for row in rows]),
        retrains=len(retrains),
        promoted=sum(promoted for _, promoted in retrains),
        false_alarms=_false_alarms(database, series_id, plan, retrains),
        degraded_hours=degraded_hours(errors, plan),
        hours_to_promotion=hours_to_promotion(retrains, plan),
        billed_minutes=minutes(progress),
        repository_bytes=progress.published_bytes,
        progress=progress,
        errors=errors,
    )


def mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def minutes(progress: Progress) -> int:
    """Whole minutes of every job that ran, and of the deployment that each promotion starts."""
    promotions = sum(promoted for _, promoted in progress.trainings)
    return sum(MINUTES[job] * runs for job, runs in progress.runs.items()) + DEPLOY_MINUTES * promotions


def rolling_errors(rows: Sequence[Row], start: datetime) -> list[tuple[int, float]]:
    """Mean absolute error of the last 24 scored hours, at each scored hour."""
    misses: Values = np.array([row["absolute_error"] for row in rows], dtype=np.float64)
    hours = [int((row["prediction_date"] - start) / timedelta(hours=1)) for row in rows]
    return [(hours[i], float(misses[max(i - SETTLING_HOURS + 1, 0) : i + 1].mean())) for i in range(len(rows))]


def degraded_hours(errors: Sequence[tuple[int, float]], plan: Plan) -> int | None:
    """Hours after the first change whose mean error is above DEGRADED x the one before it, scaled as the level is."""
    changes = plan.faults.changes()
    before = [error for hour, error in errors if changes and hour < changes[0][1].at]
    if not before:
        return None
    factor = max([span.amount for name, span in changes if name == "shift"], default=1.0)
    limit = DEGRADED * fmean(before) * max(factor, 1.0)
    return sum(hour >= changes[0][1].at and error > limit for hour, error in errors)


def hours_to_promotion(retrains: Sequence[tuple[str, bool]], plan: Plan) -> float | None:
    """From the first change of the series to the first promotion after it."""
    for _, change in plan.faults.changes()[:1]:
        begun = plan.start + timedelta(hours=change.at)
        moments = [datetime.fromisoformat(moment) for moment, promoted in retrains if promoted]
        later = [(moment - begun) / timedelta(hours=1) for moment in moments if moment >= begun]
        return later[0] if later else None
    return None


def _false_alarms(database: Database, series_id: str, plan: Plan, retrains: Sequence[tuple[str, bool]]) -> int:
    asked = [check for check in database.checks(series_id, since=plan.start, before=plan.end) if check["dispatched"]]
    kept = {moment for moment, promoted in retrains if not promoted}
    hours = [check["checked_at"].replace(minute=0, second=0, microsecond=0).isoformat() for check in asked]
    return sum(hour in kept for hour in hours)


_DAY_AHEAD = (
    text(
        "select p.prediction_date, p.issued_at, p.prediction, r.value from predictions p"
        " join reality r on r.series_id = p.series_id and r.reality_date = p.prediction_date"
        " where p.series_id = :s and p.prediction_date >= :start and p.prediction_date < :until order by p.issued_at"
    )
    .bindparams(bindparam("start", type_=UtcTime), bindparam("until", type_=UtcTime))
    .columns(column("prediction_date", UtcTime), column("issued_at", UtcTime), column("prediction"), column("value"))
)


def day_ahead_mae(database: Database, series_id: str, plan: Plan) -> float | None:
    """Error of the newest vintage that was there a day before each hour began."""
    with database.engine.connect() as connection:
        rows = connection.execute(_DAY_AHEAD, {"s": series_id, "start": plan.start, "until": plan.end}).all()
    newest = {at: abs(said - was) for at, issued, said, was in rows if at - issued >= timedelta(hours=24)}
    return mean(list(newest.values()))

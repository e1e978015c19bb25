"""What an ingestion leaves behind: its row of `etl_runs` and the report it prints."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from actioncast.ingestion.health.findings import HealthFinding
from actioncast.ingestion.ingestion import Reading
from actioncast.periods.points import Rejection, by_reason, describe
from actioncast.periods.words import Words
from actioncast.report import Report
from actioncast.times import isoformat

SHOWN_REJECTIONS = 20  # of the rejected points; more of them say nothing new
SHOWN_EXAMPLES = 3  # of the points rejected for one reason


@dataclass
class EtlRun:
    """The row of `etl_runs`, with what has been counted so far: a run that fails records that too."""

    series_id: str
    started_at: datetime
    points_read: int = 0
    points_rejected: int = 0
    periods_missing: int = 0
    begun: float = field(default_factory=time.monotonic)  # seconds of the monotonic clock

    def row(self, message: str) -> dict[str, Any]:
        """The row as the run ends now."""
        seconds = time.monotonic() - self.begun
        return {
            "run_id": uuid.uuid4().hex,
            "series_id": self.series_id,
            "started_at": self.started_at,
            "finished_at": self.started_at + timedelta(seconds=seconds),
            "points_read": self.points_read,
            "points_rejected": self.points_rejected,
            "periods_missing": self.periods_missing,
            "message": message,
        }


@dataclass(frozen=True)
class IngestionReport(Report):
    """What a run did. `periods_loaded` counts new and changed ones."""

    series: str
    periods_loaded: int
    periods_missing: int
    reading: Reading
    last_period: datetime | None
    outcome: str
    columns: dict[str, str]  # exogenous column that was loaded -> how far it is known
    column_failures: dict[str, str]  # one that was not -> why
    warnings: list[HealthFinding]  # what looks wrong in the newest periods

    @property
    def points_read(self) -> int:
        return self.reading.points_read

    @property
    def points_without_value(self) -> int:
        """Points for which the source has no value yet."""
        return len(self.reading.checked.without_value)

    @property
    def points_ahead(self) -> int:
        """Points of periods to come."""
        return len(self.reading.checked.ahead)

    @property
    def rejections(self) -> list[Rejection]:
        return self.reading.rejections

    @property
    def notes(self) -> list[str]:
        """What a person should know about an answer that is good."""
        return self.reading.notes()

    @property
    def failed(self) -> bool:
        return bool(self.column_failures)

    @property
    def exogenous(self) -> dict[str, str]:
        """Column -> how far it is known, or why it was not loaded."""
        return self.columns | self.column_failures

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "periods_loaded": self.periods_loaded,
            "periods_missing": self.periods_missing,
            "points_read": self.points_read,
            "points_without_value": self.points_without_value,
            "points_ahead": self.points_ahead,
            "points_rejected": len(self.rejections),
            "rejections": [str(rejection) for rejection in self.rejections[:SHOWN_REJECTIONS]],
            "rejected_by_reason": self._rejected_by_reason(),
            "notes": self.notes,
            "last_period": isoformat(self.last_period) if self.last_period else None,
            "outcome": self.outcome,
            "exogenous": self.exogenous,
            "warnings": [str(finding) for finding in self.warnings],
        }

    def _rejected_by_reason(self) -> list[dict[str, Any]]:
        reasons = []
        for reason, points in by_reason(self.rejections).items():
            examples = [f"{point.time} = {point.value}" for point in points[:SHOWN_EXAMPLES]]
            reasons.append({"reason": reason, "count": len(points), "examples": examples})
        return reasons

    def as_text(self) -> str:
        words = Words(self.reading.demand.timeline)
        last_period = isoformat(self.last_period) if self.last_period else "none"
        lines = [
            f"{self.series}: {self.outcome}: {words.count(self.periods_loaded)} new or changed, "
            f"{self.periods_missing} missing (too few points), last {words.noun} {last_period}"
        ]
        if self.rejections:
            lines.append(f"{len(self.rejections)} points rejected: {describe(self.rejections)}")
        if self.points_without_value:
            lines.append(f"{self.points_without_value} points without a value yet")
        lines += self.notes
        for column, state in self.exogenous.items():
            lines.append(f"{column}: {state}")
        for finding in self.warnings:
            lines.append(f"warning: {finding}")
        return "\n".join(lines)

"""The health report of a series, as check_data.py prints it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actioncast.arrays import np
from actioncast.ingestion.health import clocks, picture
from actioncast.ingestion.health.findings import HealthFinding, runs
from actioncast.ingestion.health.gaps import step_of
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import UTC_HOURS
from actioncast.periods.words import Words
from actioncast.report import Report
from actioncast.text import table
from actioncast.times import isoformat


@dataclass(frozen=True)
class HealthReport(Report):
    """Facts about a stored series, and what looks wrong; findings are warnings and no failure."""

    series: str
    history: Grid
    rejected_share: float  # of the points that the newest loads read
    findings: list[HealthFinding]
    set_aside: int = 0  # stored hours that no training and no score sees

    @property
    def outcome(self) -> str:
        return "findings" if self.findings else "healthy"

    @property
    def missing(self) -> int:
        """Number of hours that are missing between the first and the last."""
        return int(np.isnan(self.history.values).sum())

    @property
    def longest_gap(self) -> int:
        """Number of missing hours in a row, at most."""
        is_missing = np.isnan(self.history.values)
        lengths = [last - first + 1 for first, last in runs(is_missing)]
        return max(lengths, default=0)

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "outcome": self.outcome,
            "first_period": isoformat(self.history.start),
            "last_period": isoformat(self.history.end),
            "periods": len(self.history) - self.missing,
            "step": step_of(self.history.values),
            "periods_missing": self.missing,
            "longest_gap": self.longest_gap,
            "periods_set_aside": self.set_aside,
            "rejected_share": self.rejected_share,
            "clock_changes": clocks.hints(self.history) if self.history.timeline == UTC_HOURS else [],
            "findings": [finding.as_json() for finding in self.findings],
        }

    def as_text(self) -> str:
        lines = self._facts()
        if self.findings:
            lines += ["", self._table(), "", *self._remedies()]
        return "\n".join(lines)

    def _facts(self) -> list[str]:
        facts = self.as_json()
        words = Words(self.history.timeline)
        stored = words.count(facts["periods"])
        step = words.count(facts["step"])
        first = facts["first_period"]
        last = facts["last_period"]
        missing = facts["periods_missing"]
        longest_gap = facts["longest_gap"]
        return [
            f"{self.series}: {self.outcome}",
            picture.line(self.history.values),
            f"{stored} from {first} to {last}, one value every {step}",
            f"{missing:,} missing, at most {longest_gap:,} in a row",
            f"{self.set_aside:,} set aside",
            f"{self.rejected_share:.1%} of the points that the newest loads read were rejected",
            *facts["clock_changes"],
        ]

    def _table(self) -> str:
        headers = ["finding", "first", "last", "evidence"]
        rows = [_row(finding) for finding in self.findings]
        return table(headers, rows)

    def _remedies(self) -> list[str]:
        """One line for each kind of finding, in the order of the findings."""
        lines = [f"{finding.kind}: {finding.remedy}" for finding in self.findings]
        return list(dict.fromkeys(lines))


def _row(finding: HealthFinding) -> list[str]:
    return [
        finding.kind,
        _moment(finding.first),
        _moment(finding.last),
        finding.evidence,
    ]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%MZ}"

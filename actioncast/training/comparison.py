"""The comparison of two trainings on the same hours: a branch's and its base's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actioncast.github import summary
from actioncast.report import Report
from actioncast.text import table

SHOWN_ROWS = 12  # of the leaderboard
SHOWN_BARS = 6  # of the chart, besides the base's best

Training = dict[str, Any]  # what train.py --json prints


@dataclass(frozen=True)
class TrainingComparison(Report):
    """Both trainings as train.py --json prints them; `base` is None when it does not train."""

    series: str
    unit: str
    branch: Training
    base: Training | None

    def as_json(self) -> dict[str, Any]:
        return {"series": self.series, "branch": self.branch, "base": self.base}

    def as_text(self) -> str:
        base_errors = _errors(self.base) if self.base else {}
        branch_errors = _errors(self.branch)
        verdict = f"{self.branch['verdict']}: {self.branch['reason']}"
        parts = [
            f"## Model report: {self.series}",
            _headline(base_errors, branch_errors),
            f"The champion that serves, on the periods of the gate: {verdict}",
            self._table(base_errors, branch_errors),
            self._chart(base_errors, branch_errors),
        ]
        return "\n\n".join(parts)

    def _table(self, base_errors: Mapping[str, float], branch_errors: Mapping[str, float]) -> str:
        rows = []
        for rank, (name, error) in enumerate(branch_errors.items(), 1):
            before = base_errors.get(name)
            rows.append([rank, name, before, error, _change(before, error)])
        headers = ["rank", "candidate", f"base MAE, {self.unit}", "this branch", "change"]
        return table(headers, rows[:SHOWN_ROWS])

    def _chart(self, base_errors: Mapping[str, float], branch_errors: Mapping[str, float]) -> str:
        bars = {}
        if base_errors:
            bars["base: best"] = min(base_errors.values())
        for name in list(branch_errors)[:SHOWN_BARS]:
            bars[name] = branch_errors[name]
        return summary.bar_chart("Backtest error, out of sample", bars, self.unit)


def _errors(training: Training) -> dict[str, float]:
    """Mean absolute error by candidate, the best first; those that were skipped have none."""
    return {row["candidate"]: row["mae"] for row in training["leaderboard"] if row["mae"] is not None}


def _headline(base_errors: Mapping[str, float], branch_errors: Mapping[str, float]) -> str:
    best, error = next(iter(branch_errors.items()))
    if not base_errors:
        return f"Best of this branch: **{best}**, {error:,.4g}. The base does not train."
    base_best, base_error = next(iter(base_errors.items()))
    before = f"**{base_error:,.4g}** ({base_best})"
    after = f"**{error:,.4g}** ({best})"
    return f"Best error {before} → {after}: **{_change(base_error, error)}**"


def _change(before: float | None, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else "new"

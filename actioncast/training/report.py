"""The report of a training: leaderboard, verdict, and the row of the ledger `training_runs`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actioncast.forecasting.card import Card
from actioncast.report import Report
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.tracking import run
from actioncast.training.clean import CleanSeries
from actioncast.training.gate import Gate
from actioncast.training.leaderboard import Candidate

SHOWN_ROWS = 10  # of the leaderboard that a person sees; of the others all that are not linear


@dataclass(frozen=True)
class TrainingReport(Report):
    """The leaderboard, the gate's verdict, and who serves now. Errors in the series' unit."""

    series: str
    unit: str
    board: list[Candidate]
    skipped: dict[str, str]  # candidate or column -> why it was not tried
    gate: Gate
    champion: dict[str, Any]  # as `scores_of` gives it
    challenger: dict[str, Any]  # likewise
    seconds: float
    tracked: list[str]  # a line of each tracker

    @property
    def verdict(self) -> str:
        return "promoted" if self.gate.promoted else "kept"

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "verdict": self.verdict,
            "reason": self.gate.reason,
            "champion": self.champion,
            "challenger": self.challenger,
            "leaderboard": self.leaderboard(),
            "seconds": round(self.seconds, 2),
        }

    def leaderboard(self) -> list[dict[str, Any]]:
        """Every candidate, the best first; those that were not tried come last, with a note why."""
        tried = [candidate.as_json() for candidate in self.board]
        skipped = [
            {"candidate": name, "mae": None, "mase": None, "seconds": 0.0, "note": reason}
            for name, reason in self.skipped.items()
        ]
        return tried + skipped

    def as_text(self) -> str:
        verdict = "promoted" if self.gate.promoted else "kept: the champion stays"
        lines = [
            self._table(),
            f"({len(self.board)} candidates, {len(self.skipped)} skipped{self._first_skipped()})",
            *self._why_not_the_first(),
            "",
            f"{self.series}: {verdict}: {self.gate.reason}",
            f"serving: {self.champion['name']}, version {self.champion['version']}",
            *self.tracked,
        ]
        return "\n".join(lines)

    def as_row(self, now: datetime, series: CleanSeries, settings: Settings) -> dict[str, Any]:
        """The row of `training_runs`."""
        return {
            "run_id": uuid.uuid4().hex,
            "series_id": self.series,
            "started_at": now,
            "finished_at": now + timedelta(seconds=self.seconds),
            "window_start": series.history.start,
            "window_end": series.history.end,
            "periods": series.stored_periods,
            "leaderboard": self.leaderboard(),
            "champion": self.champion,
            "challenger": self.challenger,
            "verdict": self.verdict,
            "reason": self.gate.reason,
            "git_sha": run.git_sha(settings.folder),
            "library_versions": run.library_versions(run.LIBRARIES),
            "settings": settings.train_of(self.series).as_json(),
        }

    def _table(self) -> str:
        rows = [
            [rank, candidate.name, candidate.mae, candidate.mase, candidate.seconds]
            for rank, candidate in enumerate(self.board, 1)
            if rank <= SHOWN_ROWS or not candidate.name.startswith("ridge")
        ]
        return table(["rank", "candidate", f"MAE, {self.unit}", "MASE", "seconds"], rows)

    def _why_not_the_first(self) -> list[str]:
        """A line for a challenger that is not the first of the leaderboard: see leaderboard.challengers."""
        name = self.challenger["name"]
        if name == self.board[0].name:
            return []
        return [f"{name} challenges: another must beat the blend by half: the best of many looks better than it is"]

    def _first_skipped(self) -> str:
        if not self.skipped:
            return ""
        name, reason = next(iter(self.skipped.items()))
        return f", e.g. {name}: {reason}"


def scores_of(card: Card, gate_mae: float | None) -> dict[str, Any]:
    """Who a model is and how it scored.

    `mae` is the backtest's; `gate_mae` that on the hours of the gate, None where there was nothing
    to compare.
    """
    scores = {
        "name": card.name,
        "mae": card.mae,
        "version": card.version,
        "gate_mae": gate_mae,
    }
    if card.distribution:
        scores["crps"] = card.distribution.crps
        scores["wql"] = card.distribution.wql
    return scores

"""What a training learns from beside the hours, and what it reports: leaderboard, verdict, row in the ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from actioncast.hours import Grid
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.tracking import run
from actioncast.tracking.run import LIBRARIES
from actioncast.training.gate import Gate
from actioncast.training.leaderboard import Candidate

SHOWN = 10  # rows of the leaderboard that a person sees


@dataclass(frozen=True)
class TrainingReport:
    """The leaderboard, the gate's verdict, and who serves now. Errors in the series' unit."""

    series: str
    unit: str
    board: list[Candidate]
    skipped: dict[str, str]  # candidate -> why it was not tried
    gate: Gate
    champion: dict[str, Any]
    challenger: dict[str, Any]
    seconds: float
    tracked: list[str]
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "verdict": "promoted" if self.gate.promoted else "kept",
            "reason": self.gate.reason,
            "champion": self.champion,
            "challenger": self.challenger,
            "leaderboard": self.leaderboard(),
            "seconds": round(self.seconds, 2),
        }

    def leaderboard(self) -> list[dict[str, Any]]:
        """Every candidate, the best first; those that were not tried come last, with a note why."""
        nothing = {"mae": None, "mase": None, "seconds": 0.0}
        skipped = [{"candidate": name, **nothing, "note": why} for name, why in self.skipped.items()]
        return [row.as_json() for row in self.board] + skipped

    def as_text(self) -> str:
        shown = self.board[:SHOWN] + [row for row in self.board[SHOWN:] if not row.name.startswith("ridge")]
        rows = [[i, row.name, row.mae, row.mase, row.seconds] for i, row in enumerate(self.board, 1) if row in shown]
        verdict = "promoted" if self.gate.promoted else "kept: the champion stays"
        return "\n".join(
            [
                table(["rank", "candidate", f"MAE, {self.unit}", "MASE", "seconds"], rows),
                f"({len(self.board)} candidates, {len(self.skipped)} skipped{self._first_skipped()})",
                *self._why_not_the_first(),
                "",
                f"{self.series}: {verdict}: {self.gate.reason}",
                f"serving: {self.champion['name']}, version {self.champion['version']}",
                *self.tracked,
            ]
        )

    def as_row(self, now: datetime, known: Grid, settings: Settings) -> dict[str, Any]:
        """The row of `training_runs`."""
        return {
            "run_id": uuid.uuid4().hex,
            "series_id": self.series,
            "started_at": now,
            "finished_at": now + timedelta(seconds=self.seconds),
            "window_start": known.start,
            "window_end": known.end,
            "hours": int(np.count_nonzero(~np.isnan(known.values))),
            "leaderboard": self.leaderboard(),
            "champion": self.champion,
            "challenger": self.challenger,
            "verdict": "promoted" if self.gate.promoted else "kept",
            "reason": self.gate.reason,
            "git_sha": run.git_sha(settings.folder),
            "library_versions": run.library_versions(LIBRARIES),
            "settings": settings.train.model_dump(mode="json"),
        }

    def _why_not_the_first(self) -> list[str]:
        """The leaderboard's first is not always who challenges: see evaluation.challengers."""
        if self.challenger["name"] == self.board[0].name:
            return []
        name = self.challenger["name"]
        return [f"{name} challenges: another must beat the blend by half: the best of many looks better than it is"]

    def _first_skipped(self) -> str:
        name, why = next(iter(self.skipped.items()), ("", ""))
        return f", e.g. {name}: {why}" if name else ""

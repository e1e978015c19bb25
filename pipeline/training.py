"""What a training reports: the leaderboard, the verdict, who serves now, and its row in the ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipeline import tracking
from pipeline.evaluation import Candidate, Gate
from pipeline.series import Grid
from pipeline.settings import Settings
from pipeline.terminal import table

LIBRARIES = ("numpy", "scikit-learn", "skforecast", "lightgbm", "pandas")
SHOWN = 10  # rows of the leaderboard that a person sees


@dataclass(frozen=True)
class Report:
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
            "git_sha": tracking.git_sha(settings.folder),
            "library_versions": tracking.library_versions(LIBRARIES),
            "settings": settings.train.model_dump(mode="json"),
        }

    def _first_skipped(self) -> str:
        name, why = next(iter(self.skipped.items()), ("", ""))
        return f", e.g. {name}: {why}" if name else ""

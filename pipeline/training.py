"""What a training learns from beside the hours, and what it reports: leaderboard, verdict, row in the ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipeline import evaluation, exogenous, seasons, tracking
from pipeline.card import Holidays
from pipeline.database import Database
from pipeline.evaluation import Candidate, Gate
from pipeline.seasons import Seasons
from pipeline.series import Grid
from pipeline.settings import SeriesSettings, Settings
from pipeline.terminal import table

LIBRARIES = ("numpy", "scikit-learn", "skforecast", "lightgbm", "pandas")
SHOWN = 10  # rows of the leaderboard that a person sees


def seasons_of(wanted: SeriesSettings, known: Grid) -> Seasons:
    """Those of config.toml, or those that the data show."""
    given = wanted.seasonality
    return seasons.detect(known.values) if given == "auto" else seasons.given(given, known.values)


def with_columns(settings: Settings, database: Database, series_id: str, known: Grid) -> tuple[Grid, dict[str, str]]:
    """The hours with the columns known in the future that candidates can use, and why not the others."""
    wanted = settings.series[series_id]
    until = known.end + timedelta(hours=wanted.horizon)
    stored = database.exogenous(series_id, list(wanted.exogenous), since=known.start, until=until)
    known = exogenous.attach(known, stored, wanted.horizon)
    if calendar := holidays_of(wanted, known):
        known = exogenous.attach_holidays(known, calendar.days, calendar.timezone, wanted.horizon, until=calendar.until)
    origins, _ = evaluation.plan(len(known), wanted.horizon, settings.train.backtest_days)
    return exogenous.usable(known, int(origins[0]), wanted.horizon)


def holidays_of(wanted: SeriesSettings, known: Grid) -> Holidays | None:
    """The holidays of the history and of some years after it, None where config.toml asks for none."""
    if not wanted.holidays:
        return None
    first, until = exogenous.local_days(known, wanted.holiday_timezone)
    days = exogenous.holidays_of(wanted.holidays, first, until)
    return Holidays(code=wanted.holidays, timezone=wanted.holiday_timezone, until=until, days=days)


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
            "git_sha": tracking.git_sha(settings.folder),
            "library_versions": tracking.library_versions(LIBRARIES),
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

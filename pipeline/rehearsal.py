"""What a rehearsal counts, what it must leave behind, and how it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from pydantic import SecretStr

from pipeline import replay, series
from pipeline.database import Database
from pipeline.series import Points, isoformat
from pipeline.settings import BlockchainSource, Settings
from pipeline.terminal import table


@dataclass
class Tally:
    """What happened on the way."""

    ticks: int = 0
    forecasts: int = 0
    checks: dict[str, int] = field(default_factory=dict)  # verdict -> how often
    trainings: list[bool] = field(default_factory=list)  # promoted or not, the first one included
    first_training: str = ""  # its report
    last_check: str = ""  # its report
    verdict: str = ""  # of the last check


@dataclass(frozen=True)
class LiveError:
    """The forecasts that were there before their hours began, against what happened, in the series' unit."""

    hours: int
    mae: float
    naive_mae: float
    coverage: float


@dataclass(frozen=True)
class Report:
    """The rehearsal's figures; `violations` are hours stored otherwise than recorded, and must be none."""

    unit: str
    start: datetime
    end: datetime
    tally: Tally
    live: LiveError
    violations: list[str]
    seconds: float
    folder: Path

    @property
    def failed(self) -> bool:
        return bool(self.violations)

    def as_json(self) -> dict[str, Any]:
        retrains = self.tally.trainings[1:]
        policy = {
            "name": "config.toml",
            "live_mae": self.live.mae,
            "naive_mae": self.live.naive_mae,
            "coverage": self.live.coverage,
            "scored_hours": self.live.hours,
            "retrains": len(retrains),
            "promoted": sum(retrains),
        }
        return {
            "ticks": self.tally.ticks,
            "seconds": round(self.seconds, 2),
            "violations": self.violations,
            "verdict": self.tally.verdict,
            "policies": [policy],
        }

    def as_text(self) -> str:
        live, tally = self.live, self.tally
        checks = ", ".join(f"{count} x {name}" for name, count in tally.checks.items())
        ratio = live.mae / live.naive_mae if live.naive_mae else None
        rows = [["champion", live.mae, ratio], ["weekly naive", live.naive_mae, 1.0]]
        return "\n".join(
            [
                "First training",
                tally.first_training,
                "",
                f"Then live from {isoformat(self.start)} to {isoformat(self.end)}: {tally.ticks} hourly runs, "
                f"{tally.forecasts} forecasts, {len(tally.trainings) - 1} retrains",
                f"Checks: {checks}",
                "",
                f"Live error over {live.hours} hours",
                table(["", f"MAE, {self.unit}", "ratio"], rows),
                f"{live.coverage:.0%} of the hours fell inside lower..upper",
                "",
                "Verdict of the last check",
                tally.last_check,
                *(f"VIOLATION: {violation}" for violation in self.violations),
                "",
                f"Took {self.seconds:.0f} s; database and model lie in {self.folder.name}/. "
                "Serve them: make serve DEMO=1, then open http://127.0.0.1:8000/",
            ]
        )


def staged(settings: Settings, series_id: str, url: str, folder: Path) -> Settings:
    """The user's settings, with the replay as the source, and database and model below `folder`; no repository."""
    wanted = settings.series[series_id].model_copy(update={"source": BlockchainSource(kind="blockchain", url=url)})
    database_url = SecretStr(f"sqlite:///{folder / 'actioncast.db'}")
    environment = settings.environment.model_copy(update={"database_url": database_url, "github_repository": None})
    update = {"series": {series_id: wanted}, "environment": environment, "folder": folder}
    return settings.model_copy(update=update)


def live_error(database: Database, series_id: str, start: datetime, end: datetime) -> LiveError:
    """Score the view `performance` over [start, end)."""
    rows = [row for row in database.performance(series_id, since=start, until=end) if row["reality"] is not None]
    return LiveError(
        hours=len(rows),
        mae=fmean(row["absolute_error"] for row in rows),
        naive_mae=fmean(row["naive_error"] for row in rows if row["naive_error"] is not None),
        coverage=fmean(bool(row["covered"]) for row in rows),
    )


def violations(settings: Settings, database: Database, recording: Points, series_id: str, end: datetime) -> list[str]:
    """Hours of the recording that are not stored as they should be."""
    wanted = settings.series[series_id]
    shown = replay.shown_at(recording, end)
    hours = series.to_hours(
        shown, minimum_points=wanted.minimum_points_per_hour, scale=wanted.scale, since=None, now=end
    )
    truth = series.to_grid(hours.starts, hours.values)
    stored = database.reality(series_id, until=end, newest=len(truth) + 1)
    if stored is None or (stored.start, len(stored)) != (truth.start, len(truth)):
        return [f"{stored and len(stored)} hours are stored, the recording has {len(truth)} from {truth.start} on"]
    wrong = np.flatnonzero(~np.isclose(stored.values, truth.values, rtol=1e-12, atol=0, equal_nan=True))
    return [f"{truth.start + timedelta(hours=int(i))}: {stored.values[i]} instead of {truth.values[i]}" for i in wrong]

"""The jobs of the workflows: each calls a script and checks its promises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actioncast.forecasting.card import read_card
from actioncast.github.api import Api
from actioncast.rehearsal.invariants import Invariants
from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.stage import Stage, checkout, with_short_timeout
from actioncast.rehearsal.world.github import REPOSITORY, TOKEN
from actioncast.times import HOUR, floor_hour

Script = Callable[..., Any]
READ_DAYS = 9  # of the source: more than the ingestion of a series within a day reads again


@dataclass(frozen=True)
class Scripts:
    """The `run` of each root script, handed in: the package does not import scripts."""

    ingest: Script
    forecast: Script
    check: Script
    train: Script
    freshness: Script


class Jobs:
    """What the workflows of one repository run."""

    def __init__(
        self,
        stage: Stage,
        scripts: Scripts,
        invariants: Invariants,
        progress: Progress,
    ) -> None:
        self.stage = stage
        self.scripts = scripts
        self.invariants = invariants
        self.progress = progress
        self.api = Api(stage.github.url, REPOSITORY, TOKEN, pauses=(0.0, 0.0))
        # Two runs of the same moment write into the same progress and invariants.
        self.lock = threading.Lock()

    def run(self, job: str, now: datetime) -> None:
        """Run a job by its name."""
        jobs = {
            "ingest": self.ingest,
            "forecast": self.forecast,
            "check": self.check,
            "freshness": self.freshness,
            "refresh": self.retrain,
            "train": self.retrain,
        }
        jobs[job](now)

    def load_history(self, now: datetime) -> None:
        """Load all that the source has, as a user does once."""
        self._call(self.scripts.ingest, now, backfill=True)
        self.invariants.after_reading(self.stage.source.shown(), now)

    def _call(self, script: Script, now: datetime, **options: object) -> Any:
        """The report of a script."""
        return script(
            self.stage.settings,
            self.stage.database,
            now,
            series_id=self.stage.series_id,
            **options,
        )

    @property
    def _read_days(self) -> int | None:
        """How much of the source is looked at; of longer periods all."""
        return READ_DAYS if self.stage.plan.tick_seconds == HOUR else None

    def ingest(self, now: datetime) -> None:
        stage = self.stage
        settings = stage.settings
        if "slow" in stage.source.answers:
            settings = with_short_timeout(settings, stage.series_id)
        with self.lock:
            self.invariants.before_reading(stage.source.shown(days=self._read_days), now)
        self.scripts.ingest(settings, stage.database, now, series_id=stage.series_id)
        with self.lock:
            self.invariants.after_reading(stage.source.shown(days=self._read_days), now)

    def forecast(self, now: datetime) -> None:
        report = self._call(self.scripts.forecast, now)
        card = read_card(self.stage.model_folder)
        version = card.version if card else None
        self.progress.add_violations(self.invariants.check_vintage(report.issued_at, version))

    def check(self, now: datetime) -> None:
        report = self._call(self.scripts.check, now)
        self.progress.verdict = report.verdict.name
        self.progress.last_check = report.as_text()
        self.progress.count_check(report.verdict.name)

    def freshness(self, now: datetime) -> None:
        stage = self.stage
        self.scripts.freshness(
            stage.settings,
            stage.database,
            now,
            series_ids=[stage.series_id],
            api=self.api,
        )

    def retrain(self, now: datetime) -> None:
        """Train, publish, and forecast with the champion that serves then."""
        self.train(now)
        self.forecast(now)

    def train(self, now: datetime) -> None:
        """Train and publish."""
        model_folder = self.stage.model_folder
        with checkout(model_folder):
            report = self._call(self.scripts.train, now)
        if not self.progress.first_training:
            self.progress.first_training = report.as_text()
        promoted = report.gate.promoted
        self.progress.trainings.append((floor_hour(now).isoformat(), promoted))
        if promoted:
            sizes = [path.stat().st_size for path in model_folder.iterdir()]
            self.progress.published_bytes += sum(sizes)

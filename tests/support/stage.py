"""A project folder with a series and a database, on which the scripts train and forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import train
from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.forecasting import recipes
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.grid import Periods
from actioncast.settings import Settings
from actioncast.times import HOUR, to_seconds
from actioncast.training.report import TrainingReport
from tests.support.series import START, seasonal
from utils import Predictors

TRAIN = """
candidates = ["seasonal_naive", "ridge", "blend"]
backtest = '7D'
gate_margin = 0.05
budget = 3600
"""


@dataclass
class Stage:
    """A project folder with one series, `demo`, and an empty database."""

    settings: Settings
    database: Database
    config: Path

    def load(self, hours: int = 500, **kind: Any) -> datetime:
        """Store so many hours from a Monday on; returns the moment at which the last one is over."""
        starts = to_seconds(START) + HOUR * np.arange(hours)
        stored = Periods(starts, seasonal(hours, **kind), np.full(hours, 4))
        run = {"run_id": str(hours), "series_id": "demo", "started_at": START, "finished_at": START}
        nothing = {"points_read": 0, "periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
        self.database.load_periods("demo", stored, START, {**run, **nothing})
        return START + timedelta(hours=hours)

    def train(self, now: datetime) -> TrainingReport:
        return train.run(self.settings, self.database, now, series_id="demo")

    @property
    def directory(self) -> Path:
        return self.settings.model_directory("demo")

    def ledger(self) -> list[dict[str, Any]]:
        return self.database.training_runs("demo", since=START - timedelta(days=1))


def stage_in(folder: Path, train_table: str = TRAIN) -> tuple[Path, Settings]:
    config = folder / "config.toml"
    source = '{ kind = "file", path = "none.csv" }'
    config.write_text(f'[series.demo]\nsource = {source}\nunit = "x"\nhorizon = 24\n[train]\n{train_table}')
    return config, load_settings(config, {"DATABASE_URL": f"sqlite:///{folder / 'test.db'}"})


@pytest.fixture
def few_ridges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of the linear recipes: the result is the same in a third of the time."""
    every = recipes._ridges

    def few(seasonality: Sequence[int], sets: dict[str, Predictors]) -> list[Recipe]:
        return every(seasonality, {name: sets[name] for name in ("day", "day_calendar")})

    monkeypatch.setattr(recipes, "_ridges", few)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    config, settings = stage_in(tmp_path)
    with open_database(settings) as database:
        yield Stage(settings, database, config)

"""What the tests of the API and the page need: a series with a daily and a weekly wave, and a champion fitted on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

import app
from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.forecasting import champion, forecaster, intervals
from actioncast.forecasting.card import Distribution
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.grid import Periods
from actioncast.periods.timeline import UTC_HOURS
from actioncast.settings import Settings
from actioncast.times import HOUR, to_seconds
from tests.support.clock import at
from utils import Predictors

SERIES = "demo"
KEY = "a-key-that-is-long-enough"
HISTORY = 400  # hours that are stored before midnight of the tests' day
NOW = at(0.5)  # the newest stored hour began at -1 h
CONFIG = f"""
[series.{SERIES}]
title = "A wave"
unit = "things/h"
source = {{ kind = "file", path = "none.csv" }}
"""


def wave(first: datetime, hours: int) -> Periods:
    """Ascending hours from `first` on: 1000 with a swing of 300 a day and of 100 a week."""
    starts = to_seconds(first) + HOUR * np.arange(hours)
    values = 1000 + 300 * np.sin(starts / HOUR / 24 * 2 * np.pi) + 100 * np.sin(starts / HOUR / 168 * 2 * np.pi)
    return Periods(starts, values, np.full(hours, 4))


def load(database: Database, hours: Periods, when: datetime) -> None:
    """Store hours as an ETL run does."""
    run = {"run_id": f"{when.isoformat()}-{len(hours)}", "series_id": SERIES, "started_at": when, "finished_at": when}
    counts = {"points_read": len(hours), "points_rejected": 0, "periods_missing": 0, "message": ""}
    database.load_periods(SERIES, hours, when, run | counts)


def promote(directory: Path, *, name: str = "ridge_day", alpha: float = 0.1, levels: tuple[float, ...] = ()) -> str:
    """Fit and save a small champion, which states these quantiles; returns its version."""
    history = wave(at(-HISTORY), HISTORY)
    first_period = to_seconds(at(-HISTORY)) // HOUR
    recipe = Recipe(name, "ridge", Predictors((1, 2, 24, 168)), alpha=alpha)
    fitted = forecaster.fit(history.values, recipe, axis=Axis(UTC_HOURS, first_period), seasonality=(24, 168))
    forecasts = np.full((4, 168), 1000.0)
    residuals = np.random.default_rng(1).normal(0, 30, (4, 168))
    hours = first_period + np.arange(168) + np.zeros((4, 1), dtype=np.int64)
    spread = intervals.calibrate(residuals, forecasts, hours % 24, phase_count=24, nonnegative=True, span=HISTORY)
    facts = champion.Facts(
        series=SERIES,
        name=name,
        created_at=at(-1),
        window_start=at(-HISTORY),
        window_end=at(-1),
        periods=HISTORY,
        mae=25.0,
        mase=0.8,
        mae_by_lead=np.full(168, 25.0),
        libraries={"numpy": np.__version__},
        distribution=Distribution(levels=levels) if levels else None,
    )
    made = Forecaster((fitted,), np.ones(1), spread, 0.8, (24, 168), levels=levels)
    numbers = champion.pack_numbers(made, name)
    new_card = champion.make_card(made, numbers, facts)
    champion.save_champion(directory, new_card, numbers)
    return new_card.version


def settings_in(folder: Path, url: str, *, api: str = "", **variables: str) -> Settings:
    """Settings of a folder of their own; `api` holds lines of its [api] table."""
    path = folder / "config.toml"
    path.write_text(f"{CONFIG}\n[api]\nrequests_per_minute = 0\nnewness_seconds = 0\n{api}", encoding="utf-8")
    return load_settings(path, {"DATABASE_URL": url, "API_KEY": KEY, **variables})


def fill(settings: Settings) -> None:
    """History and champion, as after the first training."""
    with open_database(settings) as database:
        load(database, wave(at(-HISTORY), HISTORY), at(0))
    promote(settings.model_directory(SERIES))


@contextmanager
def client_of(settings: Settings, now: datetime = NOW, *, key: str | None = KEY) -> Iterator[TestClient]:
    """The application in this process, under a clock that stands still."""
    headers = {"X-API-Key": key} if key else {}
    with TestClient(app.create_app(settings, lambda: now), headers=headers, raise_server_exceptions=False) as client:
        yield client


def hours_after(moment: datetime, text: str) -> float:
    """How long after a moment an answer's time is."""
    return (datetime.fromisoformat(text) - moment) / timedelta(hours=1)

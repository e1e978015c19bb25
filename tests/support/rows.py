"""Builders of rows, and connections that meet, for the tests of the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from actioncast.config import load_settings
from actioncast.database.connection import DatabaseError, database_url
from actioncast.database.database import Database, open_database
from actioncast.periods.grid import Periods
from actioncast.periods.timeline import UTC_HOURS
from actioncast.settings import Settings
from actioncast.times import to_seconds
from tests.support.clock import MIDNIGHT, at


def settings_for(url: str) -> Settings:
    return load_settings(variables={"DATABASE_URL": url})


def hours(*values: float, start: float = 0, samples: int = 4) -> Periods:
    """Consecutive hours from `start` (hours after midnight) on."""
    starts = to_seconds(at(start)) + 3600 * np.arange(len(values), dtype=np.int64)
    return Periods(starts, np.array(values, dtype=np.float64), np.full(len(values), samples))


def run_row(run_id: str = "run", **more: Any) -> dict[str, Any]:
    counts = {"points_read": 4, "points_rejected": 0, "periods_missing": 0, "message": ""}
    return {"run_id": run_id, "series_id": "a", "started_at": at(0), "finished_at": at(0), **counts, **more}


def load(database: Database, loaded: Periods, series_id: str = "a", run_id: str = "run") -> int:
    return database.load_periods(series_id, loaded, at(9), run_row(run_id, series_id=series_id))


def vintage(issued: float, *predictions: float, series_id: str = "a") -> list[dict[str, Any]]:
    """Forecasts for the hours from the one after `issued` (hours after midnight) on, +- 1."""
    return [
        {
            "series_id": series_id,
            "prediction_date": at(int(issued) + lead),
            "issued_at": at(issued),
            "prediction": prediction,
            "lower": prediction - 1,
            "upper": prediction + 1,
            "lead": lead,
            "model_version": "v1",
            "naive": None,
            "quantiles": None,
            "width_below": None,
            "width_above": None,
            "fallback": None,
        }
        for lead, prediction in enumerate(predictions, start=1)
    ]


def at_once(url: str, work: Callable[[Database, int], object]) -> list[object]:
    """Four connections do the same work at the same moment."""
    ready = threading.Barrier(4)

    def one(number: int) -> object:
        database = Database(database_url(settings_for(url)))
        try:
            ready.wait(30)
            return work(database, number)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(4)))


def stored(database: Database, series_id: str = "a", until: datetime = MIDNIGHT + timedelta(days=30)) -> list[float]:
    grid = database.reality(series_id, until=until, newest=99, timeline=UTC_HOURS)
    return [] if grid is None else grid.values.tolist()


def opening_error(url: str) -> str:
    with pytest.raises(DatabaseError) as caught, open_database(settings_for(url)):
        pass
    return str(caught.value)


def check(hour: float, **more: Any) -> dict[str, Any]:
    figures = {"scored_periods": 48, "mae": 1.5, "reference_mae": 1.0, "naive_mae": None}
    verdict = {"verdict": "good", "bad": False, "newest_period": at(hour - 1), "reasons": ["fine"], "dispatched": False}
    return {"series_id": "a", "checked_at": at(hour), **figures, **verdict, **more}

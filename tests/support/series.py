"""Small hourly series that the forecasting tests share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from actioncast import times
from actioncast.periods.grid import Grid, to_grid, to_periods
from actioncast.rehearsal.world import replay

START = datetime(2022, 1, 3, tzinfo=UTC)  # a Monday
SEASONS = (24, 168)


def seasonal(hours: int, *, seed: int = 0, level: float = 100.0, noise: float = 3.0) -> NDArray[np.float64]:
    """[hours] a daily and a weekly wave around the level, with noise."""
    hour = np.arange(hours)
    waves = 20 * np.sin(2 * np.pi * hour / 24) + 8 * np.sin(2 * np.pi * hour / 168)
    return np.asarray(level + waves + np.random.default_rng(seed).normal(0, noise, hours))


def grid(values: NDArray[np.float64]) -> Grid:
    """The values as a series that starts on a Monday."""
    return Grid(START, values)


def with_gaps(values: NDArray[np.float64], *, every: int = 37) -> NDArray[np.float64]:
    """The values with one hour missing out of so many, and once a whole day."""
    holes = values.copy()
    holes[5::every] = np.nan
    holes[100:124] = np.nan
    return holes


def recorded() -> Grid:
    """The bundled recording of Bitcoin transactions per hour."""
    points = replay.read_recording()
    now = times.from_seconds(int(points.times[-1])) + timedelta(hours=1)
    hours = to_periods(points, minimum_points=3, scale=3600, since=None, now=now)
    return to_grid(hours.starts, hours.values)

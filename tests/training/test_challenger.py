"""Series of every kind are trained on and forecast."""

from __future__ import annotations

import numpy as np
import pytest

from actioncast.arrays import Values
from actioncast.forecasting import forecaster
from actioncast.forecasting.forecaster import Forecaster
from actioncast.training.leaderboard import challengers
from tests.support.series import grid, recorded, seasonal, with_gaps
from tests.support.training import trained

NAN = float("nan")
KINDS = {
    "zeros": np.maximum(seasonal(500, level=0), 0),
    "all zero": np.zeros(500),
    "constant": np.full(500, 0.1),
    "negatives": seasonal(500, level=0),
    "negative after the training": np.concatenate([seasonal(480, level=40), np.full(20, -5.0)]),
    "gaps": with_gaps(seasonal(500)),
    "mostly gaps": np.where(np.arange(500) % 7 == 0, seasonal(500), NAN),
    "three weeks": seasonal(504),
    "eighty hours": seasonal(80),
    "huge": 1e12 * seasonal(500),
    "tiny": 1e-9 * seasonal(500),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_of_any_kind_is_forecast(kind: str) -> None:
    values = KINDS[kind]
    values = np.concatenate([values[:-1], [np.nanmean(values)]])  # a series ends with a known hour
    model, board = trained(values)
    made = forecaster.forecast(model, grid(with_some(values, model)), 24)
    for array in (made.prediction, made.lower, made.upper):
        assert np.isfinite(array).all()
    assert (made.lower <= made.prediction).all()
    assert (made.prediction <= made.upper).all()
    assert all(np.isfinite(row.mae) for row in board)
    if np.nanmin(values) >= 0:
        assert made.lower.min() >= 0


def with_some(values: Values, model: Forecaster) -> Values:
    """Serving refuses to forecast from mostly gaps: fill what it looks back on."""
    return np.where(np.isnan(values), np.nanmean(values), values) if np.isnan(values).mean() > 0.5 else values


@pytest.mark.parametrize("seasons", [(24,), (12, 84), (8,), (168,)])
def test_other_seasons_are_forecast(seasons: tuple[int, ...]) -> None:
    hour = np.arange(600)
    values = 50 + 10 * np.sin(2 * np.pi * hour / seasons[0]) + np.random.default_rng(0).normal(0, 0.5, 600)
    model, board = trained(values, seasons=seasons)
    naive = min(row.mae for row in board if row.name.startswith("seasonal_naive"))
    assert challengers(board)[0].mae < naive
    assert np.isfinite(forecaster.forecast(model, grid(values), 24).prediction).all()


def test_the_same_seed_makes_the_same_forecaster() -> None:
    families = ["random_forest", "lightgbm"]
    values = with_gaps(seasonal(250))
    first, second = (trained(values, families=families) for _ in range(2))
    assert [row.mae for row in first[1]] == [row.mae for row in second[1]]
    ahead = [forecaster.forecast(model, grid(values), 24).prediction for model, _ in (first, second)]
    np.testing.assert_array_equal(ahead[0], ahead[1])


def test_the_recording_is_forecast_a_day_ahead_within_620_transactions_an_hour() -> None:
    """Rolling over its second half, retrained weekly; the weekly naive makes 729."""
    values = recorded().values
    misses = []
    for end in range(len(values) // 2, len(values) - 24, 168):
        model, _ = trained(values[:end], horizon=24)
        for origin in range(end, min(end + 168, len(values) - 24), 24):
            made = forecaster.forecast(model, grid(values[:origin]), 24)
            misses.append(np.abs(made.prediction - values[origin : origin + 24]))
    assert np.mean(misses) <= 620

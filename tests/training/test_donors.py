"""Cold start: a new series of the copy is forecast by the shape of a week of another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import make_predictions
from actioncast.config import load_settings
from actioncast.forecasting.card import read_card
from actioncast.forecasting.recipes import BORROWED
from actioncast.periods.grid import Periods
from actioncast.times import HOUR, to_seconds
from actioncast.training.donors import borrowed, correlation, shape_of
from tests.support.series import START, grid
from tests.support.stage import Stage, stage_in
from utils import Predictors

HOURS = 24 * 7 * 10


def weekly(hours: int, *, level: float = 100.0, size: float = 1.0, seed: int = 0) -> NDArray[np.float64]:
    """A shape of a week that no day shows: nights, workdays, and a quiet weekend."""
    hour = np.arange(hours)
    day = np.where(hour // 24 % 7 < 5, 1.0, 0.3)
    wave = 30 * day * np.maximum(np.sin(2 * np.pi * (hour % 24 - 6) / 24), 0)
    return np.asarray(level + size * wave + np.random.default_rng(seed).normal(0, 1, hours))


@pytest.fixture
def two(stage: Stage, few_ridges: None) -> Stage:
    """A copy with another series, whose ten weeks are stored."""
    config, _ = stage_in(stage.config.parent)
    text = config.read_text()
    source = '{ kind = "file", path = "none.csv" }'
    config.write_text(f'{text}[series.older]\nsource = {source}\nunit = "x"\n')
    settings = load_settings(config, {"DATABASE_URL": f"sqlite:///{stage.config.parent / 'test.db'}"})
    stage = replace(stage, settings=settings)
    store(stage, "older", weekly(HOURS), START)
    return stage


def store(stage: Stage, series_id: str, values: Any, start: datetime) -> None:
    starts = to_seconds(start) + HOUR * np.arange(len(values))
    run = {"run_id": series_id, "series_id": series_id, "started_at": START, "finished_at": START}
    nothing = {"points_read": 0, "periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
    stage.database.load_periods(series_id, Periods(starts, values, np.full(len(values), 4)), START, {**run, **nothing})


def test_a_series_of_three_days_is_forecast_over_the_weekend_by_the_shape_of_another(two: Stage) -> None:
    """It began on a Wednesday, so that it has never seen a Saturday."""
    begin = START + timedelta(days=65 - 7)
    both = weekly(HOURS, level=500, size=4, seed=1)
    first = 24 * 58
    store(two, "demo", both[first : first + 72], begin)
    now = begin + timedelta(hours=72)
    two.train(now)
    card = read_card(two.directory)
    assert card
    assert f"{BORROWED}_older" in {member.recipe["name"] for member in card.members}
    report = make_predictions.run(two.settings, two.database, now, series_id="demo", horizon=48)
    forecast = np.array([row["prediction"] for row in report.rows])
    actual = weekly(HOURS, level=500, size=4, seed=1)[first + 72 : first + 120]
    repeated = both[first + 48 : first + 72]
    assert np.abs(forecast - actual).mean() < 0.6 * np.abs(np.tile(repeated, 2) - actual).mean()


def ask(stage: Stage, values: Any) -> list[Any]:
    now = START + timedelta(hours=HOURS)
    history = grid(values)
    return borrowed(stage.settings, stage.database, history, now, series_id="demo", longest_season=168)


def test_nothing_is_borrowed_by_a_long_history_or_from_a_series_that_is_not_alike(two: Stage) -> None:
    assert ask(two, weekly(72))
    assert ask(two, weekly(400)) == []
    assert ask(two, np.random.default_rng(3).normal(size=72)) == []
    assert ask(two, np.full(72, 5.0)) == []
    assert ask(two, weekly(8)) == []


def test_the_series_most_alike_is_the_donor(two: Stage) -> None:
    (recipe,) = ask(two, weekly(72))
    assert (recipe.name, recipe.predictors) == ("borrowed_older", Predictors((1,)))
    assert len(recipe.parameters["shape"]) == 168


def test_a_donor_needs_weeks_and_a_shape() -> None:
    assert shape_of(grid(weekly(400))) is None
    assert shape_of(grid(np.full(2000, 3.0))) is None
    shape = shape_of(grid(weekly(2000)))
    assert shape is not None
    assert (shape.mean(), shape.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))


def test_too_few_shared_periods_say_nothing() -> None:
    shape = np.arange(168.0)
    assert correlation(shape, np.arange(5), np.arange(5.0)) == 0
    assert correlation(shape, np.arange(50), np.arange(50.0)) == pytest.approx(1)

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

import make_predictions
from actioncast.forecasting import level_shifts
from actioncast.forecasting.card import read_card
from actioncast.forecasting.forecaster import Forecast
from actioncast.forecasting.level_shifts import Shift
from actioncast.monitoring.look import look
from actioncast.periods.grid import Periods
from actioncast.serving.restatement import standing
from actioncast.times import HOUR, to_seconds
from tests.support.series import SEASONS, START, grid, seasonal
from tests.support.stage import Stage

CHANGED, BACK = 700, 820


def episode(length: int, *, factor: float = 0.5, offset: float = 0.0, level: float = 100.0) -> Any:
    """A series whose level changed at CHANGED and was back at BACK."""
    values = seasonal(length, level=level)
    values[CHANGED:BACK] = values[CHANGED:BACK] * factor + offset
    return values


def shift_at(index: int, factor: float = 0.5, offset: float = 0.0) -> Shift:
    return Shift(START + timedelta(hours=index), factor, offset)


def test_while_the_new_level_lasts_it_holds() -> None:
    history = grid(episode(BACK))
    held = standing(history, [shift_at(CHANGED)], SEASONS)
    assert held.ended is None
    assert held.history is history


@pytest.mark.parametrize("days_back", [1, 2, 6])
def test_a_day_after_the_old_level_is_back_the_episode_is_restated(days_back: int) -> None:
    usual = seasonal(BACK + 24 * days_back)
    held = standing(grid(episode(len(usual))), [shift_at(CHANGED)], SEASONS)
    assert held.ended
    assert held.ended.shift == shift_at(CHANGED)
    assert held.ended.seen_at == START + timedelta(hours=BACK + 48)
    assert held.history.values[:BACK] == pytest.approx(episode(BACK))
    assert held.history.values[BACK:] == pytest.approx(0.5 * usual[BACK:])
    made = Forecast(0.5 * usual, 0.5 * usual - 1, 0.5 * usual + 1, (0.5,), 0.5 * usual[None])
    undone = held.ended.undo(made)
    assert undone.prediction == pytest.approx(usual)
    assert undone.upper - undone.lower == pytest.approx(np.full(len(usual), 4.0))
    assert undone.quantiles[0] == pytest.approx(usual)


def test_offsets_of_series_with_negative_values_end_too() -> None:
    usual = seasonal(BACK + 48, level=0.0)
    values = episode(len(usual), factor=1.0, offset=80.0, level=0.0)
    held = standing(grid(values), [shift_at(CHANGED, 1.0, 80.0)], SEASONS)
    assert held.ended
    assert held.history.values[BACK:] == pytest.approx(usual[BACK:] + 80)


def test_a_level_of_many_weeks_stays_and_one_before_the_history_is_left_alone() -> None:
    values = seasonal(CHANGED + 24 * 40)
    values[CHANGED:-24] *= 0.5
    assert standing(grid(values), [shift_at(CHANGED)], SEASONS).ended is None
    assert standing(grid(values), [shift_at(-500)], SEASONS).ended is None
    assert standing(grid(values), [], SEASONS).ended is None


def test_a_silent_source_ends_nothing() -> None:
    values = episode(BACK + 24)
    values[BACK:] = np.nan
    assert standing(grid(values), [shift_at(CHANGED)], SEASONS).ended is None


def store(stage: Stage, values: Any) -> Any:
    starts = to_seconds(START) + HOUR * np.arange(len(values))
    run = {"run_id": str(len(values)), "series_id": "demo", "started_at": START, "finished_at": START}
    nothing = {"points_read": 0, "periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
    stored = Periods(starts, values, np.full(len(values), 4))
    stage.database.load_periods("demo", stored, START, {**run, **nothing})
    return START + timedelta(hours=len(values))


def test_a_champion_of_an_episode_forecasts_the_old_level_again_and_is_re_examined_once(
    stage: Stage, few_ridges: None
) -> None:
    now = store(stage, episode(BACK - 40))
    stage.train(now)
    card = read_card(stage.directory)
    assert card
    assert card.shifts[-1].factor == pytest.approx(0.5, rel=0.1)

    now = store(stage, episode(BACK + 24))
    report = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    forecast = np.array([row["prediction"] for row in report.rows])
    assert np.abs(forecast - seasonal(BACK + 48)[-24:]).mean() < 8

    early = look(stage.settings, stage.database, now, series_id="demo")
    assert not any("the old one is back" in reason for reason in early.verdict.reasons)
    now = store(stage, episode(BACK + 48))
    check = look(stage.settings, stage.database, now, series_id="demo")
    assert "the old one is back" in check.verdict.reasons[0]
    stage.train(now + timedelta(hours=1))
    later = look(stage.settings, stage.database, now + timedelta(hours=2), series_id="demo")
    assert not any("the old one is back" in reason for reason in later.verdict.reasons)
    assert level_shifts.find(grid(episode(BACK + 48)), SEASONS) == ()

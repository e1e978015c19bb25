from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

import make_predictions
from actioncast.forecasting import forecaster as engine
from actioncast.forecasting.card import NoChampionError
from actioncast.forecasting.champion import load_champion
from actioncast.forecasting.forecaster import Forecast
from actioncast.forecasting.recipes import ForecastError
from actioncast.paths import NUMBERS
from actioncast.serving.fallback import substitute, why_absurd
from actioncast.serving.history import NoDataError
from tests.support.series import SEASONS, grid, seasonal, with_gaps
from tests.support.stage import Stage

HISTORY = seasonal(600)


def forecast_of(values: Any) -> Forecast:
    values = np.asarray(values, dtype=np.float64)
    return Forecast(values, values, values, (), np.empty((0, len(values))))


@pytest.fixture
def champion(stage: Stage) -> Any:
    stage.train(stage.load(600))
    return load_champion(stage.directory).forecaster


@pytest.mark.parametrize("far", [1e6, -1e6, 400.0])
def test_a_period_far_outside_of_all_that_is_known_is_absurd(champion: Any, far: float) -> None:
    usual = HISTORY[-24:].copy()
    usual[7] = far
    assert "all known values lie in" in why_absurd(forecast_of(usual), grid(HISTORY), champion)


def test_a_day_that_averages_above_all_that_is_known_is_absurd(champion: Any) -> None:
    lifted = np.full(24, HISTORY.max() + 0.3 * np.ptp(HISTORY))
    assert "averages" in why_absurd(forecast_of(lifted), grid(HISTORY), champion)


def test_usual_and_record_values_are_not_absurd(champion: Any) -> None:
    usual = HISTORY[-24:].copy()
    assert why_absurd(forecast_of(usual), grid(HISTORY), champion) == ""
    usual[7] = HISTORY.max() * 1.1
    assert why_absurd(forecast_of(usual), grid(HISTORY), champion) == ""


def test_a_level_that_the_history_has_reached_is_not_absurd(champion: Any) -> None:
    tenfold = HISTORY.copy()
    tenfold[-30:] *= 10
    assert why_absurd(forecast_of(10 * HISTORY[-24:]), grid(tenfold), champion) == ""


def test_the_naive_repeats_the_season_with_intervals_of_its_own_errors() -> None:
    made = substitute(grid(HISTORY), SEASONS, 200, coverage=0.8, levels=(0.1, 0.5, 0.9)).forecast
    assert made.prediction[:168] == pytest.approx(HISTORY[-168:])
    assert made.prediction[168:] == pytest.approx(HISTORY[-168:-136])
    inside = (HISTORY[432:] >= HISTORY[264:432] + made.lower[0] - made.prediction[0]) & (
        HISTORY[432:] <= HISTORY[264:432] + made.upper[0] - made.prediction[0]
    )
    assert inside.mean() == pytest.approx(0.8, abs=0.1)
    width = made.upper - made.lower
    assert width[168] == pytest.approx(np.sqrt(2) * width[0])
    assert (np.diff(made.quantiles, axis=0) >= 0).all()


def test_the_naive_gets_over_gaps_and_short_histories() -> None:
    holes = substitute(grid(with_gaps(HISTORY)), SEASONS, 24, coverage=0.8, levels=()).forecast
    assert np.isfinite([holes.prediction, holes.lower, holes.upper]).all()
    one = substitute(grid(np.array([7.0])), SEASONS, 3, coverage=0.8, levels=()).forecast
    assert one.prediction.tolist() == [7, 7, 7]
    assert (one.lower >= 0).all()
    with pytest.raises(ForecastError, match="no value is known"):
        substitute(grid(np.full(30, np.nan)), SEASONS, 3, coverage=0.8, levels=())


def test_a_champion_that_runs_away_is_held_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = stage.load(600)
    stage.train(now)
    made = engine.forecast

    def wild(*arguments: Any, **named: Any) -> Forecast:
        usual = made(*arguments, **named)
        return replace(usual, prediction=usual.prediction * 1e3)

    monkeypatch.setattr(engine, "forecast", wild)
    report = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    stored = stage.database.vintage("demo", now)
    assert report.failed
    assert "the champion forecasts" in report.as_text()
    assert {row["fallback"] for row in stored} == {report.fallback}
    assert {row["model_version"] for row in stored} == {"seasonal_naive_168"}
    assert max(row["prediction"] for row in stored) < 200


def test_a_damaged_champion_is_stood_in_for_and_one_never_trained_is_not(stage: Stage) -> None:
    now = stage.load(600)
    with pytest.raises(NoChampionError, match=r"train\.py"):
        make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    stage.train(now)
    (stage.directory / NUMBERS).write_bytes(b"x")
    report = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    assert report.failed
    assert report.as_json()["fallback"] is True
    assert "forecaster.npz" in report.as_json()["fallback_reason"]


def test_where_no_value_is_left_the_newest_forecast_stands_as_long_as_it_reaches(stage: Stage) -> None:
    now = stage.load(600)
    stage.train(now)
    stored = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    with stage.database.engine.begin() as connection:
        connection.exec_driver_sql("delete from reality")
    later = now + timedelta(hours=10)
    report = make_predictions.run(stage.settings, stage.database, later, series_id="demo")
    assert report.failed
    assert list(report.rows) == stage.database.vintage("demo", now)[10:]
    assert report.issued_at == stored.issued_at
    assert "nothing of demo is stored" in str(report.fallback)
    assert stage.database.newest_vintages("demo") == [now]
    with pytest.raises(NoDataError):
        make_predictions.run(stage.settings, stage.database, now + timedelta(hours=30), series_id="demo")


def test_without_any_data_even_the_naive_has_nothing_to_say(stage: Stage) -> None:
    now = stage.load(600)
    stage.train(now)
    with stage.database.engine.begin() as connection:
        connection.exec_driver_sql("delete from reality")
    with pytest.raises(NoDataError):
        make_predictions.run(stage.settings, stage.database, now, series_id="demo")

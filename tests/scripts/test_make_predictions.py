from __future__ import annotations

import argparse
import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

import make_predictions
from actioncast.forecasting import champion, forecaster
from actioncast.forecasting.card import ModelError
from actioncast.forecasting.champion import Facts
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.grid import Periods
from actioncast.periods.timeline import UTC_HOURS
from actioncast.serving.history import NoDataError
from actioncast.times import HOUR, isoformat, to_seconds
from tests.support.checkout import ROOT
from tests.support.series import SEASONS, START
from tests.support.stage import Stage
from utils import Predictors

FIRST_RELEASE = ROOT / "tests" / "fixtures" / "v0_1_0"
FIRST_HOUR = to_seconds(START) // HOUR


def own_hour(stage: Stage, hours: int) -> None:
    """Store a series whose value is its own hour, and a champion that goes on with it."""
    number = FIRST_HOUR + np.arange(hours)
    run = {"run_id": str(hours), "series_id": "demo", "started_at": START, "finished_at": START}
    nothing = {"points_read": 0, "periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
    loaded = Periods(number * HOUR, number.astype(np.float64), np.full(hours, 4))
    stage.database.load_periods("demo", loaded, START, {**run, **nothing})
    recipe = Recipe("line", "ridge", Predictors((1, 24)), difference=24)
    member = forecaster.fit(
        number[:200].astype(np.float64), recipe, axis=Axis(UTC_HOURS, FIRST_HOUR), seasonality=SEASONS
    )
    spread = Spread(np.ones(24), np.ones(24), 1.0, 0.0, np.linspace(-1, 1, 201), 20.0)
    model = Forecaster((member,), np.ones(1), spread, 0.8, SEASONS)
    end = START + timedelta(hours=199)
    facts = Facts("demo", "line", end, START, end, 200, 1.0, None, np.ones(24), {})
    numbers = champion.pack_numbers(model, "line")
    champion.save_champion(stage.directory, champion.make_card(model, numbers, facts), numbers)


def vintages(stage: Stage) -> list[tuple[Any, ...]]:
    query = "select prediction_date, issued_at, prediction, lead from predictions order by issued_at, prediction_date"
    with stage.database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_forecast_for_an_hour_is_stored_at_that_hour(stage: Stage) -> None:
    own_hour(stage, 240)
    now = START + timedelta(hours=240, minutes=20)
    report = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    assert report.origin == START + timedelta(hours=239)
    stored = [(datetime.fromisoformat(hour).replace(tzinfo=UTC), value) for hour, _, value, _ in vintages(stage)]
    assert [hour for hour, _ in stored] == [START + timedelta(hours=240 + lead) for lead in range(24)]
    assert [value for _, value in stored] == pytest.approx([to_seconds(hour) / HOUR for hour, _ in stored], abs=1e-4)


def test_an_hour_shows_the_forecast_that_was_issued_before_it_began(stage: Stage) -> None:
    own_hour(stage, 240)
    now = START + timedelta(hours=240, minutes=20)
    make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    shown = stage.database.performance("demo", since=START, until=START + timedelta(days=30))
    assert shown[0]["prediction_date"] == START + timedelta(hours=241)
    assert len(shown) == 23


def test_new_hours_are_observed_without_training_again(stage: Stage) -> None:
    own_hour(stage, 300)
    for hours in (250, 300):
        now = START + timedelta(hours=hours)
        report = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
        assert report.rows[0]["prediction"] == pytest.approx(FIRST_HOUR + hours, abs=1e-4)
        assert report.rows[0]["lead"] == 1
    assert len(vintages(stage)) == 48


def test_issuing_again_at_the_same_moment_replaces(stage: Stage) -> None:
    own_hour(stage, 240)
    now = START + timedelta(hours=240)
    make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    make_predictions.run(stage.settings, stage.database, now, series_id="demo", horizon=30)
    assert [lead for *_, lead in vintages(stage)] == list(range(1, 31))


def test_few_hours_are_the_beginning_of_a_whole_vintage(stage: Stage) -> None:
    own_hour(stage, 240)
    now = START + timedelta(hours=240)
    report = make_predictions.run(stage.settings, stage.database, now, series_id="demo", horizon=1)
    assert len(report.rows) == 1
    assert [lead for *_, lead in vintages(stage)] == list(range(1, 25))


def test_a_gap_before_the_forecast_is_bridged(stage: Stage) -> None:
    own_hour(stage, 240)
    with stage.database.engine.begin() as connection:
        connection.execute(
            text("delete from reality where reality_date >= :since and reality_date < :until"),
            {"since": isoformat(START + timedelta(hours=236)), "until": isoformat(START + timedelta(hours=239))},
        )
    now = START + timedelta(hours=240)
    report = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    assert np.isfinite([row["prediction"] for row in report.rows]).all()


def test_a_champion_of_the_first_release_forecasts_what_it_forecast_then(stage: Stage) -> None:
    """It was trained by 0.1.0 on these very hours; forecast.json is what 0.1.0 made of it."""
    now = stage.load(500)
    shutil.copytree(FIRST_RELEASE / "model" / "demo", stage.directory)
    report = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    then = json.loads((FIRST_RELEASE / "forecast.json").read_text())
    assert len(report.rows) == len(then) == 24
    for row, old in zip(report.rows, then, strict=True):
        assert isoformat(row["prediction_date"]) == old["prediction_date"]
        for name in ("prediction", "lower", "upper"):
            assert row[name] == pytest.approx(old[name], abs=1e-5)


def test_without_a_champion_the_command_to_run_is_named(stage: Stage) -> None:
    with pytest.raises(ModelError, match=r"run: python train\.py"):
        make_predictions.run(stage.settings, stage.database, START, series_id="demo")


def test_without_data_the_command_to_run_is_named(stage: Stage) -> None:
    own_hour(stage, 240)
    with pytest.raises(NoDataError, match=r"run: python update_real_data\.py --series demo"):
        make_predictions.run(stage.settings, stage.database, START - timedelta(days=1), series_id="demo")


def test_json_is_as_documented(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    own_hour(stage, 240)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{stage.config.parent / 'test.db'}")
    now = isoformat(START + timedelta(hours=240, minutes=20))
    flags = ["--config", str(stage.config), "--now", now, "--num-predictions", "2"]
    assert make_predictions.main([*flags, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["issued_at"] == now
    assert printed["origin"] == isoformat(START + timedelta(hours=239))
    assert printed["model_version"] == champion.load_champion(stage.directory).card.version
    dates = [row["prediction_date"] for row in printed["predictions"]]
    assert dates == [isoformat(START + timedelta(hours=h)) for h in (240, 241)]
    assert set(printed["predictions"][0]) == {"prediction_date", "prediction", "lower", "upper"}


def test_a_person_sees_the_first_hours(stage: Stage) -> None:
    own_hour(stage, 240)
    now = START + timedelta(hours=240)
    shown = make_predictions.run(stage.settings, stage.database, now, series_id="demo").as_text()
    assert "demo: the next 24 hours, last known hour 2022-01-12T23:00:00Z" in shown
    assert "... and 18 more hours" in shown


@pytest.mark.parametrize("text", ["0", "-1", "2209", "1.5", "week", ""])
def test_a_horizon_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected 1 to 2208 periods"):
        make_predictions.horizon_flag(text)

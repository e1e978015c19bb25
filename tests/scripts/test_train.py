from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import train
from actioncast.database.database import open_database
from actioncast.forecasting import champion as champion_module
from actioncast.forecasting.champion import load_champion
from actioncast.forecasting.recipes import ForecastError
from actioncast.paths import CARD, DRAWING, NUMBERS
from actioncast.periods.lengths import parse_length
from actioncast.times import isoformat
from actioncast.tracking import record as record_module
from actioncast.tracking.run import TrainingRun
from tests.support.series import START
from tests.support.stage import Stage, stage_in

pytestmark = pytest.mark.usefixtures("few_ridges")


def test_the_first_challenger_is_promoted(stage: Stage) -> None:
    now = stage.load()
    report = stage.train(now)
    champion = load_champion(stage.directory)
    assert report.gate.promoted
    assert report.champion == report.challenger
    assert report.champion["version"] == champion.card.version
    assert champion.card.window_start == START
    assert champion.card.window_end == now - timedelta(hours=1)
    assert champion.card.periods == 500
    assert champion.card.created_at == now
    assert len(champion.card.mae_by_lead) == 24


def test_the_second_challenger_is_kept_out_when_it_is_no_better(stage: Stage) -> None:
    stage.train(stage.load())
    before = (stage.directory / CARD).read_bytes()
    report = stage.train(stage.load(600))
    assert not report.gate.promoted
    assert (stage.directory / CARD).read_bytes() == before
    assert report.champion["version"] != report.challenger["version"]
    assert report.champion["version"] == load_champion(stage.directory).card.version


def test_a_challenger_that_knows_a_new_level_is_promoted(stage: Stage) -> None:
    stage.train(stage.load())
    report = stage.train(stage.load(1000, level=300.0))
    assert report.gate.promoted
    assert report.gate.champion_mae is not None
    assert report.gate.challenger_mae < report.gate.champion_mae


def test_every_run_is_in_the_ledger(stage: Stage) -> None:
    reports = [stage.train(stage.load()), stage.train(stage.load(600))]
    newest, oldest = stage.ledger()
    assert (oldest["verdict"], newest["verdict"]) == ("promoted", "kept")
    assert newest["champion"] == reports[1].champion
    assert newest["challenger"] == reports[1].challenger
    assert newest["reason"] == reports[1].gate.reason
    assert newest["window_end"] == START + timedelta(hours=599)
    assert newest["periods"] == 600
    assert newest["settings"]["gate"] == 168
    assert newest["library_versions"]["numpy"] == np.__version__
    assert [row["candidate"] for row in newest["leaderboard"]] == [row.name for row in reports[1].board]


def test_only_the_newest_days_are_learned_from(stage: Stage) -> None:
    now = stage.load(500)
    policy = stage.settings.train.model_copy(update={"history": parse_length("15D")})
    report = train.run(stage.settings.model_copy(update={"train": policy}), stage.database, now, series_id="demo")
    assert report.gate.promoted
    assert stage.ledger()[0]["periods"] == 15 * 24


def test_hours_that_are_not_over_yet_are_not_learned_from(stage: Stage) -> None:
    stage.load(500)
    stage.train(START + timedelta(hours=400, minutes=30))
    assert stage.ledger()[0]["window_end"] == START + timedelta(hours=399)


def test_a_broken_champion_is_replaced_with_a_warning(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    now = stage.load()
    stage.train(now)
    (stage.directory / NUMBERS).write_bytes(b"broken")
    report = stage.train(now)
    assert report.gate.promoted
    assert "the stored champion cannot be used and will be replaced" in caplog.text
    load_champion(stage.directory)


def test_a_candidate_too_large_for_git_gives_way_to_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(champion_module, "MAXIMUM_BYTES", 7_000)
    report = stage.train(stage.load(noise=20.0))
    assert report.challenger["name"] != "blend"
    assert "blend takes" in caplog.text
    assert "the next candidate is tried" in caplog.text


def test_no_candidate_small_enough_is_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(champion_module, "MAXIMUM_BYTES", 10)
    now = stage.load(200)
    with pytest.raises(ForecastError, match="no candidate's file is small enough"):
        stage.train(now)


@pytest.mark.parametrize("hours", [0, 1])
def test_too_few_hours_are_said(stage: Stage, hours: int) -> None:
    now = stage.load(hours) if hours else START
    needed = f"{hours} hours of demo are stored, 2 are the least .* wait for {2 - hours} more.* update_real_data"
    with pytest.raises(ForecastError, match=needed):
        stage.train(now)
    assert stage.ledger() == []


@pytest.mark.parametrize("hours", [72, 97, 167])
def test_less_than_a_week_is_enough_for_a_champion_and_for_its_gate(stage: Stage, hours: int) -> None:
    now = stage.load(hours)
    assert stage.train(now).gate.promoted
    assert stage.train(now).gate.champion_mae is not None


def test_the_trackers_are_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[TrainingRun] = []

    class Notebook:
        name = "notebook"

        def record(self, run: TrainingRun) -> str:
            told.append(run)
            return "notebook: page 1"

    monkeypatch.setattr(record_module, "open_trackers", lambda *_: [Notebook()])
    report = stage.train(stage.load())
    assert report.tracked == ["notebook: page 1"]
    assert told[0].verdict == "promoted"
    assert told[0].files == [stage.directory / CARD, stage.directory / DRAWING]
    assert "notebook: page 1" in report.as_text()


def test_json_is_as_documented(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    now = stage.load()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{stage.config.parent / 'test.db'}")
    assert train.main(["--config", str(stage.config), "--now", isoformat(now), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(printed) == {"series", "verdict", "reason", "champion", "challenger", "leaderboard", "seconds"}
    assert printed["verdict"] == "promoted"
    assert {"name", "mae", "version"} <= set(printed["champion"])
    assert {"candidate", "mae", "mase", "seconds"} <= set(printed["leaderboard"][0])


def test_a_series_that_repeats_itself_has_no_mase_and_still_makes_json(stage: Stage) -> None:
    report = stage.train(stage.load(400, noise=0.0, level=100.0))
    json.dumps(report.as_json(), allow_nan=False)


def test_a_person_sees_a_table_and_the_verdict(stage: Stage) -> None:
    text = stage.train(stage.load()).as_text()
    assert "| rank | candidate" in text
    assert "MAE, x" in text
    assert "demo: promoted: there is no champion that could be compared" in text
    assert "seasonal_naive_168" in text


def test_all_families_are_tried_by_default(tmp_path: Path) -> None:
    _, settings = stage_in(tmp_path, "backtest = '2D'")
    with open_database(settings) as database:
        stage = Stage(settings, database, tmp_path)
        report = stage.train(stage.load(400))
    names = {row.name for row in report.board}
    assert {"random_forest", "lightgbm", "blend", "seasonal_naive_24"} <= names
    assert any(name.startswith("ridge") for name in names)


def test_what_was_skipped_is_said_with_its_reason(tmp_path: Path) -> None:
    _, settings = stage_in(tmp_path, 'candidates = ["ridge"]\nbudget = 1e-9')
    with open_database(settings) as database:
        stage = Stage(settings, database, tmp_path)
        report = stage.train(stage.load(400))
        last = report.as_json()["leaderboard"][-1]
        assert (last["mae"], last["note"]) == (None, "work of 0.0, and 0.0 is left of train.budget")
        assert stage.ledger()[0]["leaderboard"][-1] == last
    assert "skipped, e.g. ridge_" in report.as_text()


def test_training_twice_makes_the_same_champion(tmp_path: Path) -> None:
    versions = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        _, settings = stage_in(tmp_path / name)
        with open_database(settings) as database:
            stage = Stage(settings, database, tmp_path)
            versions.append(stage.train(stage.load()).champion["version"])
    assert versions[0] == versions[1]


def test_seasons_come_from_the_configuration(stage: Stage) -> None:
    series_settings = stage.settings.series["demo"].model_copy(
        update={"seasonality": (parse_length(12), parse_length(48))}
    )
    stage.settings = stage.settings.model_copy(update={"series": {"demo": series_settings}})
    names = {row.name for row in stage.train(stage.load()).board}
    assert {"seasonal_naive_12", "seasonal_naive_48"} <= names
    assert "seasonal_naive_24" not in names

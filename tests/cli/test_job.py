"""The job of a scheduled workflow: every series, summaries, notices; in process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from actioncast.api import client
from actioncast.cli import job
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.paths import CARD, NUMBERS
from actioncast.settings import Settings
from tests.support.clock import MIDNIGHT
from tests.support.fake_github import FakeGitHub
from tests.support.json_server import JsonServer
from tests.support.source import Stub, chart, quarters

TABLE = """
[series.{name}]
source = {{ kind = "blockchain", url = "{url}/{name}" }}
unit = "transactions/h"
scale = 3600
points_per_period = 4
minimum_points_per_period = 3
horizon = 24
"""
TRAIN = '[train]\ncandidates = ["seasonal_naive"]\nbacktest = "4D"\n'
DAYS = 24
NOW = MIDNIGHT + timedelta(days=DAYS)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The step summary."""
    path = tmp_path / "summary.md"
    path.touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.delenv("API_URL", raising=False)
    return path


@pytest.fixture
def settings(tmp_path: Path, stub: Stub, written: Path) -> Settings:
    """Two series, of which the first has no source."""
    text = TABLE.format(name="dead", url="http://127.0.0.1:9") + TABLE.format(name="demo", url=stub.url) + TRAIN
    (tmp_path / "config.toml").write_text(text)
    points = quarters(*([1.0, 2.0, 3.0, 2.0] * 24 * DAYS), start=0)
    stub.answer(chart(points))
    return load_settings(tmp_path / "config.toml", {})


def test_a_series_that_fails_stops_no_other_and_both_are_in_the_summary(settings: Settings, written: Path) -> None:
    assert job.run(settings, "update_real_data", NOW, ["dead", "demo"]) == ["dead"]
    text = written.read_text()
    assert "### demo" in text
    assert "| periods loaded  | 576" in text
    assert "xychart-beta" in text
    assert "[!CAUTION]" in text


def test_from_data_to_forecast_and_check(
    settings: Settings, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.run(settings, "update_real_data", NOW, ["demo"]) == []
    assert job.run(settings, "make_predictions", NOW, ["demo"]) == []
    assert "::notice title=No champion yet::demo" in capsys.readouterr().out
    assert job.run(settings, "train", NOW, ["demo"]) == []
    assert "### demo: promoted, there is no champion" in written.read_text()
    assert job.run(settings, "make_predictions", NOW, ["demo"]) == []
    assert job.run(settings, "check_retrain", NOW, ["demo"]) == []
    assert "too few periods" in written.read_text()


@pytest.mark.parametrize("damaged", [CARD, NUMBERS])
def test_a_champion_that_cannot_be_read_is_stood_in_for_and_the_job_is_red(
    settings: Settings, written: Path, damaged: str
) -> None:
    assert job.run(settings, "update_real_data", NOW, ["demo"]) == []
    assert job.run(settings, "train", NOW, ["demo"]) == []
    (settings.model_directory("demo") / damaged).write_text("{")
    assert job.run(settings, "make_predictions", NOW, ["demo"]) == ["demo"]
    assert "the naive stands in for the champion" in written.read_text()
    with open_database(settings) as database:
        stored = database.vintage("demo", NOW)
    assert len(stored) == 24
    assert damaged in stored[0]["fallback"]


def test_a_series_of_days_waits_for_its_day_without_a_request(
    tmp_path: Path, stub: Stub, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = TABLE.format(name="demo", url=stub.url)
    days = days.replace("points_per_period = 4", 'frequency = "1D"\npoints_per_period = 96')
    (tmp_path / "config.toml").write_text(days + TRAIN)
    settings = load_settings(tmp_path / "config.toml", {})
    stub.answer(chart(quarters(*([1.0, 2.0, 3.0, 2.0] * 24 * DAYS), start=0)))
    assert job.run(settings, "update_real_data", NOW, ["demo"]) == []
    asked = len(stub.requests)
    with open_database(settings) as database:
        runs = len(database.etl_runs("demo", since=MIDNIGHT))
    capsys.readouterr()
    later = NOW + timedelta(hours=23)
    assert job.run(settings, "update_real_data", later, ["demo"]) == []
    skipped = "demo: skipped, nothing new can be there: the next day is over 2022-03-29T00:00:00Z"
    assert skipped in capsys.readouterr().out
    assert skipped in written.read_text()
    assert len(stub.requests) == asked
    with open_database(settings) as database:
        assert len(database.etl_runs("demo", since=MIDNIGHT)) == runs
    stub.answer(chart(quarters(*([1.0, 2.0, 3.0, 2.0] * 24 * (DAYS + 1)), start=0)))
    assert job.run(settings, "update_real_data", later + timedelta(hours=1), ["demo"]) == []
    assert len(stub.requests) > asked


def test_the_first_training_is_asked_for_once_there_is_enough_data(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeGitHub() as github:
        for name, value in github.variables().items():
            monkeypatch.setenv(name, value)
        assert job.run(settings, "check_retrain", NOW, ["demo"]) == []
        assert github.events == [], "there is no data yet"
        job.run(settings, "update_real_data", NOW, ["demo"])
        assert job.run(settings, "check_retrain", NOW, ["demo"]) == []
        later = NOW + timedelta(hours=2)
        assert job.run(settings, "check_retrain", later, ["demo"]) == []
        assert [event["client_payload"]["series"] for event in github.events] == ["demo"], "once a day"
        job.run(settings, "check_retrain", NOW + timedelta(hours=26), ["demo"])
    assert len(github.events) == 2, "nothing came of it"


def test_a_name_that_no_series_has_is_reported_and_stops_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "load_settings", lambda: settings)
    assert job.main(["make_predictions", "--series", "gone,demo"]) == 2
    printed = capsys.readouterr().out
    assert "::error title=make_predictions::there is no series 'gone'" in printed
    assert "::notice title=No champion yet::demo" in printed


def test_shards_of_a_list_part_its_names_and_may_be_empty(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "load_settings", lambda: settings)
    assert job.main(["make_predictions", "--series", "dead,demo", "--shard", "2/2"]) == 0
    assert "demo: the first training" in capsys.readouterr().out
    assert job.main(["make_predictions", "--series", "demo", "--shard", "2/2"]) == 0
    assert "there is no series for this job" in capsys.readouterr().out


def test_a_refused_dispatch_fails_the_job_with_the_reason(
    settings: Settings, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.run(settings, "update_real_data", NOW, ["demo"])
    with FakeGitHub() as github:
        for name, value in github.variables().items():
            monkeypatch.setenv(name, value)
        github.answers = [403]
        assert job.run(settings, "check_retrain", NOW, ["demo"]) == ["check_retrain"]
    text = written.read_text()
    assert "expected 204, got 403" in text
    assert "there is data and no champion" in text, "the section of the series"


def test_main_says_what_is_wrong_with_its_flags(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert job.main(["train", "--series", "x; rm -rf /"]) == 2
    assert "::error title=train::there is no series 'x; rm -rf /'" in capsys.readouterr().out
    assert "[!CAUTION]" in written.read_text()


def test_a_check_takes_place_when_it_is_due_and_says_when_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setattr(job, "load_settings", lambda: settings)
    assert job.main(["check_retrain", "--due", "--series", "demo"]) == 0
    assert "check_retrain: 1 of 1 series due" in capsys.readouterr().out
    assert output.read_text() == "checked=true\n"
    output.unlink()
    assert job.main(["check_retrain", "--due", "--series", "demo"]) == 0
    assert "check_retrain: 0 of 1 series due (retrain.check_hours = 2)" in capsys.readouterr().out
    assert not output.exists(), "no look, no news for the incident"


def test_a_job_in_which_some_series_are_due_is_done(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "load_settings", lambda: settings)
    assert job.main(["check_retrain", "--series", "demo"]) == 0
    assert job.main(["check_retrain", "--due"]) == 0, "that of dead"


def test_only_a_check_can_be_due(written: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        job.main(["train", "--due"])


@pytest.fixture
def deployed(request: pytest.FixtureRequest) -> Iterator[JsonServer]:
    """A deployed API with one answer."""
    with JsonServer(lambda _: request.param) as server:
        yield server


VINTAGE = {
    "series": "demo",
    "issued_at": "2022-03-04T00:00:00Z",
    "origin": "2022-03-03T23:00:00Z",
    "model_version": "v1",
    "predictions": [{"prediction_date": "2022-03-04T00:00:00Z", "prediction": 1.0, "lower": 0.5, "upper": 1.5}],
}


STOOD_IN = {**VINTAGE, "fallback": True, "fallback_reason": "a column is not known"}


@pytest.mark.parametrize(
    ("deployed", "failed"),
    [((200, VINTAGE), []), ((503, "down"), ["demo"]), ((200, STOOD_IN), ["demo"])],
    indirect=["deployed"],
)
def test_the_deployed_api_forecasts_when_there_is_one(
    settings: Settings, deployed: JsonServer, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_URL", f"{deployed.url}/")
    key = load_settings(variables={"API_KEY": "k"}).environment
    with_key = settings.model_copy(update={"environment": key})
    assert job.run(with_key, "make_predictions", NOW, ["demo"]) == failed
    (request,) = deployed.requests
    assert (request.path, request.headers["X-API-Key"]) == ("/forecast?series=demo", "k")


def test_an_api_out_of_reach_is_a_failure() -> None:
    with pytest.raises(client.ServiceError, match="is API_URL right"):
        client.forecast("http://127.0.0.1:9", "demo", None)

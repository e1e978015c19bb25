"""The start of a copy: which series are trained, and what its person reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import make_predictions
import update_real_data
from actioncast.cli import start
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import UTC_HOURS
from actioncast.periods.words import Words
from actioncast.settings import Settings
from tests.support.json_server import JsonServer

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 12, 17, tzinfo=UTC)
CONFIG = """
[series.demo]
title = "A replayed recording"
source = { kind = "demo" }
unit = "transactions/h"
scale = 3600
points_per_period = 4
horizon = 24

[series.young]
source = { kind = "demo" }
unit = "transactions/h"
points_per_period = 4
history = '3D'

[series.silent]
source = { kind = "file", path = "none.csv" }
unit = "x"

[train]
candidates = ["seasonal_naive"]
backtest = '4D'
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The step summary; outputs go to output.txt beside it."""
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output.txt"))
    for name in ("API_URL", "PUBLISH_PAGES"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def settings(tmp_path: Path, written: Path) -> Settings:
    """Three series: one with enough hours, one with few, one with none."""
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    settings = load_settings(tmp_path / "config.toml", {})
    with open_database(settings) as database:
        for name in ("demo", "young"):
            update_real_data.run(settings, database, NOW, series_id=name)
    return settings


def forecast(settings: Settings) -> None:
    with open_database(settings) as database:
        make_predictions.run(settings, database, NOW, series_id="demo")


def summary_of(settings: Settings, written: Path, *, trained: str = "", delivered: str = "pushed") -> str:
    written.unlink(missing_ok=True)
    start.report(settings, NOW, trained=[trained], delivered=delivered)
    return written.read_text(encoding="utf-8")


def test_series_with_enough_hours_and_no_champion_are_trained_once(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start.train(settings, NOW, again=False) == []
    assert (tmp_path / "output.txt").read_text() == "trained=demo\n"
    champion = (tmp_path / "model/demo/card.json").read_bytes()
    assert start.train(settings, NOW, again=False) == []
    assert "no series waits for its first training" in capsys.readouterr().out
    assert (tmp_path / "model/demo/card.json").read_bytes() == champion
    assert start.train(settings, NOW, again=True) == []
    assert (tmp_path / "output.txt").read_text() == "trained=demo\n" * 2


def test_a_champion_that_cannot_be_read_is_not_trained_over(
    settings: Settings, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model/demo").mkdir(parents=True)
    (tmp_path / "model/demo/card.json").write_text("{")
    assert start.train(settings, NOW, again=False) == []
    assert "nothing was trained" in capsys.readouterr().out
    assert "- **Champion**: it cannot be read. " in summary_of(settings, written)


def test_the_summary_says_of_each_series_what_was_done(settings: Settings, written: Path) -> None:
    start.train(settings, NOW, again=False)
    forecast(settings)
    text = summary_of(settings, written, trained="demo")
    assert text.startswith("# Not every series runs yet\n\n### A replayed recording\n")
    assert "- **Loaded**: 1,008 hours, from 2026-10-15 12:00 UTC to 2026-11-26 11:00 UTC." in text
    assert "- **Trained**: `seasonal_naive_" in text
    assert "- **Forecast**: the next 24 hours, made 2026-11-26 12:17 UTC." in text
    assert "- **Not trained yet**: 72 of 504 hours are there; then it follows by itself." in text
    assert "- **Not loaded**: the step that loads says why." in text
    assert text.index("xychart-beta") < text.index("### young")


def test_the_headline_says_whether_all_is_well(settings: Settings, written: Path) -> None:
    settings = settings.model_copy(update={"series": {"demo": settings.series["demo"]}})
    assert "# Not every series runs yet" in summary_of(settings, written)
    start.train(settings, NOW, again=False)
    forecast(settings)
    assert "# Your forecasts are running" in summary_of(settings, written, trained="demo")
    text = summary_of(settings, written)
    assert "# Everything is running already: nothing was trained" in text
    assert "- **Champion**: `seasonal_naive_" in text


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        ("pushed", "It is committed to the folder model/."),
        ("pull request", "Merge its pull request, and forecasts follow."),
        ("", "It was not delivered: the step that delivers says why."),
    ],
)
def test_the_summary_says_where_the_champion_went(
    settings: Settings, written: Path, delivered: str, expected: str
) -> None:
    start.train(settings, NOW, again=False)
    assert expected in summary_of(settings, written, trained="demo", delivered=delivered)


def test_the_picture_goes_from_the_past_to_the_forecast() -> None:
    history = Grid(NOW.replace(minute=0), np.array([1.0, np.nan, 3.0]))
    rows = []
    for lead in range(4):  # the first two hours are known by now
        moment = history.start + timedelta(hours=lead + 1)
        rows.append({"prediction_date": moment, "prediction": 10.0 + lead, "lower": 9.0, "upper": 20.0})
    state = start.State(
        title="t",
        unit="x",
        history=history,
        words=Words(UTC_HOURS),
        first_periods=504,
        card=None,
        fault="",
        forecast=rows,
        trained_now=True,
    )
    picture = start._picture(state)
    assert "line [1, 1, 3, 12, 13]" in picture
    assert "line [1, 1, 3, 20, 20]" in picture
    assert "The last 3 hours, and the next 2 with their interval" in picture


def test_the_page_is_started_where_it_is_wanted(
    settings: Settings, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "then the variable `PUBLISH_PAGES` = `true` ([variables](https://" in summary_of(settings, written)
    with JsonServer(lambda _: (204, None)) as github:
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/forecasts")
        monkeypatch.setenv("GITHUB_TOKEN", "t")
        monkeypatch.setenv("GITHUB_REF_NAME", "trunk")
        monkeypatch.setenv("PUBLISH_PAGES", "true")
        text = summary_of(settings, written)
    assert "the workflow pages publishes it now" in text
    (request,) = github.requests
    assert request.path == "/repos/acme/forecasts/actions/workflows/pages.yml/dispatches"


def test_the_times_it_tells_are_those_of_the_workflows() -> None:
    crons = {}
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        crons[path.stem] = re.findall(r'cron: "(.+?)"', path.read_text(encoding="utf-8"))
    assert crons["update_real_data"] == ["17 * * * *"]
    assert crons["make_predictions"] == ["37 */6 * * *"]
    assert "every hour, about :17" in start.NEXT
    assert "every six hours, about :37" in start.NEXT


def test_wrong_settings_are_an_error_for_a_person(
    tmp_path: Path, written: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "load_settings", lambda: load_settings(tmp_path / "none.toml", {}))
    assert start.main(["train"]) == 2
    assert "restore config.toml" in capsys.readouterr().out

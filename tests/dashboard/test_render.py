"""The rendered page."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from pathlib import Path

import pytest

from actioncast.dashboard import render
from actioncast.dashboard.figures import collect
from actioncast.database.database import open_database
from actioncast.settings import Settings
from actioncast.training import backtest
from tests.support.clock import at
from tests.support.serving import HISTORY, NOW, SERIES, client_of, fill, load, settings_in, wave
from tests.support.stage import Stage


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    return settings_in(tmp_path, url)


def html_of(settings: Settings, now: datetime = NOW) -> str:
    with open_database(settings) as database:
        page = collect(settings, database, now, SERIES)
    return render.render_page(page, {SERIES: "index.html"}, {SERIES: page.title}, live=True)


def test_an_empty_page_says_what_to_do_next(settings: Settings) -> None:
    html = html_of(settings)
    for command in ("update_real_data.py --backfill", "train.py", "check_retrain.py"):
        assert f"python {command}" in html
    assert html.count('class="empty"') == 7
    assert "data-chart" not in html


@pytest.mark.parametrize(
    ("hours", "command", "hint"),
    [
        (600, "python train.py &amp;&amp; python make_predictions.py", "Train a champion"),
        (HISTORY, "python train.py &amp;&amp; python make_predictions.py", "train once there are 504"),
        (1, "python update_real_data.py --backfill", "1 hour with a value, of the 2"),
    ],
)
def test_data_without_a_forecast_are_drawn_and_a_training_is_advised_where_it_would_run(
    settings: Settings, hours: int, command: str, hint: str
) -> None:
    with open_database(settings) as database:
        load(database, wave(at(-hours), hours), at(0))
    html = html_of(settings)
    assert f"<code>{command}</code>" in html
    assert hint in html
    assert 'data-chart="forecast"' in html


def test_the_next_hours_are_counted_from_now_and_not_from_the_end_of_the_data(settings: Settings) -> None:
    fill(settings)
    with client_of(settings) as client:
        client.post("/forecast")  # of 168 hours
    dead_for_a_day = html_of(settings, at(24.5))
    rows = re.findall(r"<tr data-until=.*?</tr>", dead_for_a_day)
    assert "05 Mar 2022 00:00" in rows[0], "the hour that has begun"
    assert len(rows) == 24
    assert "Forecast of 24 hours, 05 Mar 2022 00:00 to 05 Mar 2022 23:00" in dead_for_a_day
    almost_over = html_of(settings, at(166.5))
    assert len(re.findall(r"<tr data-until=", almost_over)) == 2
    assert '<span data-ahead="">2 hours</span>' in almost_over.replace("data-ahead>", 'data-ahead="">')
    over = html_of(settings, at(200))
    assert "No forecast is ahead" in over
    assert "The newest forecast is over: it knows the hours up to 03 Mar 2022 23:00, and ends with" in over


def test_a_full_page_draws_all_four_charts(settings: Settings) -> None:
    fill(settings)
    with client_of(settings) as client:
        client.post("/forecast")
    with open_database(settings) as database:
        load(database, wave(at(0), 40), at(40.1))
    html = html_of(settings, at(40.2))
    assert re.findall(r'data-chart="(\w+)"', html) == ["forecast", "error", "coverage"]  # one vintage: no lead has 12 h
    data = json.loads(re.findall(r'id="data">(.*?)</script>', html)[0])
    assert len(data["forecast"]["t"]) == HISTORY + 168
    assert "ridge_day" in html


def test_what_a_user_wrote_cannot_become_markup(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    evil = made.series[SERIES].model_copy(update={"title": "<script>alert(1)</script>", "unit": "</script><b>"})
    html = html_of(made.model_copy(update={"series": {SERIES: evil}}))
    assert "<script>alert" not in html
    assert "</script><b>" not in html


def test_nothing_on_the_page_comes_from_elsewhere() -> None:
    for path in (*render.ASSETS.glob("dashboard.*"), *(render.FOLDER / "templates").iterdir()):
        assert not re.search(r"(src|href|url)\W{1,3}https?:", path.read_text(encoding="utf-8")), path.name
    assert "MIT License" in (render.ASSETS / "uPlot.LICENSE").read_text(encoding="utf-8")


def test_candidates_that_were_skipped_are_counted_apart(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "SLOWEST", math.inf)  # however slow this machine is
    now = stage.load(400)
    tight = stage.settings.train.model_copy(update={"budget": 0.05})
    stage.settings = stage.settings.model_copy(update={"train": tight})
    report = stage.train(now)
    page = collect(stage.settings, stage.database, now, "demo")
    html = render.render_page(page, {"demo": "index.html"}, {"demo": page.title}, live=True)
    assert report.skipped
    assert f"{len(report.board)} candidates on the same backtest" in html
    assert any("is left of train.budget" in reason for reason in report.skipped.values())
    name, reason = next(iter(report.skipped.items()))
    assert f"{len(report.skipped)} more were skipped, such as {name}: {reason}." in html


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({"GITHUB_REPOSITORY": "acme/f"}, "https://github.com/acme/f/actions/workflows/retrain.yml"),
        (
            {"GITHUB_REPOSITORY": "acme/f", "GITHUB_API_URL": "https://ghe.acme.com/api/v3"},
            "https://ghe.acme.com/acme/f/actions/workflows/retrain.yml",
        ),
    ],
)
def test_where_the_repository_is_known_a_person_finds_the_workflows(
    tmp_path: Path, variables: dict[str, str], address: str
) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    assert f'<a href="{address}" rel="noreferrer">Retrain now</a>' in html_of(settings_in(tmp_path, url, **variables))
    assert "Retrain now" not in html_of(settings_in(tmp_path, url))


def test_a_column_of_the_champion_can_be_assumed_on_a_live_page(settings: Settings) -> None:
    fill(settings)
    with client_of(settings) as client:
        client.post("/forecast")
    assert "data-column" not in html_of(settings), "it uses none"
    path = settings.model_directory(SERIES) / "card.json"
    card = json.loads(path.read_text())
    card["members"][0]["recipe"]["predictors"]["exogenous"] = ["temperature", "holiday"]
    path.write_text(json.dumps(card))
    assert re.findall(r'data-column="(.*?)"', html_of(settings)) == ["temperature"]

"""What the page says: pure functions over rows, the rendered HTML, and the export."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import export_dashboard
from actioncast.dashboard import api_reference, render
from actioncast.dashboard.charts import error_chart, forecast_chart, lead_chart
from actioncast.dashboard.figures import collect, figures, group, leaderboard, lights
from actioncast.database.database import Newest, open_database
from actioncast.hours import to_grid
from actioncast.settings import FreshnessSettings, RetrainSettings, Settings
from actioncast.text import duration, number
from actioncast.times import to_seconds
from tests.conftest import at
from tests.support.serving import HISTORY, KEY, NOW, SERIES, client_of, fill, load, settings_in, wave


def row(hour: float, *, reality: float | None, prediction: float = 10.0, naive: float | None = 4.0) -> dict[str, Any]:
    """A row of `performance`: interval +-2 around the prediction."""
    known = reality is not None
    return {
        "prediction_date": at(hour),
        "prediction": prediction,
        "lower": prediction - 2,
        "upper": prediction + 2,
        "reality": reality,
        "absolute_error": abs(prediction - reality) if reality is not None else None,
        "covered": abs(prediction - reality) <= 2 if reality is not None else None,
        "naive_error": naive if known else None,
        "lead": 1,
    }


def test_figures_are_means_over_the_scored_hours() -> None:
    shown = {figure.name: figure.value for figure in figures([row(0, reality=11), row(1, reality=13)], 0.8)}
    assert shown == {
        "Mean actual": "12",
        "Mean predicted": "10",
        "Mean absolute error": "2",
        "Against weekly naive": "50% less",
        "Interval coverage": "50%",
    }
    assert figures([], 0.8) == []


def test_figures_without_a_naive_leave_it_out() -> None:
    assert "Against weekly naive" not in {f.name for f in figures([row(0, reality=11, naive=None)], 0.8)}


def test_forecast_chart_joins_what_is_known_with_what_is_ahead() -> None:
    hours = wave(at(-2), 2)
    known = to_grid(hours.starts, np.array([7.0, 8.0]))
    chart = forecast_chart(known, [row(-1, reality=8), row(0, reality=None)], at(-1))
    assert chart["t"] == [to_seconds(at(hour)) for hour in (-2, -1, 0)]
    assert chart["reality"] == [7.0, 8.0, None]
    assert chart["prediction"] == [None, 10.0, 10.0]
    assert chart["upper"] == [None, 12.0, 12.0]


def test_error_chart_is_the_mean_over_the_window_of_the_checks() -> None:
    policy = RetrainSettings(window_hours=2, minimum_scored_hours=2, max_mae=5)
    scored = [row(hour, reality=10 + error) for hour, error in enumerate((1, 3, 5))]
    chart = error_chart(scored, None, policy, at(-99))
    assert chart["t"] == [to_seconds(at(1)), to_seconds(at(2))]
    assert chart["mae"] == [2.0, 4.0]
    assert chart["naive"] == [4.0, 4.0]
    assert chart["limit"] == [5.0, 5.0]
    assert chart["coverage"] == [0.5, 0.0]


def test_lead_chart_hides_what_few_hours_say() -> None:
    rows = [{"lead": 1, "mae": 2.0, "hours": 50}, {"lead": 3, "mae": 9.0, "hours": 2}]
    assert lead_chart(rows, None) == {"t": [1], "live": [2.0], "backtest": [None]}
    assert lead_chart([], None)["t"] == []


def look(hours: float, verdict: str, *, dispatched: bool = False) -> dict[str, Any]:
    return {"checked_at": at(hours), "verdict": verdict, "dispatched": dispatched}


def test_checks_in_a_row_are_one_look_but_every_retrain_its_own() -> None:
    checks = [look(9, "good"), look(8, "good"), look(7, "retrain", dispatched=True), look(6, "watch")]
    looks = group(checks)
    assert [(one.newest["verdict"], one.count, one.first) for one in looks] == [
        ("good", 2, at(8)),
        ("retrain", 1, at(7)),
        ("watch", 1, at(6)),
    ]


def test_leaderboard_shows_the_best_and_the_best_of_each_other_kind() -> None:
    board = [{"candidate": f"ridge_{i}", "mae": 1.0 + i, "mase": 1.0} for i in range(9)]
    board += [{"candidate": "seasonal_naive_168", "mae": 20.0, "mase": 2.0}]
    shown = leaderboard({"leaderboard": board})
    assert [candidate["rank"] for candidate in shown] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert shown[-1]["share"] == 100.0
    assert leaderboard(None) == []


@pytest.mark.parametrize(
    ("age_hours", "expected"), [(2, ("good", "fresh")), (20, ("watch", "ageing")), (25, ("bad", "old"))]
)
def test_lights_follow_the_age(age_hours: float, expected: tuple[str, str]) -> None:
    newest = Newest(at(-1), at(0), at(0))
    allowed = FreshnessSettings(actual_hours=24, forecast_hours=24)
    data, forecast, model, error, loading = lights(newest, None, "", [], [], at(age_hours), allowed)
    assert (data.status, data.word) == (forecast.status, forecast.word) == expected
    assert (model.word, error.word, loading.word) == ("missing", "unchecked", "never ran")


@pytest.mark.parametrize(
    ("age", "text"), [(timedelta(minutes=5), "5 min"), (timedelta(hours=5), "5 h"), (timedelta(days=400), "400 days")]
)
def test_durations_are_about(age: timedelta, text: str) -> None:
    assert duration(age) == text


@pytest.mark.parametrize(
    ("value", "text"), [(12034.4, "12,034"), (0.81234, "0.8123"), (None, "\N{EN DASH}"), (float("nan"), "\N{EN DASH}")]
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text


# The page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    return settings_in(tmp_path, url)


def html_of(settings: Settings, now: datetime = NOW) -> str:
    with open_database(settings) as database:
        report = collect(settings, database, now, SERIES)
    return render.render(report, {SERIES: "index.html"}, {SERIES: report.title}, live=True)


def test_an_empty_page_says_what_to_do_next(settings: Settings) -> None:
    html = html_of(settings)
    for command in ("update_real_data.py --backfill", "train.py", "check_retrain.py"):
        assert f"python {command}" in html
    assert html.count('class="empty"') == 7
    assert "data-chart" not in html


def test_data_without_a_forecast_asks_for_one(settings: Settings) -> None:
    with open_database(settings) as database:
        load(database, wave(at(-HISTORY), HISTORY), at(0))
    assert "python train.py &amp;&amp; python make_predictions.py" in html_of(settings)


def test_a_full_page_draws_all_four_charts(settings: Settings) -> None:
    fill(settings)
    with client_of(settings) as client:
        client.post("/forecast")
    with open_database(settings) as database:
        load(database, wave(at(0), 40), at(40.1))
    html = html_of(settings, at(40.2))
    assert re.findall(r'data-chart="(\w+)"', html) == ["forecast", "error", "coverage"]  # one vintage: no lead has 12 h
    data = json.loads(re.findall(r'id="data">(.*?)</script>', html)[0])
    assert len(data["forecast"]["t"]) == 168 + 128
    assert "ridge_day" in html


def test_what_a_user_wrote_cannot_become_markup(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    evil = made.series[SERIES].model_copy(update={"title": "<script>alert(1)</script>", "unit": "</script><b>"})
    html = html_of(made.model_copy(update={"series": {SERIES: evil}}))
    assert "<script>alert" not in html
    assert "</script><b>" not in html


def test_the_page_of_the_api_is_compressed_and_its_assets_are_kept(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    with client_of(made, key=None) as client:
        page = client.get("/")
        assert page.headers["content-encoding"] == "gzip"
        assert client.head("/").status_code == 200
        assert "noindex" not in page.text
        for name in set(re.findall(r'(?:href|src)="(assets/[^"]+)"', page.text)):
            asset = client.get(f"/{name}")
            assert asset.status_code == 200, name
            assert "immutable" in asset.headers["cache-control"]
        plain = client.get("/assets/dashboard.css", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert client.get("/assets/nope.js").status_code == 404
        assert client.get("/", params={"series": "nope"}).status_code == 404


def test_nothing_on_the_page_comes_from_elsewhere() -> None:
    for path in (*render.ASSETS.glob("dashboard.*"), *(render.FOLDER / "templates").iterdir()):
        assert not re.search(r"(src|href|url)\W{1,3}https?:", path.read_text(encoding="utf-8")), path.name
    assert "MIT License" in (render.ASSETS / "uPlot.LICENSE").read_text(encoding="utf-8")


def test_the_export_links_its_series_and_holds_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    second = f"[series.other]\nunit = 'x'\nsource = {{ kind = 'file', path = 'none.csv' }}\n{text}"
    (tmp_path / "config.toml").write_text(second, encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    monkeypatch.setenv("API_KEY", KEY)
    flags = ["--config", str(tmp_path / "config.toml"), "--output", str(tmp_path / "out"), "--json"]
    assert export_dashboard.main(flags) == 0
    written = json.loads(capsys.readouterr().out)
    assert sorted(written["files"]) == sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert f'href="{SERIES}.html"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    page = (tmp_path / "out" / f"{SERIES}.html").read_text(encoding="utf-8")
    assert 'aria-current="page">A wave' in page
    assert KEY not in page
    assert "openapi.json" not in page


def test_the_export_holds_the_forecast_as_the_api_answers_it(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    with client_of(made) as client:
        answered = client.post("/forecast").json()
    with open_database(made) as database:
        export_dashboard.run(made, database, NOW, folder=tmp_path / "out")
    assert json.loads((tmp_path / "out" / f"{SERIES}.json").read_text(encoding="utf-8")) == answered
    assert f'href="{SERIES}.json"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_demo_that_was_never_made_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from actioncast.rehearsal import demo

    with pytest.raises(demo.DemoError, match=r"rehearse\.py"):
        demo.demo_settings(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://the-users-own")
    with open_database(settings_in(tmp_path, f"sqlite:///{tmp_path / 'actioncast.db'}")) as database:
        shown = demo.demo_settings(tmp_path)
        with pytest.raises(demo.DemoError, match="stored nothing"):
            demo.last_moment(shown)
        load(database, wave(at(-5), 5), at(0))
    assert demo.last_moment(shown) == datetime(2022, 3, 4, tzinfo=UTC)
    assert shown.model_directory(SERIES).is_relative_to(tmp_path)


def test_the_reference_says_what_the_schema_says() -> None:
    integer = {"type": "integer", "minimum": 1, "maximum": 9, "description": "Hours", "default": 3, "examples": [7]}
    nested = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}
    answer = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}},
    }
    operation = {
        "description": "Ask.",
        "security": [{"APIKeyHeader": []}],
        "parameters": [
            {"name": "n", "schema": integer},
            {"name": "name", "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        ],
        "responses": {
            "200": {"description": "Good", "content": {"application/json": {"schema": answer}}},
            "422": {"description": "Wrong"},
        },
    }
    document = {"paths": {"/ask": {"post": operation}}, "components": {"schemas": {"Row": nested}}}
    (shown,) = api_reference.operations(document, "https://example.org")
    assert shown.command == """curl -X POST 'https://example.org/ask?n=7' -H "X-API-Key: $API_KEY\""""
    assert shown.parameters == [
        api_reference.Field("n", "integer from 1 to 9", "Hours; 3 by default"),
        api_reference.Field("name", "string", ""),
    ]
    assert shown.fields == [
        api_reference.Field("rows", "list of Row", ""),
        api_reference.Field("rows[].at", "time", ""),
    ]
    assert json.loads(shown.example) == {"rows": [{"at": "2022-03-04T03:00:00Z"}]}
    assert shown.answers == {"200": "Good", "422": "Wrong"}

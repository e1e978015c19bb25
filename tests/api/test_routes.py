"""The API from outside: what each address answers, one test per status, and that a forecast is made once."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

import app
import make_predictions
from actioncast.api import forecasts
from actioncast.database.database import Database, open_database
from actioncast.paths import CARD, NUMBERS
from actioncast.settings import Settings, SettingsError
from tests.conftest import at, wait_until
from tests.support.serving import (
    HISTORY,
    KEY,
    NOW,
    SERIES,
    client_of,
    fill,
    hours_after,
    load,
    promote,
    settings_in,
    wave,
)


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    """History and champion on either database."""
    made = settings_in(tmp_path, url)
    fill(made)
    return made


@pytest.fixture
def sqlite(tmp_path: Path) -> Settings:
    """The same on SQLite alone, where the database makes no difference."""
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    """A fresh copy of the template: nothing stored, no champion."""
    return settings_in(tmp_path, f"sqlite:///{tmp_path / 'empty.db'}")


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Notes the horizon of every forecast that is computed."""
    made: list[int] = []
    real = make_predictions.run

    def run(*args: Any, **kwargs: Any) -> make_predictions.ForecastReport:
        made.append(kwargs["horizon"])
        return real(*args, **kwargs)

    monkeypatch.setattr(make_predictions, "run", run)
    return made


# What is answered --------------------------------------------------------------------------------------------------


def test_forecast_is_that_of_make_predictions(settings: Settings) -> None:
    with client_of(settings) as client:
        answered = client.post("/forecast", params={"num_predictions": 5}).json()
    with open_database(settings) as database:
        report = make_predictions.run(settings, database, NOW, series_id=SERIES, horizon=5)
    assert answered == report.as_json()
    assert [hours_after(at(0), row["prediction_date"]) for row in answered["predictions"]] == [0, 1, 2, 3, 4]


def test_a_short_request_stores_the_whole_horizon(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counting(monkeypatch)
    with client_of(settings) as client:
        assert len(client.post("/forecast", params={"num_predictions": 1}).json()["predictions"]) == 1
        assert len(client.get("/forecast").json()["predictions"]) == 168
        assert len(client.post("/forecast").json()["predictions"]) == 168
    assert made == [168]


def test_forecast_of_the_series_horizon_by_default(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(settings)
    series = settings.series[SERIES].model_copy(update={"horizon": 30})
    with client_of(settings.model_copy(update={"series": {SERIES: series}})) as client:
        assert len(client.post("/forecast").json()["predictions"]) == 30
        assert len(client.post("/forecast", params={"num_predictions": 31}).json()["predictions"]) == 31


def test_forecast_of_168_hours_by_default_and_without_a_list_on_request(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        assert len(client.post("/forecast").json()["predictions"]) == 168
        assert client.post("/forecast", params={"return_predictions": "false"}).json()["predictions"] == []


def test_forecast_is_made_once_and_shorter_ones_are_its_beginning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counting(monkeypatch)
    with client_of(settings) as client:
        long = client.post("/forecast").json()
        short = client.post("/forecast", params={"num_predictions": 24}).json()
    assert made == [168]
    assert short == {**long, "predictions": long["predictions"][:24]}


def test_another_process_serves_what_is_stored(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counting(monkeypatch)
    answers = []
    for _ in range(2):
        with client_of(settings) as client:
            answers.append(client.post("/forecast").json())
    assert made == [168]
    assert answers[0] == answers[1]


def test_a_longer_forecast_is_made_anew(sqlite: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counting(monkeypatch)
    with client_of(sqlite) as client:
        client.post("/forecast", params={"num_predictions": 24})
        assert len(client.post("/forecast", params={"num_predictions": 200}).json()["predictions"]) == 200
    assert made == [168, 200]


def _a_new_hour(settings: Settings, database: Database) -> None:
    load(database, wave(at(0), 1), at(1.1))


def _a_corrected_hour(settings: Settings, database: Database) -> None:
    corrected = wave(at(-1), 1)
    load(database, corrected.__class__(corrected.starts, corrected.values + 50, corrected.samples + 1), at(1.1))


def _a_new_model(settings: Settings, database: Database) -> None:
    promote(settings.model_directory(SERIES), alpha=5.0)


@pytest.mark.parametrize("change", [_a_new_hour, _a_corrected_hour, _a_new_model])
def test_what_a_forecast_follows_from_invalidates_it(
    settings: Settings, change: Callable[[Settings, Database], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counting(monkeypatch)
    moments = iter([NOW, at(1.2)])
    with TestClient(app.create_app(settings, lambda: next(moments)), headers={"X-API-Key": KEY}) as client:
        before = client.post("/forecast").json()
        with open_database(settings) as database:
            change(settings, database)
        after = client.post("/forecast").json()
    assert made == [168, 168]
    assert before["predictions"] != after["predictions"]
    assert (before["origin"] < after["origin"]) == (change is _a_new_hour)


def test_newness_is_looked_at_only_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    settings = settings.model_copy(update={"api": settings.api.model_copy(update={"newness_seconds": 60})})
    fill(settings)
    looks: list[str] = []
    real = Database.newest

    def newest(self: Database, series_id: str) -> Any:
        looks.append(series_id)
        return real(self, series_id)

    monkeypatch.setattr(Database, "newest", newest)
    with client_of(settings) as client:
        client.post("/forecast")  # itself makes a vintage, after which the next request looks again
        for _ in range(5):
            client.post("/forecast")
    assert len(looks) <= 2


def test_rows_of_the_table_series_come_and_go_without_a_restart(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "SERIES_SECONDS", 0)
    row = json.dumps({"title": "Seventeen", "unit": "visits/h", "source": {"kind": "file", "path": "none.csv"}})
    with client_of(settings) as client, open_database(settings) as database:

        def names() -> list[str]:
            return [known["series"] for known in client.get("/series").json()]

        def answered() -> int:
            return client.get("/performance", params={"series": "store_17"}).status_code

        def execute(statement: str, **values: str) -> None:
            with database.engine.begin() as connection:
                connection.execute(text(statement), values)

        assert (answered(), names()) == (404, [SERIES])
        execute("insert into series values ('store_17', :row)", row=row)
        assert (answered(), names()) == (200, [SERIES, "store_17"])
        assert "Seventeen" in client.get("/").text
        assert "store_17" in client.get("/ready").text
        execute("update series set settings = :row", row=row.replace("visits", "people"))
        wait_until(lambda: "people/h" in client.get("/performance", params={"series": "store_17"}).text)
        execute("delete from series")
        wait_until(lambda: answered() == 404)
        assert names() == [SERIES]


def test_a_forecast_in_memory_does_not_wait_for_the_table_series(
    sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, looks = threading.Event(), []

    def series(_: Database) -> dict[str, str]:
        looks.append(going_on.wait(30))
        return {}

    monkeypatch.setattr(forecasts, "SERIES_SECONDS", 3600)
    with client_of(sqlite) as client:
        first = client.post("/forecast").json()
        assert client.get("/series").status_code == 200
        monkeypatch.setattr(Database, "series", series)
        monkeypatch.setattr(forecasts, "SERIES_SECONDS", 0)
        assert client.post("/forecast").json() == client.post("/forecast").json() == first
        assert looks == [], "the look is not over"
        going_on.set()
    assert looks == [True]


def test_latest_forecast_is_the_newest_vintage_whatever_its_model(settings: Settings) -> None:
    with client_of(settings) as client:
        first = client.post("/forecast").json()
        promote(settings.model_directory(SERIES), alpha=5.0)
        assert client.get("/forecast").json() == first


def test_performance_compares_with_what_happened(settings: Settings) -> None:
    with client_of(settings) as client:
        client.post("/forecast")
    with open_database(settings) as database:
        load(database, wave(at(0), 6), at(6.1))
    with client_of(settings, at(6.2)) as client:
        answered = client.get("/performance", params={"since": "2022-03-04T00:00:00Z"}).json()
    first = answered["hours"][0]
    assert answered["unit"] == "things/h"
    assert answered["summary"]["scored_hours"] == 5  # the forecast was issued half an hour into the first
    assert first["reality"] == pytest.approx(wave(at(1), 1).values[0])
    assert first["absolute_error"] == pytest.approx(abs(first["prediction"] - first["reality"]))
    assert first["naive_error"] is not None
    assert first["lead"] == 2


def test_performance_is_read_page_by_page(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        client.post("/forecast")
        wanted = {"since": "2022-03-04T00:00:00Z", "until": "2022-03-05T00:00:00Z", "limit": "10"}
        pages = [client.get("/performance", params=wanted).json()]
        while following := pages[-1]["next_since"]:
            pages.append(client.get("/performance", params=wanted | {"since": following}).json())
    assert [len(page["hours"]) for page in pages] == [10, 10, 3]
    hours = [row["prediction_date"] for page in pages for row in page["hours"]]
    assert hours == sorted(set(hours))


def test_model_is_the_card(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        answered = client.get("/model").json()
    stored = json.loads((sqlite.model_directory(SERIES) / CARD).read_text(encoding="utf-8"))
    assert answered == stored


def test_series_says_what_is_stored(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        (info,) = client.get("/series").json()
    assert info["series"] == SERIES
    assert info["newest_hour"] == "2022-03-03T23:00:00Z"
    assert info["issued_at"] is None
    assert info["model_version"].startswith("20220303T23-")


def test_metrics_are_prometheus_text(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        client.post("/forecast")
        client.get("/nowhere")
    with open_database(sqlite) as database:
        load(database, wave(at(0), 6), at(6.1))
    with client_of(sqlite, at(6.5)) as client:
        client.get("/forecast")
        client.get("/no/such/place")
        text = client.get("/metrics").text
    assert 'actioncast_data_age_seconds{series="demo"} 1800.0' in text
    assert 'actioncast_forecast_age_seconds{series="demo"} 21600.0' in text
    assert 'actioncast_scored_hours{series="demo"} 5.0' in text
    assert "actioncast_live_mae{" in text
    assert "actioncast_coverage{" in text
    assert 'actioncast_model_info{name="ridge_day",series="demo",version="20220303T23-' in text
    assert 'actioncast_request_seconds_count{method="GET",route="/forecast",status="200"} 1.0' in text
    assert 'route="other",status="404"} 1.0' in text


# One per status ----------------------------------------------------------------------------------------------------


def problem(response: Any, status: int) -> dict[str, Any]:
    """The problem that every failure answers."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["detail"]
    return body


@pytest.fixture
def client(sqlite: Settings) -> Iterator[TestClient]:
    with client_of(sqlite) as opened:
        yield opened


def test_200_health_without_database_or_champion(empty: Settings) -> None:
    with client_of(empty) as client:
        assert client.get("/health").json() == {
            "status": "ok",
            "revision": None,
            "model_version": None,
            "models": {SERIES: None},
        }


def test_health_names_the_champion_and_the_commit_without_the_database(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "postgresql://nobody@127.0.0.1:1/away", REVISION="6f1c2ab")
    version = promote(settings.model_directory(SERIES))
    with client_of(settings) as client:
        first = client.get("/health").json()
        promoted = promote(settings.model_directory(SERIES), alpha=5.0)
        second = client.get("/health").json()
    assert (first["revision"], first["model_version"], first["models"]) == ("6f1c2ab", version, {SERIES: version})
    assert second["models"] == {SERIES: promoted}


def test_200_ready(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        answer = client.get("/ready")
    assert answer.status_code == 200
    assert [(check["name"], check["ok"]) for check in answer.json()["checks"]] == [
        ("database", True),
        ("model", True),
        ("data", True),
    ]


def test_401_without_a_key(sqlite: Settings) -> None:
    with client_of(sqlite, key=None) as client:
        answer = client.post("/forecast")
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert client.get("/performance").status_code == 200  # reading is open


def test_401_with_a_wrong_key_which_is_not_repeated(sqlite: Settings) -> None:
    with client_of(sqlite, key="wrong-key") as client:
        answer = client.post("/forecast")
    problem(answer, 401)
    assert "wrong-key" not in answer.text


def test_404_unknown_series_names_the_parameter(client: TestClient) -> None:
    body = problem(client.post("/forecast", params={"series": "nope"}), 404)
    assert body["errors"][0]["field"] == "series"
    assert SERIES in body["detail"]


def test_404_unknown_address(client: TestClient) -> None:
    problem(client.get("/nowhere"), 404)


def test_404_no_forecast_stored_yet(empty: Settings) -> None:
    with client_of(empty) as client:
        assert "make_predictions.py" in problem(client.get("/forecast"), 404)["detail"]


def test_405_names_the_methods(client: TestClient) -> None:
    for path, methods in {"/health": "GET, HEAD", "/forecast": "GET, HEAD, POST"}.items():
        answer = client.put(path)
        problem(answer, 405)
        assert answer.headers["allow"] == methods


def test_head_answers_the_headers_alone(client: TestClient) -> None:
    client.post("/forecast")
    for path in ("/", "/docs", "/health", "/ready", "/forecast", "/performance", "/metrics", "/assets/icon.svg"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b""), path
        assert int(answer.headers["content-length"]) > 0
    assert client.head("/nowhere").status_code == 404


def test_304_for_who_has_it_already_until_it_changes(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        client.post("/forecast")
        for path in ("/forecast", "/performance", "/"):
            first = client.get(path)
            again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"]), path
        old = client.get("/forecast").headers["etag"]
    with open_database(sqlite) as database:
        load(database, wave(at(0), 1), at(1.1))
    with client_of(sqlite, at(1.2)) as client:
        client.post("/forecast")
        assert client.get("/forecast", headers={"If-None-Match": old}).status_code == 200


def test_answers_are_compressed_on_request(client: TestClient) -> None:
    for method, path in (("POST", "/forecast"), ("GET", "/forecast"), ("GET", "/performance"), ("GET", "/docs")):
        plain = client.request(method, path, headers={"Accept-Encoding": "identity"})
        packed = client.request(method, path, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content
        assert packed.headers["vary"] == "Accept-Encoding"


def test_413_a_large_body(client: TestClient) -> None:
    problem(client.post("/forecast", content=b"x" * 70_000), 413)


def test_413_a_body_of_unknown_length(client: TestClient) -> None:
    problem(client.post("/forecast", content=iter([b"x"])), 413)


@pytest.mark.parametrize("hours", ["0", "-1", "2209", "1.5", "many", "", "1e3", "9" * 5000])
def test_422_names_the_field(client: TestClient, hours: str) -> None:
    body = problem(client.post("/forecast", params={"num_predictions": hours}), 422)
    assert body["errors"][0]["field"] == "num_predictions"
    assert body["errors"][0]["location"] == "query"


@pytest.mark.parametrize("moment", ["5", "2022-03-04", "2022-03-04T03:00:00", "yesterday", "0001-01-01T00:00:00+23:00"])
def test_422_a_time_without_zone_or_out_of_range(client: TestClient, moment: str) -> None:
    assert problem(client.get("/performance", params={"since": moment}), 422)["errors"][0]["field"] == "since"


def test_429_says_when_to_come_back(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    settings = settings.model_copy(update={"api": settings.api.model_copy(update={"requests_per_minute": 12})})
    with client_of(settings) as client:
        answers = [client.get("/nowhere") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [404, 404, 429, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 5
        problem(answers[-1], 429)
        assert client.get("/health").status_code == 200  # the platform's probe is not counted


def test_500_says_nothing_about_the_inside(sqlite: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Database, series_id: str) -> None:
        raise RuntimeError("inside knowledge")

    with client_of(sqlite) as client:
        monkeypatch.setattr(Database, "newest", broken)
        answer = client.post("/forecast")
    problem(answer, 500)
    assert "inside" not in answer.text


def test_503_no_champion(empty: Settings) -> None:
    with open_database(empty) as database:
        load(database, wave(at(-HISTORY), HISTORY), at(0))
    with client_of(empty) as client:
        for answer in (client.post("/forecast"), client.get("/model")):
            assert "train.py" in problem(answer, 503)["detail"]
            assert answer.headers["retry-after"] == "60"


def test_503_no_data(sqlite: Settings) -> None:
    with open_database(sqlite) as database, database.engine.begin() as connection:
        connection.exec_driver_sql("delete from reality")
    with client_of(sqlite) as client:
        assert "update_real_data.py" in problem(client.post("/forecast"), 503)["detail"]


def test_503_a_champion_that_does_not_match_its_card(sqlite: Settings) -> None:
    (sqlite.model_directory(SERIES) / NUMBERS).write_bytes(b"x")
    with client_of(sqlite) as client:
        assert "expected" in problem(client.post("/forecast"), 503)["detail"]
        ready = client.get("/ready")
    assert ready.status_code == 503
    assert [check["name"] for check in ready.json()["checks"] if not check["ok"]] == ["model"]


def test_503_database_away_does_not_say_where_it_is(tmp_path: Path) -> None:
    away = settings_in(tmp_path, "postgresql://someone:hunter2@127.0.0.1:1/hidden")
    promote(away.model_directory(SERIES))
    with client_of(away) as client:
        for answer in (client.post("/forecast"), client.get("/forecast"), client.get("/series")):
            body = problem(answer, 503)
            assert answer.headers["retry-after"] == "5"
            assert "127.0.0.1" not in body["detail"]
            assert "hunter2" not in answer.text
        ready = client.get("/ready")
        assert ready.status_code == 503
        assert [check["name"] for check in ready.json()["checks"] if not check["ok"]] == ["database"]
        assert "actioncast_database_up 0.0" in client.get("/metrics").text
        assert client.get("/health").status_code == 200


def test_503_old_data_is_not_ready(sqlite: Settings) -> None:
    with client_of(sqlite, at(30)) as client:
        ready = client.get("/ready")
    assert ready.status_code == 503
    assert "over for 30 h, at most 12 h" in ready.json()["checks"][2]["detail"]


# Starting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", [{"K_SERVICE": "actioncast"}, {"ENVIRONMENT": "production"}])
def test_production_without_a_key_does_not_start(tmp_path: Path, variable: dict[str, str]) -> None:
    settings = settings_in(tmp_path, "sqlite://", **{**variable, "API_KEY": " , "})
    with pytest.raises(SettingsError, match="API_KEY"):
        app.create_app(settings)


def test_production_with_a_short_key_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="5 characters"):
        app.create_app(settings_in(tmp_path, "sqlite://", K_SERVICE="x", API_KEY="abcde"))


def test_production_may_rely_on_the_platform_when_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "sqlite://", api='authentication = "platform"', K_SERVICE="x", API_KEY="")
    app.create_app(settings)


def test_main_refuses_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_in(tmp_path, "sqlite://")
    monkeypatch.setenv("ACTIONCAST_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("ENVIRONMENT", "production")
    assert app.main([]) == 2
    assert "API_KEY" in capsys.readouterr().err


def test_importing_makes_no_application_until_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_in(tmp_path, "sqlite://")
    monkeypatch.setenv("ACTIONCAST_CONFIG", str(tmp_path / "config.toml"))
    assert "app" not in vars(app)
    assert app.app.title == "Actioncast"
    with pytest.raises(AttributeError):
        app.nothing  # noqa: B018


def test_a_champion_that_comes_later_is_seen(empty: Settings, sqlite: Settings) -> None:
    shutil.rmtree(sqlite.model_directory(SERIES))
    with client_of(sqlite) as client:
        assert client.post("/forecast").status_code == 503
        promote(sqlite.model_directory(SERIES))
        assert client.post("/forecast").status_code == 200


def test_clock_of_the_application_is_the_real_one(sqlite: Settings) -> None:
    with TestClient(app.create_app(sqlite), headers={"X-API-Key": KEY}) as client:
        issued = datetime.fromisoformat(client.post("/forecast").json()["issued_at"])
    assert abs((datetime.now(UTC) - issued).total_seconds()) < 60

"""The API from outside: what each address answers, and that a forecast is made once."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

import app
import make_predictions
from actioncast.api import catalogue
from actioncast.database.database import Database, open_database
from actioncast.paths import CARD
from actioncast.periods.lengths import parse_length
from actioncast.settings import Settings
from tests.support.clock import at, wait_until
from tests.support.serving import (
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


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Notes the horizon of every forecast that is computed."""
    made: list[int] = []
    real = make_predictions.run

    def run(*args: Any, **kwargs: Any) -> make_predictions.ForecastReport:
        made.append(kwargs["horizon"])
        return real(*args, **kwargs)

    monkeypatch.setattr(make_predictions, "run", run)
    return made


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
    series = settings.series[SERIES].model_copy(update={"horizon": parse_length(30)})
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
    monkeypatch.setattr(catalogue, "REFRESH_SECONDS", 0)
    row = json.dumps({"title": "Seventeen", "unit": "visits/h", "source": {"kind": "file", "path": "none.csv"}})
    with client_of(settings) as client, open_database(settings) as database:

        def names() -> list[str]:
            return [info["series"] for info in client.get("/series").json()]

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

    monkeypatch.setattr(catalogue, "REFRESH_SECONDS", 3600)
    with client_of(sqlite) as client:
        first = client.post("/forecast").json()
        assert client.get("/series").status_code == 200
        monkeypatch.setattr(Database, "series", series)
        monkeypatch.setattr(catalogue, "REFRESH_SECONDS", 0)
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
    first = answered["periods"][0]
    assert answered["unit"] == "things/h"
    assert answered["summary"]["scored_periods"] == 5  # the forecast was issued half an hour into the first
    assert first["reality"] == pytest.approx(wave(at(1), 1).values[0])
    assert first["absolute_error"] == pytest.approx(abs(first["prediction"] - first["reality"]))
    assert first["naive_error"] is not None
    assert first["lead"] == 2


def test_performance_is_read_page_by_page(sqlite: Settings) -> None:
    with client_of(sqlite) as client:
        client.post("/forecast")
        parameters = {"since": "2022-03-04T00:00:00Z", "until": "2022-03-05T00:00:00Z", "limit": "10"}
        pages = [client.get("/performance", params=parameters).json()]
        while pages[-1]["next_since"]:
            parameters["since"] = pages[-1]["next_since"]
            pages.append(client.get("/performance", params=parameters).json())
    assert [len(page["periods"]) for page in pages] == [10, 10, 3]
    hours = [row["prediction_date"] for page in pages for row in page["periods"]]
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
    assert info["newest_period"] == "2022-03-03T23:00:00Z"
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
    assert 'actioncast_scored_periods{series="demo"} 5.0' in text
    assert "actioncast_live_mae{" in text
    assert "actioncast_coverage{" in text
    assert 'actioncast_model_info{name="ridge_day",series="demo",version="20220303T23-' in text
    assert 'actioncast_request_seconds_count{method="GET",route="/forecast",status="200"} 1.0' in text
    assert 'route="other",status="404"} 1.0' in text


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
        assert packed.headers["vary"] == "Accept, Accept-Encoding"


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

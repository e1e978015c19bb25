"""One test per status: what the API answers when it cannot, and how healthy it says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from actioncast.database.database import Database, open_database
from actioncast.paths import NUMBERS
from actioncast.settings import Settings
from tests.support.clock import at
from tests.support.serving import (
    HISTORY,
    SERIES,
    client_of,
    load,
    promote,
    settings_in,
    wave,
)


def problem(response: Any, status: int) -> dict[str, Any]:
    """The problem that every failure answers."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["detail"]
    return body


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


def test_a_naive_steps_in_for_a_champion_that_does_not_match_its_card(sqlite: Settings) -> None:
    (sqlite.model_directory(SERIES) / NUMBERS).write_bytes(b"x")
    with client_of(sqlite) as client:
        answer = client.post("/forecast").json()
        assert client.get("/forecast").json() == answer
        ready = client.get("/ready")
    assert answer["fallback"] is True
    assert "expected" in answer["fallback_reason"]
    assert answer["model_version"] == "seasonal_naive_168"
    assert all(row["lower"] <= row["prediction"] <= row["upper"] for row in answer["predictions"])
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


# What no address knows ----------------------------------------------------------------------------

FORECAST_PARAMETERS = "num_predictions, periods, return_predictions, series"


@pytest.mark.parametrize("name", ["n", "horizon", "Series"])
def test_an_unknown_parameter_is_named_with_those_that_are_allowed(client: TestClient, name: str) -> None:
    answer = client.post("/forecast", params={name: 3})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    detail = f"unknown parameter; allowed: {FORECAST_PARAMETERS}"
    assert answer.json()["errors"] == [{"field": name, "location": "query", "detail": detail}]


def test_a_body_with_what_belongs_into_the_url_is_refused(client: TestClient) -> None:
    answer = client.post("/forecast", json={"num_predictions": 3})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "num_predictions: Extra inputs are not permitted"


def test_a_body_is_refused_where_nothing_would_read_it(client: TestClient) -> None:
    answer = client.post("/annotations", params={"note": "x"}, json={"note": "y"})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "body: expected none; parameters of the URL: note, at, series"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/forecast",
        "/performance",
        "/model",
        "/series",
        "/health",
        "/ready",
        "/metrics",
        "/reality",
        "/vintages",
        "/what-if",
    ],
)
def test_every_address_refuses_what_it_does_not_know(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path, params={"nothing": 1}).status_code == 422
    assert client.request(method, path, content=b"{}").status_code == 422


def test_a_parameter_that_is_known_and_empty_content_are_fine(client: TestClient) -> None:
    assert client.post("/forecast", params={"num_predictions": 3}, content=b"").status_code == 200

"""Keys, rates and headers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import app
from actioncast.api.keys import Keys
from actioncast.api.limits import REMEMBERED_CLIENTS, RateLimit
from actioncast.config import load_settings
from tests.support.serving import KEY, client_of, settings_in


def test_any_of_several_keys_is_valid_and_nothing_else() -> None:
    keys = Keys(["new-key", "old-key"])
    assert [keys.match(key) for key in ("new-key", "old-key", "new-key,old-key", "new", "")] == [True, True] + [
        False
    ] * 3
    assert not Keys([])


def test_keys_are_separated_by_commas_and_masked_one_by_one() -> None:
    environment = load_settings(variables={"API_KEY": "new-key, old-key,"}).environment
    assert environment.api_keys() == ["new-key", "old-key"]
    assert environment.secrets() == ["new-key", "old-key"]


@pytest.mark.parametrize("header", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}])
def test_reading_can_be_closed(tmp_path: Path, header: dict[str, str]) -> None:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}", api='reading = "key"')
    with client_of(settings, key=None) as client:
        for path in ("/series", "/performance", "/forecast", "/model", "/metrics", "/"):
            assert client.get(path).status_code == 401, path
        assert client.get("/series", headers=header).status_code == 200
        assert client.get("/health").status_code == 200


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()}


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[TestClient]:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}", api='reading = "key"')
    with client_of(settings, key=None) as client:
        yield client


def test_a_browser_reads_with_the_key_as_password(closed: TestClient) -> None:
    asked = closed.get("/", headers={"Accept": "text/html,*/*"})
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic ")
    assert closed.get("/", headers=basic(KEY)).status_code == 200
    assert closed.get("/series", headers=basic(KEY)).status_code == 200
    assert closed.get("/series").headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "credentials", [basic("wrong")["Authorization"], "Basic", "Basic !", "Basic /w==", "Basic YQ=="]
)
def test_what_is_no_key_opens_nothing(closed: TestClient, credentials: str) -> None:
    assert closed.get("/", headers={"Authorization": credentials}).status_code == 401


def test_a_browsers_password_does_not_write(closed: TestClient) -> None:
    assert closed.post("/forecast", headers=basic(KEY)).status_code == 401


def test_rate_is_even_with_a_burst() -> None:
    now = [0.0]
    limit = RateLimit(60, lambda: now[0])
    assert [limit.wait("a") for _ in range(10)] == [0.0] * 10  # ten seconds' worth at once
    assert limit.wait("a") == pytest.approx(1.0)
    assert limit.wait("b") == 0.0
    now[0] = 1.0
    assert limit.wait("a") == 0.0
    assert limit.wait("a") > 0.0


def test_a_slow_rate_still_lets_the_first_through() -> None:
    limit = RateLimit(1, lambda: 0.0)
    assert limit.wait("a") == 0.0
    assert limit.wait("a") == pytest.approx(60.0)


def test_clients_are_forgotten() -> None:
    now = [0.0]
    limit = RateLimit(60, lambda: now[0])
    for client in range(REMEMBERED_CLIENTS):
        limit.wait(str(client))
    now[0] = 10.0
    limit.wait("one more")
    assert len(limit._due) == 1


def test_behind_a_proxy_the_last_forwarded_address_counts(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}", K_SERVICE="x")
    settings = settings.model_copy(update={"api": settings.api.model_copy(update={"requests_per_minute": 1})})
    with client_of(settings) as client:
        answers = [
            client.get("/nowhere", headers={"X-Forwarded-For": address}).status_code
            for address in ("1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9", "9.9.9.9, 3.3.3.3")
        ]
    assert answers == [404, 429, 404]


def test_every_answer_carries_the_security_headers(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}", K_SERVICE="x")
    with TestClient(app.create_app(settings)) as client:
        for path in ("/health", "/nowhere", "/", "/openapi.json"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"], path
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "max-age" in headers["strict-transport-security"]

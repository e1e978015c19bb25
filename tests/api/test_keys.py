"""Which keys are valid, and what they open."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from actioncast.api.keys import Keys
from actioncast.config import load_settings
from tests.support.serving import KEY, client_of, settings_in


def test_any_of_several_keys_is_valid_and_nothing_else() -> None:
    keys = Keys(["new-key", "old-key"])
    assert all(keys.match(key) for key in ("new-key", "old-key"))
    assert not any(keys.match(key) for key in ("new-key,old-key", "new", ""))
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

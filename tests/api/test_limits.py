"""How often a client may ask, and the headers of every answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import app
from actioncast.api.limits import REMEMBERED_CLIENTS, RateLimit
from tests.support.serving import client_of, settings_in


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

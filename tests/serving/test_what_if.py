"""Forecasts under assumptions: answered, said to be hypothetical, and not stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from actioncast.database.database import open_database
from actioncast.forecasting.exogenous import Assumptions
from actioncast.periods.grid import Grid
from actioncast.settings import Settings
from tests.support.clock import at
from tests.support.serving import SERIES, client_of, fill, settings_in


def test_assumptions_change_what_is_ahead_and_nothing_before() -> None:
    column = np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan])
    history = Grid(at(0), np.array([10.0, 11.0, 12.0]), {"heat": column, "price": column})
    changed = Assumptions(shifts={"heat": 2.0}, columns={"price": [9.0]}, newest=[]).apply(history)
    np.testing.assert_array_equal(changed.exogenous["heat"], [1, 2, 3, 6, 7, np.nan])
    np.testing.assert_array_equal(changed.exogenous["price"], [1, 2, 3, 9, 5, np.nan])
    np.testing.assert_array_equal(history.exogenous["heat"], column)
    later = Assumptions(shifts={"heat": 2.0}, columns={}, newest=[13.0]).apply(history)
    np.testing.assert_array_equal(later.values, [10, 11, 12, 13])
    np.testing.assert_array_equal(later.exogenous["heat"], [1, 2, 3, 4, 7, np.nan])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    return made


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with client_of(settings) as opened:
        yield opened


def values_of(answer: Any) -> list[float]:
    return [row["prediction"] for row in answer.json()["predictions"]]


def test_own_newest_values_move_the_forecast_and_its_begin(client: TestClient, settings: Settings) -> None:
    stored = client.post("/forecast", params={"periods": 5})
    assumed = client.post("/forecast", params={"periods": 4}, json={"newest": [1500.0]})
    assert assumed.status_code == 200, assumed.text
    assert assumed.json()["hypothetical"] is True
    assert assumed.json()["predictions"][0]["prediction_date"] == stored.json()["predictions"][1]["prediction_date"]
    assert values_of(assumed)[0] > values_of(stored)[1], "the hour before was higher"
    with open_database(settings) as database:
        assert len(database.newest_vintages(SERIES)) == 1, "the hypothetical one is not stored"
    assert "hypothetical" not in client.get("/forecast").json()


def test_no_assumption_is_the_forecast_itself(client: TestClient) -> None:
    assert values_of(client.post("/forecast", json={})) == pytest.approx(values_of(client.post("/forecast")))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"columns": {"temperature": {"add": 3}}}, 409, "is none of those that the champion of demo uses: none"),
        ({"newest": [1e99]}, 422, "newest"),
        ({"columns": {"temperature": {"plus": 3}}}, 422, "plus"),
        ({"newest": ["high"]}, 422, "newest"),
        ({"newest": ["Infinity"]}, 422, "newest"),
        ({"colums": {}}, 422, "colums"),
    ],
)
def test_what_cannot_be_assumed_is_refused_by_name(
    client: TestClient, body: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post("/forecast", json=body)
    assert answer.status_code == status
    assert said in answer.text


def test_assuming_needs_the_right_to_read_alone(settings: Settings) -> None:
    with client_of(settings, key=None) as anybody:
        assert anybody.post("/forecast").status_code == 401
        assert anybody.post("/forecast", json={"newest": [1.0]}).status_code == 200
    closed = settings.model_copy(update={"api": settings.api.model_copy(update={"reading": "key"})})
    with client_of(closed, key=None) as anybody:
        assert anybody.post("/forecast", json={"newest": [1.0]}).status_code == 401


def test_other_routes_take_no_body(client: TestClient) -> None:
    answer = client.request("GET", "/forecast", json={"newest": [1.0]})
    assert answer.status_code == 422
    assert "expected none" in answer.text

"""What is stored, asked for over HTTP: earlier forecasts, reality, notes, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

import make_predictions
from actioncast.database.database import open_database
from actioncast.settings import Settings
from actioncast.times import isoformat
from tests.support.clock import at
from tests.support.serving import HISTORY, SERIES, client_of, load, wave

CSV = {"Accept": "text/csv"}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """Two forecasts, six hours apart, and the hours between them."""
    with open_database(settings) as database:
        make_predictions.run(settings, database, at(0.3), series_id=SERIES)
        load(database, wave(at(0), 6), at(6.2))
        make_predictions.run(settings, database, at(6.3), series_id=SERIES)
    with client_of(settings, at(6.5)) as opened:
        yield opened


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_vintages_are_listed_newest_first_and_each_can_be_asked_for(client: TestClient) -> None:
    listed = client.get("/vintages").json()["vintages"]
    assert [row["issued_at"] for row in listed] == [isoformat(at(6.3)), isoformat(at(0.3))]
    assert [row["origin"] for row in listed] == [isoformat(at(5)), isoformat(at(-1))]
    assert [row["periods"] for row in listed] == [168, 168]
    old = client.get("/forecast", params={"issued_at": listed[1]["issued_at"], "periods": 3}).json()
    assert old["issued_at"] == isoformat(at(0.3))
    assert [row["prediction_date"] for row in old["predictions"]] == [isoformat(at(hour)) for hour in (0, 1, 2)]
    assert [
        row["issued_at"] for row in client.get("/vintages", params={"until": isoformat(at(3))}).json()["vintages"]
    ] == [isoformat(at(0.3))]


def test_a_forecast_that_was_never_issued_is_not_found(client: TestClient) -> None:
    answer = client.get("/forecast", params={"issued_at": isoformat(at(3))})
    assert answer.status_code == 404
    assert "/vintages" in answer.json()["detail"]


def test_performance_as_it_was_said_so_many_hours_before(client: TestClient) -> None:
    def told(**parameters: Any) -> dict[str, Any]:
        window = {"since": isoformat(at(0)), "until": isoformat(at(12))}
        rows = client.get("/performance", params=window | parameters).json()["periods"]
        return {row["prediction_date"]: (row["issued_at"], row["lead"]) for row in rows}

    last = told()
    assert last[isoformat(at(8))] == (isoformat(at(6.3)), 3)
    early = told(lead=6)
    assert early[isoformat(at(8))] == (isoformat(at(0.3)), 9)
    assert early[isoformat(at(11))] == (isoformat(at(6.3)), 6)
    assert isoformat(at(4)) not in early, "nobody said it six hours before"
    scored = client.get("/performance", params={"lead": 6, "since": isoformat(at(5)), "until": isoformat(at(6))}).json()
    row = scored["periods"][0]
    assert row["absolute_error"] == pytest.approx(abs(row["prediction"] - row["reality"]))
    assert row["covered"] in (True, False)
    assert scored["summary"]["scored_periods"] == 1


def test_reality_is_paged(client: TestClient) -> None:
    first = client.get("/reality", params={"limit": 400}).json()
    assert len(first["periods"]) == 400
    rest = client.get("/reality", params={"since": first["next_since"], "limit": 400}).json()
    assert len(first["periods"]) + len(rest["periods"]) == HISTORY + 6
    assert rest["next_since"] is None
    assert rest["periods"][-1] == {
        "period": isoformat(at(5)),
        "value": pytest.approx(wave(at(5), 1).values[0]),
        "set_aside": False,
    }


@pytest.mark.parametrize(
    ("address", "columns", "count"),
    [
        ("/forecast?periods=4", ["prediction_date", "prediction", "lower", "upper"], 4),
        ("/reality?limit=7", ["period", "value", "set_aside"], 7),
        ("/performance?limit=5", ["prediction_date", "prediction", "lower", "upper", "reality"], 5),
    ],
)
def test_csv_has_the_columns_and_values_of_json(
    client: TestClient, address: str, columns: list[str], count: int
) -> None:
    answer = client.get(address, headers=CSV)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "Accept" in answer.headers["vary"]
    rows = rows_of(answer.text)
    assert len(rows) == count
    assert list(rows[0])[: len(columns)] == columns
    document = client.get(address).json()
    json_rows = document.get("predictions") or document["periods"]
    for row, of_json in zip(rows, json_rows, strict=True):
        for name in columns:
            expected = of_json[name]
            assert row[name] == ("" if expected is None else str(expected)), name


def test_notes_are_stored_once_and_shown_on_the_page(client: TestClient, settings: Settings) -> None:
    for _ in range(2):
        answer = client.post("/annotations", params={"note": "a <b>strike</b>", "at": isoformat(at(2))})
        assert answer.status_code == 200, answer.text
    with open_database(settings) as database:
        assert [row["note"] for row in database.annotations(SERIES, since=at(-9))] == ["a <b>strike</b>"]
    page = client.get("/", headers={"Accept": "text/html"}).text
    assert "a &lt;b&gt;strike&lt;/b&gt;" in page
    assert "<b>strike" not in page


@pytest.mark.parametrize("note", ["", "x" * 301, "two\nlines", "nul\x00"])
def test_a_note_that_no_list_could_show_is_refused(client: TestClient, note: str) -> None:
    assert client.post("/annotations", params={"note": note}).status_code == 422


def test_a_note_needs_the_key(settings: Settings) -> None:
    with client_of(settings, key=None) as anybody:
        assert anybody.post("/annotations", params={"note": "spam"}).status_code == 401

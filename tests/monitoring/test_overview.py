"""All series in one table, from the database, on both kinds of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.forecasting.card import Card, read_card
from actioncast.monitoring.overview import SeriesRow, as_text, overview
from actioncast.periods.grid import Periods
from actioncast.settings import Settings
from actioncast.times import to_seconds
from tests.support.clock import at
from tests.support.serving import promote

SERIES = """
[series.{name}]
title = "Series {name}"
unit = "x"
source = {{ kind = "file", path = "none.csv" }}
{more}
"""
NAMES = ("good", "dead", "late", "new")
NOW = at(48.5)


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    path = tmp_path / "config.toml"
    tables = [SERIES.format(name=name, more="") for name in NAMES]
    tables.append(SERIES.format(name="monthly", more='frequency = "1MS"\ntimezone = "Europe/Madrid"'))
    path.write_text("".join(tables))
    return load_settings(path, {"DATABASE_URL": url})


def store(database: Database, name: str, end: datetime, *, error: float, naive: float, outcome: str = "loaded") -> None:
    """Two days of hours up to `end`, forecast with this error, and the newest forecast of 24 hours."""
    hours = [end - timedelta(hours=back) for back in range(47, -1, -1)]
    starts = np.array([to_seconds(hour) for hour in hours])
    run: dict[str, Any] = {"run_id": name, "series_id": name, "started_at": end, "finished_at": end, "message": ""}
    counts = {"points_read": 1, "points_rejected": 0, "periods_missing": 0}
    database.load_periods(name, Periods(starts, np.full(48, 100.0), np.ones(48, dtype=np.int64)), end, run | counts)
    if outcome == "failed":
        failure = {"run_id": f"{name}-2", "started_at": NOW, "finished_at": NOW, "message": "it answers 503"}
        database.record_etl_failure(run | counts | failure)
    for issued, first in ((hours[0] - timedelta(minutes=30), hours[0]), (end + timedelta(minutes=70), end)):
        rows = []
        for lead in range(1, 49):
            prediction = 100.0 + error
            row = {"series_id": name, "issued_at": issued, "lead": lead, "model_version": "v", "prediction": prediction}
            row |= {"prediction_date": first + timedelta(hours=lead), "naive": 100.0 + naive}
            rows.append(row | {"lower": prediction - 1, "upper": prediction + 1})
        database.store_vintage(rows)


def rows_of(settings: Settings) -> dict[str, SeriesRow]:
    def card_of(name: str) -> Card | None:
        return read_card(settings.model_directory(name))

    with open_database(settings) as database:
        return {row.series: row for row in overview(settings, database, NOW, card_of)}


@pytest.fixture
def filled(settings: Settings) -> Settings:
    with open_database(settings) as database:
        store(database, "good", at(47), error=0.5, naive=2.0)
        store(database, "dead", at(20), error=3.0, naive=2.0, outcome="failed")
        store(database, "late", at(39), error=0.5, naive=1.0)
        for name in ("good", "dead", "late"):
            check: dict[str, Any] = {
                "series_id": name,
                "checked_at": NOW,
                "verdict": "good",
                "bad": False,
                "newest_period": at(0),
            }
            check |= {"reasons": ["fine"], "scored_periods": 48, "dispatched": False}
            database.store_check(check | {"mae": 1.0, "reference_mae": 1.0, "naive_mae": 1.0})
    for name in ("good", "dead", "late"):
        promote(settings.model_directory(name))
    return settings


def test_the_worst_stands_first_and_says_why(filled: Settings) -> None:
    rows = rows_of(filled)
    assert list(rows) == ["dead", "monthly", "new", "late", "good"]
    assert rows["dead"].why == "Data: old, Forecast: old, Loading: failed"
    assert (rows["late"].status, rows["late"].why) == ("watch", "Data: ageing")
    assert (rows["good"].status, rows["good"].why) == ("good", "")
    assert "Data: missing" in rows["new"].why


def test_errors_are_those_beside_the_naive(filled: Settings) -> None:
    rows = rows_of(filled)
    assert rows["good"].ratio == pytest.approx(0.25)
    assert rows["dead"].ratio == pytest.approx(1.5)
    assert (rows["good"].coverage, rows["dead"].coverage) == (1.0, 0.0)
    assert rows["new"].ratio is None


def test_a_sparkline_has_a_week_and_what_is_forecast_after_the_own_end(filled: Settings) -> None:
    rows = rows_of(filled)
    for name, end in (("good", at(47)), ("dead", at(20))):
        row = rows[name]
        assert len(row.past) <= 28
        assert row.past[-1][0] <= to_seconds(end) < row.past[-1][0] + 6 * 3600
        assert row.ahead, name
        assert row.ahead[0][0] > row.past[-1][0]
    assert rows["new"].past == ()


def test_a_broken_card_is_bad_and_breaks_no_other_row(filled: Settings) -> None:
    (filled.model_directory("good") / "card.json").write_text("{")
    rows = rows_of(filled)
    assert rows["good"].status == "bad"
    assert "Model: broken" in rows["good"].why
    assert rows["late"].status == "watch"


def test_as_text_it_is_a_table_of_the_worst(filled: Settings) -> None:
    text = as_text(list(rows_of(filled).values()), NOW)
    lines = text.splitlines()
    assert lines[0].startswith("| series  | status | why")
    assert lines[2].startswith("| dead    | bad    | Data: old")
    assert "1.50" in lines[2]
    many = [*rows_of(filled).values()] * 6
    assert as_text(many, NOW).splitlines()[-1] == "10 more, none worse"


def test_the_database_is_asked_as_often_for_many_series_as_for_few(settings: Settings) -> None:
    asked: list[int] = []
    for count in (2, 40):
        series = {f"s{number}": settings.series["good"] for number in range(count)}
        with open_database(settings) as database:
            statements: list[bool] = []
            with database.before_each_statement(lambda found=statements: found.append(True)):  # type: ignore[misc]
                overview(settings.model_copy(update={"series": series}), database, NOW, lambda _: None)
            asked.append(len(statements))
    assert asked[0] == asked[1]

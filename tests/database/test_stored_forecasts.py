"""Vintages are stored as a whole and compared with what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database
from actioncast.periods.timeline import UTC_HOURS
from tests.support.clock import at
from tests.support.rows import at_once, hours, load, vintage


def performance(database: Database) -> list[dict[str, Any]]:
    return database.performance("a", since=at(-999), until=at(999))


def test_the_latest_vintage_issued_before_the_hour_counts(database: Database) -> None:
    database.store_vintage(vintage(0, 10, 20, 30))  # for 01:00, 02:00, 03:00
    database.store_vintage(vintage(1, 21, 31))  # for 02:00, 03:00
    rows = [(row["prediction_date"], row["prediction"], row["issued_at"], row["lead"]) for row in performance(database)]
    assert rows == [(at(1), 10, at(0), 1), (at(2), 21, at(1), 1), (at(3), 31, at(1), 2)]


def test_a_vintage_issued_at_the_start_of_the_hour_counts_and_a_later_one_does_not(database: Database) -> None:
    issued = [{**vintage(0, 10)[0], "issued_at": at(1) + timedelta(minutes=m), "prediction": m} for m in (-1, 0, 1)]
    for row in issued:
        database.store_vintage([row])
    assert [(row["prediction"], row["issued_at"]) for row in performance(database)] == [(0, at(1))]


def test_performance_compares_with_what_happened(database: Database) -> None:
    first, *others = vintage(0, 10, 20, 30)
    database.store_vintage([{**first, "naive": 13.0}, *others])
    load(database, hours(10.5, 17, start=1))  # 03:00 is not known yet
    columns = ("prediction", "lower", "upper", "reality", "absolute_error", "covered", "naive_error", "model_version")
    assert [tuple(row[name] for name in columns) for row in performance(database)] == [
        (10, 9, 11, 10.5, 0.5, True, 2.5, "v1"),
        (20, 19, 21, 17, 3, False, None, "v1"),
        (30, 29, 31, None, None, None, None, "v1"),
    ]


def test_performance_is_asked_for_a_span_of_hours(database: Database) -> None:
    database.store_vintage(vintage(0, 10, 20, 30))
    rows = database.performance("a", since=at(2), until=at(3))
    assert [row["prediction"] for row in rows] == [20]


def test_a_vintage_issued_again_is_replaced_as_a_whole_and_the_others_stay(database: Database) -> None:
    database.store_vintage(vintage(0, 10, 20, 30))
    database.store_vintage(vintage(0, 1, series_id="b"))
    database.store_vintage(vintage(1, 21))
    database.store_vintage(vintage(0, 11, 12))  # again, and shorter
    assert [row["prediction"] for row in performance(database)] == [11, 21]
    assert database.performance("b", since=at(0), until=at(9))[0]["prediction"] == 1


def test_a_vintage_issued_by_many_at_once_is_there_once(url: str, database: Database) -> None:
    def work(mine: Database, number: int) -> None:
        for turn in range(5):
            mine.store_vintage(vintage(0, *[float(10 * number + turn)] * 50))

    at_once(url, work)
    assert len({row["prediction"] for row in performance(database)}) == 1


def test_a_forecast_that_is_no_number_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseError):
        database.store_vintage(vintage(0, 1, float("nan")))
    assert performance(database) == []


def test_a_vintage_without_a_row_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="expected at least one forecast, got none"):
        database.store_vintage([])


def test_a_vintage_comes_back_with_the_hour_that_was_over_at_its_issue(database: Database) -> None:
    load(database, hours(1, 2, 3))
    database.store_vintage(vintage(2, 10, 20))
    rows, last_period = database.issued_vintage("a", at(2), UTC_HOURS)
    assert [(row["lead"], row["prediction"]) for row in rows] == [(1, 10), (2, 20)]
    assert last_period == at(1)


def test_forecasts_of_hours_that_have_happened_come_oldest_vintage_first(database: Database) -> None:
    database.store_vintage(vintage(1, 21, 31))  # for 02:00, 03:00
    database.store_vintage(vintage(0, 10, 20))  # for 01:00, 02:00
    load(database, hours(12, 22, start=1))
    rows = database.forecasts_with_reality("a", since=at(1), until=at(9))
    assert [(row["issued_at"], row["prediction"], row["reality"]) for row in rows] == [
        (at(0), 10, 12),
        (at(0), 20, 22),
        (at(1), 21, 22),
    ]

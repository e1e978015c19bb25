"""Periods come back as they went in, and are never replaced by worse ones."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import text

from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database
from actioncast.periods.grid import Periods
from actioncast.periods.points import DataError
from actioncast.periods.timeline import UTC_HOURS
from actioncast.times import to_seconds
from tests.support.clock import at
from tests.support.rows import at_once, hours, load, run_row, stored


def test_hours_come_back_as_they_went_in(database: Database) -> None:
    assert load(database, hours(1.5, 2.25)) == 2
    grid = database.reality("a", until=at(2), newest=9, timeline=UTC_HOURS)
    assert grid is not None
    assert (grid.start, grid.values.tolist()) == (at(0), [1.5, 2.25])
    assert database.last_period("a") == at(1)


def test_a_missing_hour_comes_back_as_nan(database: Database) -> None:
    load(database, hours(1))
    load(database, hours(3, start=2), run_id="second")
    np.testing.assert_array_equal(stored(database), [1, np.nan, 3])


def test_reality_knows_only_hours_that_are_over(database: Database) -> None:
    load(database, hours(1, 2, 3))
    assert stored(database, until=at(1.9)) == [1]
    assert stored(database, until=at(0.9)) == []


def test_reality_gives_the_newest_so_many(database: Database) -> None:
    load(database, hours(1, 2, 3))
    grid = database.reality("a", until=at(9), newest=2, timeline=UTC_HOURS)
    assert grid is not None
    assert grid.values.tolist() == [2, 3]


def test_series_do_not_mix(database: Database) -> None:
    load(database, hours(1), series_id="a")
    load(database, hours(7, 8), series_id="b", run_id="second")
    assert (stored(database, "a"), stored(database, "b")) == ([1], [7, 8])
    assert (database.last_period("a"), database.last_period("b"), database.last_period("c")) == (at(0), at(1), None)


@pytest.mark.parametrize(
    ("second", "changed", "expected"),
    [
        (hours(2, samples=3), 1, 2),  # as many points: the source corrected itself
        (hours(2, samples=4), 1, 2),  # more points: the hour is more complete
        (hours(2, samples=2), 0, 1),  # fewer points: the hour is only partly in the answer
        (hours(1, samples=3), 0, 1),  # the same again
    ],
)
def test_an_hour_is_replaced_unless_by_fewer_points(
    database: Database, second: Periods, changed: int, expected: float
) -> None:
    load(database, hours(1, samples=3))
    assert load(database, second, run_id="second") == changed
    assert stored(database) == [expected]


def test_what_a_newer_value_replaces_is_kept(database: Database) -> None:
    load(database, hours(1, 5, samples=3))
    load(database, hours(2, 5, samples=4), run_id="second")
    expected = {"series_id": "a", "reality_date": at(0), "value": 1.0, "samples": 3, "replaced_at": at(9)}
    assert database.revisions("a", since=at(0)) == [expected]
    assert database.revisions("a", since=at(1)) == database.revisions("b", since=at(0)) == []


@pytest.mark.parametrize("second", [hours(1, samples=3), hours(2, samples=2), hours(1, samples=4)])
def test_nothing_is_kept_where_no_value_was_replaced(database: Database, second: Periods) -> None:
    load(database, hours(1, samples=3))
    load(database, second, run_id="second")
    assert database.revisions("a", since=at(0)) == []


def test_a_load_that_restates_replaces_also_by_fewer_points_and_keeps_each_value(database: Database) -> None:
    for number, loaded in enumerate([hours(1, samples=4), hours(2, samples=2), hours(3, samples=1)]):
        row = run_row(f"{number}", started_at=at(number))
        database.load_periods("a", loaded, at(number), row, restates=True)
    assert stored(database) == [3]
    kept = [(row["value"], row["replaced_at"]) for row in database.revisions("a", since=at(0))]
    assert kept == [(1, at(1)), (2, at(2))]


def test_nothing_is_loaded_with_an_empty_answer(database: Database) -> None:
    assert load(database, hours()) == 0
    assert database.etl_runs("a", since=at(-1))[0]["outcome"] == "nothing new"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused(database: Database, value: float) -> None:
    with pytest.raises(DataError, match="the value of 2022-03-04T01:00:00Z is not finite; nothing was loaded"):
        load(database, hours(1, value))
    assert stored(database) == []


@pytest.mark.parametrize("value", ["'NaN'", "'Infinity'", "1e999"])
def test_the_table_itself_refuses_it_too(database: Database, value: str) -> None:
    cast = value if database.is_sqlite else f"{value.strip(chr(39)).replace('1e999', 'Infinity')!r}::double precision"
    with pytest.raises(DatabaseError), database._transaction(write=True) as connection:
        connection.execute(text(f"insert into reality values ('a', '2022-03-04T00:00:00Z', {cast}, 4, '2022-03-04')"))


def test_a_run_whose_write_fails_loads_nothing(database: Database) -> None:
    load(database, hours(1))
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        load(database, hours(5, 6), run_id="run")  # the run id is taken
    assert stored(database) == [1]


def test_writers_at_once_lose_nothing(url: str, database: Database) -> None:
    """Four connections load overlapping spans, each hour with its own value."""

    def work(mine: Database, number: int) -> None:
        for turn in range(5):
            load(mine, hours(*range(number, number + 200), start=number), run_id=f"{number}/{turn}")

    at_once(url, work)
    grid = database.reality("a", until=at(999), newest=999, timeline=UTC_HOURS)
    assert grid is not None
    assert grid.values.tolist() == list(range(203))
    assert len(database.etl_runs("a", since=at(-1))) == 20


def test_values_since_an_hour_come_with_unix_seconds(database: Database) -> None:
    load(database, hours(1, 2, 3))
    assert sorted(database.values_since("a", at(1))) == [(to_seconds(at(1)), 2), (to_seconds(at(2)), 3)]


def test_a_column_counts_as_loaded_when_its_source_says_something_else(database: Database) -> None:
    outcomes = []
    for number, value in enumerate((5.0, 5.0, 6.0)):
        row = run_row(f"{number}", started_at=at(number))
        database.load_periods("a", hours(), at(9), row, {"wind": hours(value, 7)})
        outcomes.append(database.etl_runs("a", since=at(number))[0]["outcome"])
    assert outcomes == ["loaded", "nothing new", "loaded"]
    wind = database.exogenous("a", ["wind"], since=at(0), until=at(9))["wind"]
    assert wind.values.tolist() == [6, 7]

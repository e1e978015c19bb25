"""A query at a database of the user's: bound times, a time limit, and no password in its errors."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from actioncast.database import warehouse
from actioncast.database.connection import DatabaseError, make_engine
from tests.support.clock import at
from tests.support.temp_postgres import TempPostgres

SPAN = {"start": at(0), "end": at(2)}
PASSWORD = "s3cret-word"


@pytest.fixture
def loads(url: str) -> str:
    """The URL of a database with the loads of four hours, from one before midnight on."""
    driver = url.replace("postgresql://", "postgresql+psycopg2://")
    engine = make_engine(make_url(driver))
    with engine.begin() as connection:
        connection.execute(text("create table loads (ts timestamp, load numeric)"))
        for hour in range(-1, 3):
            row = {"ts": at(hour).strftime("%Y-%m-%d %H:%M:%S"), "load": hour}
            connection.execute(text("insert into loads values (:ts, :load)"), row)
    engine.dispose()
    return url


def columns(url: str, query: str, timeout_seconds: float = 20) -> dict[str, list[object]]:
    read = warehouse.read(url, query, SPAN, timeout_seconds=timeout_seconds)
    return {name: list(cells) for name, cells in read.items()}


def error_of(url: str, query: str, timeout_seconds: float = 20) -> str:
    with pytest.raises(DatabaseError) as caught:
        columns(url, query, timeout_seconds)
    return str(caught.value)


def test_the_span_is_bound(loads: str) -> None:
    query = "select ts, load from loads where ts >= :start and ts < :end order by ts"
    assert [float(str(load)) for load in columns(loads, query)["load"]] == [0, 1]


def test_a_query_without_rows_has_its_columns(loads: str) -> None:
    assert columns(loads, "select ts, load from loads where load > 99") == {"ts": [], "load": []}


def test_times_with_a_zone_are_aware(postgres: TempPostgres) -> None:
    query = "select cast('2022-03-04T01:00+01:00' as timestamptz) as ts"
    assert columns(postgres.new_database(), query)["ts"] == [datetime(2022, 3, 4, tzinfo=UTC)]


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert error_of(f"sqlite:///{tmp_path / 'none.db'}", "select 1") == "unable to open database file"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written(loads: str) -> None:
    assert "read" in error_of(loads, "insert into loads values (null, 7) returning load")
    assert columns(loads, "select count(*) as rows from loads")["rows"] == [4]


def test_a_query_that_takes_too_long_is_ended(loads: str) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    message = error_of(loads, endless, timeout_seconds=0.2)
    assert "interrupted" in message or "statement timeout" in message


def test_a_query_with_a_mistake(loads: str) -> None:
    assert "lods" in error_of(loads, "select * from lods")
    assert "'begin'" in error_of(loads, "select * from loads where ts >= :begin")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"postgresql://ada:{PASSWORD}@127.0.0.1:9/loads", "refused"),
        (f"oracle+cx_oracle://ada:{PASSWORD}@127.0.0.1/loads", "no driver for oracle+cx_oracle:// is installed; add"),
        (f"none://ada:{PASSWORD}@127.0.0.1/loads", "no driver for none:// is installed; add"),
        (PASSWORD, "not a URL such as postgresql://user:password@host:5432/name"),
    ],
)
def test_no_error_shows_the_password(address: str, expected: str) -> None:
    message = error_of(address, "select 1")
    assert expected in message
    assert PASSWORD not in message

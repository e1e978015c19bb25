"""Columns with types: a query, and Parquet files."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from actioncast.config import load_settings
from actioncast.ingestion import typed
from actioncast.ingestion.documents import SourceError
from actioncast.settings import SettingsError
from actioncast.source_settings import SqlSource
from tests.support.clock import at
from tests.support.fetching import ROWS, T, error_of, fetched
from tests.support.source import Configure

QUERY = "select ts, load from loads where ts >= :start and ts < :end"


def source(**keys: object) -> SqlSource:
    return SqlSource.model_validate({"kind": "sql", "url": "$WAREHOUSE_URL", "query": QUERY, **keys})


def test_cells_are_read_as_a_document_would_write_them() -> None:
    times = [datetime(2022, 3, 4, tzinfo=UTC), datetime(2022, 3, 4, 1), date(2022, 3, 5), T]  # noqa: DTZ001
    columns = {"timestamp": times, "value": [Decimal("1.5"), 2, 3, None]}
    expected = [(T, 1.5), (T, 2), (T + 23 * 3600, 3), (T, None)]
    assert typed.rows_of(columns, source(timezone="Europe/Madrid"), "x") == expected


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(SourceError, match="the query at X: no column 'timestamp'; it has: ts, load"):
        typed.rows_of({"ts": [], "load": []}, source(), "the query at X")


# A query ------------------------------------------------------------------------------------------


@pytest.fixture
def sql(tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A series that is read by a query, whose database has two points."""
    file = tmp_path / "warehouse.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table loads (ts text, load real)")
        points = [(at(0).strftime("%Y-%m-%d %H:%M:%S"), 1), (at(0.25).strftime("%Y-%m-%d %H:%M:%S"), 2)]
        connection.executemany("insert into loads values (?, ?)", points)
    connection.close()
    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite:///{file}")
    keys = f'url = "$WAREHOUSE_URL", query = "{QUERY}", timestamp = "ts", value = "load"'
    return configure(f'{{ kind = "sql", {keys} }}')


def test_the_rows_of_a_query(sql: Path) -> None:
    assert fetched(sql) == ROWS
    assert fetched(sql, since=at(0.1)) == ROWS[1:]


def test_a_database_that_is_not_named(sql: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_URL")
    assert error_of(sql) == (
        "the query at $WAREHOUSE_URL: the environment variable WAREHOUSE_URL is not set; "
        "on GitHub it is a secret of this name"
    )


def test_a_database_that_fails_is_named_by_its_variable(sql: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://ada:s3cret@127.0.0.1:9/loads")
    message = error_of(sql)
    assert message.startswith("the query at $WAREHOUSE_URL: ")
    assert "s3cret" not in message


def test_the_url_of_a_database_stands_in_the_environment_alone(configure: Configure) -> None:
    with pytest.raises(SettingsError, match="the name of an environment variable that holds the URL") as caught:
        load_settings(configure('{ kind = "sql", url = "postgresql://ada:s3cret@db/x", query = "select 1" }'))
    assert "s3cret" not in str(caught.value)

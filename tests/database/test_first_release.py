"""A database of the first release is carried along by opening it: nothing is lost, and the views answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from actioncast.database.connection import database_url
from actioncast.database.database import Database, open_database
from actioncast.database.migrations import execute_script
from actioncast.paths import ROOT
from tests.support.rows import settings_for

FIRST_RELEASE = ROOT / "tests" / "fixtures" / "v0_1_0"
TABLES = ("reality", "predictions", "etl_runs", "training_runs", "checks", "exogenous", "series")
RENAMED = {
    "hours_loaded": "periods_loaded",
    "hours_missing": "periods_missing",
    "hours": "periods",
    "newest_hour": "newest_period",
    "scored_hours": "scored_periods",
}
RELEASED = sorted((FIRST_RELEASE / "sql").glob("*.sql"))


@pytest.fixture
def first_release(url: str) -> str:
    """DATABASE_URL of a database as the first release left it, with a few rows in every table."""
    database = Database(database_url(settings_for(url)))
    other = ".postgresql.sql" if database.is_sqlite else ".sqlite.sql"
    names = "create table schema_migrations (name text not null primary key);\n"
    with database.engine.begin() as connection:
        for path in RELEASED:
            if not path.name.endswith(other):
                execute_script(connection, path.read_text(encoding="utf-8"))
                names += f"insert into schema_migrations values ('{path.name}');\n"
        execute_script(connection, names + (FIRST_RELEASE / "rows.sql").read_text(encoding="utf-8"))
    database.close()
    return url


def rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query)).mappings()]


def test_every_row_is_there_as_it_was(first_release: str) -> None:
    queries = {table: f"select * from {table} order by 1, 2" for table in TABLES}
    database = Database(database_url(settings_for(first_release)))
    with database.engine.connect() as connection:
        before = {table: rows(connection, query) for table, query in queries.items()}
    database.close()
    assert all(before.values())
    with open_database(settings_for(first_release)) as opened, opened.engine.connect() as connection:
        for table, query in queries.items():
            after = rows(connection, query)
            assert len(after) == len(before[table])
            for old, new in zip(before[table], after, strict=True):
                renamed = {RENAMED.get(name, name): value for name, value in old.items()}
                assert renamed.items() <= new.items(), table


def test_the_views_answer(first_release: str) -> None:
    query = "select * from performance order by prediction_date"
    with open_database(settings_for(first_release)) as opened, opened.engine.connect() as connection:
        scored, open_hour = rows(connection, query)
    assert scored["model_version"] == "second", "the last forecast issued before the hour began"
    assert (scored["absolute_error"], scored["naive_error"], bool(scored["covered"])) == (3.0, 10.0, True)
    assert open_hour["reality"] is None


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.name)
def test_a_released_migration_is_never_changed(path: Path) -> None:
    """A database that has it would never see the change: add a file with the next number instead."""
    assert (ROOT / "sql" / path.name).read_bytes() == path.read_bytes()

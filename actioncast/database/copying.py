"""All rows of one database into another: for a state that somebody else has saved meanwhile, and to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database
from actioncast.database.schema import TABLES

ROWS_AT_ONCE = 500


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """A SQLite file as a migrated database."""
    database = Database(URL.create("sqlite", database=str(path)))
    try:
        database.migrate()
        yield database
    finally:
        database.engine.dispose()


def copy_rows(source: Database, target: Database) -> dict[str, int]:
    """Add all rows of `source` to `target`: table -> rows read. What is there stays, or is a fuller hour, or a column
    stated earlier."""
    return {table.name: _copy_table(source, target, table) for table in TABLES}


def _copy_table(source: Database, target: Database, table: Any) -> int:
    insert: Any = (sqlite if target.is_sqlite else postgresql).insert
    count = 0
    writing = target.engine.connect().execution_options(write=True)
    try:
        with source.engine.connect() as reader, writing as writer, writer.begin():
            for rows in reader.execute(select(table)).mappings().partitions(ROWS_AT_ONCE):
                statement = insert(table).values([dict(row) for row in rows])
                writer.execute(_on_conflict(statement, table))
                count += len(rows)
    except SQLAlchemyError as error:
        raise DatabaseError(f"{target.place}: {table.name}: {type(error).__name__}: {str(error)[:300]}") from None
    return count


def _on_conflict(statement: Any, table: Any) -> Any:
    new = statement.excluded
    if table.name == "reality":
        update, keys, better = ["value", "samples"], ["reality_date"], new.samples > table.c.samples
    elif table.name == "exogenous":
        update, keys, better = ["value"], ["name", "exogenous_date"], new.loaded_at > table.c.loaded_at
    else:
        return statement.on_conflict_do_nothing()
    changed = {name: new[name] for name in [*update, "loaded_at"]}
    return statement.on_conflict_do_update(index_elements=["series_id", *keys], set_=changed, where=better)

"""Copies all rows of one database into another: the move from SQLite to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from actioncast.database.bulk import insert_of
from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database
from actioncast.database.schema import EXOGENOUS, QUARANTINE, REALITY, TABLES

BATCH_ROWS = 500
SHOWN_CHARACTERS = 300  # of an error: it holds the whole statement


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """A SQLite file as a migrated database."""
    database = Database(URL.create("sqlite", database=str(path)))
    try:
        database.migrate()
        yield database
    finally:
        database.close()


def copy_rows(source: Database, target: Database) -> dict[str, int]:
    """Add all rows of `source` to `target`. Returns the rows read of each table.

    A row that the target has already stays, with two exceptions: an hour is replaced by one of
    more samples, and the value of an exogenous column by one that was loaded later.
    """
    return {table.name: _copy_table(source, target, table) for table in TABLES}


def _copy_table(source: Database, target: Database, table: Any) -> int:
    count = 0
    writer_connection = target.engine.connect().execution_options(write=True)
    try:
        with source.engine.connect() as reader, writer_connection as writer, writer.begin():
            for rows in reader.execute(select(table)).mappings().partitions(BATCH_ROWS):
                insert = insert_of(table, is_sqlite=target.is_sqlite)
                values = insert.values([dict(row) for row in rows])
                writer.execute(_on_conflict(values, table))
                count += len(rows)
    except SQLAlchemyError as error:
        reason = f"{type(error).__name__}: {str(error)[:SHOWN_CHARACTERS]}"
        raise DatabaseError(f"{target.address}: {table.name}: {reason}") from None
    return count


def _on_conflict(insert: Any, table: Any) -> Any:
    """The insert, with what to do about a row that is there already."""
    new = insert.excluded
    if table is REALITY:
        return insert.on_conflict_do_update(
            index_elements=["series_id", "reality_date"],
            set_={"value": new.value, "samples": new.samples, "loaded_at": new.loaded_at},
            where=new.samples > table.c.samples,
        )
    if table is EXOGENOUS:
        return insert.on_conflict_do_update(
            index_elements=["series_id", "name", "exogenous_date"],
            set_={"value": new.value, "loaded_at": new.loaded_at},
            where=new.loaded_at > table.c.loaded_at,
        )
    if table is QUARANTINE:
        return insert.on_conflict_do_update(
            index_elements=["series_id", "reality_date"],
            set_={"set_aside": new.set_aside, "reason": new.reason, "decided_at": new.decided_at},
            where=new.decided_at > table.c.decided_at,
        )
    return insert.on_conflict_do_nothing()

"""Applies the files of sql/ that a database does not have yet."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from actioncast.paths import ROOT

MIGRATIONS = ROOT / "sql"
_CREATE_LIST = "create table if not exists schema_migrations (name text not null primary key)"
_ADD_TO_LIST = text("insert into schema_migrations (name) values (:name)")
_READ_LIST = text("select name from schema_migrations")


def waiting(connection: Connection, *, is_sqlite: bool) -> list[Path]:
    """The files that were not applied yet, in their order."""
    files = _files(is_sqlite=is_sqlite)
    if not inspect(connection).has_table("schema_migrations"):
        return files
    applied = set(connection.scalars(_READ_LIST))
    return [path for path in files if path.name not in applied]


def apply(
    connection: Connection,
    *,
    is_sqlite: bool,
    only: Container[str] | None = None,
) -> list[str]:
    """Apply the waiting files and list them in `schema_migrations`. Returns their names.

    With `only` the others go on waiting.
    """
    connection.exec_driver_sql(_CREATE_LIST)
    names = []
    for path in waiting(connection, is_sqlite=is_sqlite):
        if only is not None and path.name not in only:
            continue
        execute_script(connection, path.read_text(encoding="utf-8"))
        connection.execute(_ADD_TO_LIST, {"name": path.name})
        names.append(path.name)
    return names


def execute_script(connection: Connection, script: str) -> None:
    """Execute each statement of a script. Neither driver takes several at once in a transaction.

    A statement ends in a semicolon at the end of a line.
    """
    for statement in script.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def _files(*, is_sqlite: bool) -> list[Path]:
    """NNNN_name.sql is for both kinds of database, NNNN_name.DIALECT.sql for one of them."""
    other_dialect = ".postgresql.sql" if is_sqlite else ".sqlite.sql"
    files = sorted(MIGRATIONS.glob("[0-9]*.sql"))
    return [path for path in files if not path.name.endswith(other_dialect)]

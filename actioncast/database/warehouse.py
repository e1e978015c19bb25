"""Reads the rows of a query from a database of the user's, any that SQLAlchemy has a driver for.

Only reads: the transaction is read-only where the database knows that, and is never committed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from actioncast.database.connection import CONNECT_TIMEOUT_SECONDS, DRIVERS, DatabaseError
from actioncast.redaction import masked, secret_values

SQLITE_STEPS = 10_000  # of its virtual machine, between two looks at the clock
# Times without a zone are compared in UTC, whatever zone the server stands in.
_LIMITS = text("select set_config('statement_timeout', :milliseconds, true), set_config('TimeZone', 'UTC', true)")


def read(
    address: str,
    query: str,
    moments: Mapping[str, datetime],
    *,
    timeout_seconds: float,
) -> dict[str, Sequence[Any]]:
    """The columns of a query at the URL `address`, by name. `moments` stand for :start and :end in it.

    On PostgreSQL and SQLite a query that takes longer than `timeout_seconds` is ended; others
    have limits of their own. Raises DatabaseError, which shows no password.
    """
    secrets = secret_values(address, {})
    try:
        engine = _engine(address)
        try:
            with engine.connect() as connection:
                return _columns(connection, query, moments, timeout_seconds)
        finally:
            engine.dispose()
    except DBAPIError as error:
        raise DatabaseError(masked(str(error.orig).strip(), secrets)) from None
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise DatabaseError(masked(str(error).partition("\n")[0], secrets)) from None


def _engine(address: str) -> Engine:
    """An engine for one connection."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise DatabaseError("not a URL such as postgresql://user:password@host:5432/name") from None
    backend = url.drivername
    url = url.set(drivername=DRIVERS.get(backend, backend))
    try:
        return create_engine(_read_only(url), poolclass=NullPool, connect_args=_connect_args(url))
    except (NoSuchModuleError, ModuleNotFoundError):
        remedy = "add the package of its SQLAlchemy dialect to requirements/etl.in, then `make lock`"
        raise DatabaseError(f"no driver for {backend}:// is installed; {remedy}") from None


def _read_only(url: URL) -> URL:
    """A SQLite file is opened for reading: a missing one is an error, and no new database."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    if not is_file or str(url.database).startswith("file:"):
        return url
    return url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})


def _connect_args(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "postgresql":
        return {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "actioncast"}
    return {}


def _columns(
    connection: Connection,
    query: str,
    moments: Mapping[str, datetime],
    timeout_seconds: float,
) -> dict[str, Sequence[Any]]:
    """The columns of the query, read within the time limit."""
    parameters: dict[str, object] = dict(moments)
    match connection.dialect.name:
        case "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
            milliseconds = str(round(timeout_seconds * 1000))
            connection.execute(_LIMITS, {"milliseconds": milliseconds})
        case "sqlite":
            _end_after(connection, timeout_seconds)
            parameters = {name: _sqlite_text(moment) for name, moment in moments.items()}
    result = connection.execute(text(query), parameters)
    if not result.returns_rows:
        raise DatabaseError("the query gives no rows; expected a select")
    names = list(result.keys())
    rows = result.all()
    cells = zip(*rows, strict=True) if rows else ([] for _ in names)
    return dict(zip(names, cells, strict=True))


def _end_after(connection: Connection, timeout_seconds: float) -> None:
    """Let SQLite interrupt the statements of this connection after the time limit."""
    deadline = time.monotonic() + timeout_seconds
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: int(time.monotonic() > deadline), SQLITE_STEPS)


def _sqlite_text(moment: datetime) -> str:
    """SQLite has no type for times: text as its own functions write it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

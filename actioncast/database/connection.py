"""The URL of the database, and an engine for it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from actioncast.errors import ActioncastError
from actioncast.settings import Settings, SettingsError

CONNECT_TIMEOUT_SECONDS = 10
SQLITE_WAIT_SECONDS = 30  # for another process's transaction
POOL_SIZE = 2  # connections: many small instances share one server
DRIVERS = {
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    "sqlite": "sqlite",
}
_URL_SHAPE = (
    "a URL such as postgresql://user:password@host:5432/name or sqlite:///file.db; "
    "special characters in a password must be percent-encoded (@ is %40)"
)


class DatabaseError(ActioncastError):
    """The database cannot be reached or refused a statement."""


def database_url(settings: Settings) -> URL:
    """DATABASE_URL with its driver; without it the SQLite file beside config.toml.

    Raises SettingsError for a URL that cannot be used, and never shows it: it may hold a password.
    """
    secret = settings.environment.database_url
    if secret is None:
        return URL.create("sqlite", database=str(settings.folder / "actioncast.db"))
    try:
        url = make_url(secret.get_secret_value().strip())
    except (ArgumentError, ValueError):
        raise SettingsError(f"DATABASE_URL is not {_URL_SHAPE}") from None
    # A second @ belongs to the password; shown as part of the host it would leak.
    if url.host and "@" in url.host:
        raise SettingsError(f"DATABASE_URL has more than one @; expected {_URL_SHAPE}")
    backend = url.drivername.partition("+")[0]
    if backend not in DRIVERS:
        raise SettingsError(f"DATABASE_URL: expected postgresql:// or sqlite:///, got {backend}://")
    return url.set(drivername=DRIVERS[backend])


def make_engine(url: URL) -> Engine:
    """The engine for a URL of either kind."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    return _postgresql_engine(url)


def _sqlite_engine(url: URL) -> Engine:
    """An engine in WAL mode, where reads go on beside a write.

    A write takes its lock at once, so that two of them cannot deadlock.
    """
    _make_folder(url)
    engine = create_engine(url, connect_args={"timeout": SQLITE_WAIT_SECONDS})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(url: URL) -> None:
    """Make the folder of a SQLite file."""
    if not url.database or url.database == ":memory:":
        return
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{url}: cannot make its folder: {error.strerror}") from None


def _set_pragmas(connection: Any, _record: Any) -> None:
    # Transactions begin in _begin_sqlite, not where sqlite3 guesses.
    connection.isolation_level = None
    # Locked means that another process is switching WAL on; it stays on for good.
    with suppress(sqlite3.OperationalError):
        connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("begin immediate" if write else "begin")


def _postgresql_engine(url: URL) -> Engine:
    """An engine with few connections; a dead one is replaced before it is used."""
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": "actioncast",
        },
    )

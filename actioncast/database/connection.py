"""The URL of the database and the engine behind it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from actioncast.errors import ActioncastError
from actioncast.settings import Settings, SettingsError

CONNECT_TIMEOUT_SECONDS = 10
SQLITE_WAIT_SECONDS = 30  # for another process's transaction


class DatabaseError(ActioncastError):
    """The database cannot be reached or refused a statement."""


_DRIVERS = {"postgresql": "postgresql+psycopg2", "postgres": "postgresql+psycopg2", "sqlite": "sqlite"}
_URL_SHAPE = (
    "a URL such as postgresql://user:password@host:5432/name or sqlite:///file.db; "
    "special characters in a password must be percent-encoded (@ is %40)"
)


def database_url(settings: Settings) -> URL:
    """DATABASE_URL with psycopg2 selected, or the SQLite file beside config.toml."""
    secret = settings.environment.database_url
    if secret is None:
        return URL.create("sqlite", database=str(settings.folder / "actioncast.db"))
    try:
        url = make_url(secret.get_secret_value().strip())
    except (ArgumentError, ValueError):
        raise SettingsError(f"DATABASE_URL is not {_URL_SHAPE}") from None
    if url.host and "@" in url.host:  # the end of a password; shown as part of the host it would leak
        raise SettingsError(f"DATABASE_URL has more than one @; expected {_URL_SHAPE}")
    backend = url.drivername.partition("+")[0]
    if backend not in _DRIVERS:
        raise SettingsError(f"DATABASE_URL: expected postgresql:// or sqlite:///, got {backend}://")
    return url.set(drivername=_DRIVERS[backend])


def sqlite_engine(url: URL) -> Engine:
    """WAL, so that reads go on beside a write; a write takes its lock at once, so that two cannot deadlock."""
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(f"{url}: cannot make its folder: {error.strerror}") from None
    engine = create_engine(url, connect_args={"timeout": SQLITE_WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        with suppress(sqlite3.OperationalError):  # locked: another process is switching it on, for good
            connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("begin immediate" if write else "begin")

    return engine


def postgresql_engine(url: URL) -> Engine:
    """Few connections: many small instances share one server. Dead ones are replaced before use."""
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "actioncast"},
    )

"""Transactions on one engine, with errors that name the database and never show a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from actioncast.database.connection import DatabaseError, make_engine
from actioncast.database.schema import Row

_LOCK = text("select pg_advisory_xact_lock(hashtext(:name))")


class Transactions:
    """What every group of tables needs: an engine, transactions, and reads of rows."""

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        # For messages, without the query: libpq takes a password there too.
        self.address = url.set(query={}).render_as_string(hide_password=True)
        self.engine = make_engine(url)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        """One transaction. Raises DatabaseError for whatever the database or its driver refuses."""
        try:
            with (
                self.engine.connect().execution_options(write=write) as connection,
                connection.begin(),
            ):
                yield connection
        except DBAPIError as error:
            # Without the statement's parameters: thousands of rows help nobody.
            raise DatabaseError(f"{self.address}: {str(error.orig).strip()}") from error
        except SQLAlchemyError as error:
            raise DatabaseError(f"{self.address}: {type(error).__name__}: {error}") from error

    def _lock(self, connection: Connection, name: str) -> None:
        """Wait for other transactions of this name. SQLite has one writer at a time anyway."""
        if not self.is_sqlite:
            connection.execute(_LOCK, {"name": f"actioncast.{name}"})

    def _rows(self, query: Any) -> list[Row]:
        """All rows of a query, by column."""
        with self._transaction(write=False) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _moment(self, query: Any) -> datetime | None:
        """The single moment that a query asks for; None where there is none."""
        with self._transaction(write=False) as connection:
            moment: datetime | None = connection.scalar(query)
        return moment

    # for rehearsals of failures -------------------------------------------------------------------

    @contextmanager
    def before_each_transaction(self, action: Callable[[], None]) -> Iterator[None]:
        """Call `action` at the begin of each transaction, of any thread; it may raise."""
        with self._calling(action, "begin"):
            yield

    @contextmanager
    def before_each_statement(self, action: Callable[[], None]) -> Iterator[None]:
        """Call `action` before each statement and each commit, of any thread; it may raise."""
        with self._calling(action, "before_cursor_execute", "commit"):
            yield

    @contextmanager
    def _calling(self, action: Callable[[], None], *events: str) -> Iterator[None]:
        def listener(*_: object) -> None:
            action()

        for name in events:
            event.listen(self.engine, name, listener)
        try:
            yield
        finally:
            for name in events:
                event.remove(self.engine, name, listener)

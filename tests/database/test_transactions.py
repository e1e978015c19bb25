"""What happens before a statement or a transaction can be observed and stopped, as rehearsals do."""

from __future__ import annotations

import pytest

from actioncast.database.database import Database
from tests.support.clock import at
from tests.support.rows import hours, load, stored


class StoppedError(Exception):
    """Raised before a statement or a transaction."""


def stop() -> None:
    raise StoppedError


def test_an_action_before_each_statement_sees_the_commit_too(database: Database) -> None:
    calls: list[str] = []
    with database.before_each_statement(lambda: calls.append("statement or commit")):
        database.last_period("a")
    database.last_period("a")
    assert len(calls) == (3 if database.is_sqlite else 2)  # the begin of SQLite is a statement


def test_an_action_that_raises_stops_the_statement_and_nothing_is_stored(database: Database) -> None:
    with database.before_each_statement(stop), pytest.raises(StoppedError):
        load(database, hours(1))
    assert stored(database) == []


def test_an_action_that_raises_before_a_transaction_stops_it(database: Database) -> None:
    load(database, hours(1))
    with database.before_each_transaction(stop), pytest.raises(StoppedError):
        database.last_period("a")
    assert database.last_period("a") == at(0)

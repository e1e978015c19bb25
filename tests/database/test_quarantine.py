from __future__ import annotations

import pytest

from actioncast.database.database import Database
from actioncast.periods.timeline import UTC_HOURS
from tests.support.clock import at
from tests.support.rows import hours, load, run_row, stored, vintage


@pytest.fixture
def loaded(database: Database) -> Database:
    """Four hours, loaded at nine o'clock."""
    load(database, hours(1, 2, 3, 4))
    return database


def test_hours_that_are_set_aside_are_stored_and_missing_to_those_who_learn(loaded: Database) -> None:
    loaded.set_aside("a", [at(1), at(2)], reason="zeros", decided_at=at(9))
    assert loaded.quarantined("a", since=at(0)) == {at(1): "zeros", at(2): "zeros"}
    assert stored(loaded)[0::3] == [1, 4]
    everything = loaded.reality("a", until=at(9), newest=9, timeline=UTC_HOURS, quarantined=True)
    assert everything is not None
    assert everything.values.tolist() == [1, 2, 3, 4]


def test_newest_hours_that_are_set_aside_end_the_history_before_them(loaded: Database) -> None:
    loaded.set_aside("a", [at(2), at(3)], reason="stuck", decided_at=at(9))
    assert stored(loaded) == [1, 2]
    loaded.store_vintage(vintage(2, 5, 6))
    assert loaded.issued_vintage("a", at(2), UTC_HOURS).last_period == at(1)


def test_a_released_hour_counts_and_no_load_sets_it_aside_again(loaded: Database) -> None:
    loaded.set_aside("a", [at(1)], reason="zeros", decided_at=at(9))
    assert loaded.decide("a", first=at(0), last=at(1), set_aside=False, decided_at=at(10)) == 2
    loaded.set_aside("a", [at(1)], reason="zeros", decided_at=at(11))
    assert loaded.quarantined("a", since=at(0)) == {}
    assert stored(loaded) == [1, 2, 3, 4]


def test_a_person_sets_stored_hours_aside_and_no_others(loaded: Database) -> None:
    assert loaded.decide("a", first=at(3), last=at(7), set_aside=True, decided_at=at(9)) == 1
    assert loaded.quarantined("a", since=at(0)) == {at(3): "by hand"}
    assert loaded.decide("other", first=at(3), last=at(7), set_aside=True, decided_at=at(9)) == 0


def test_a_value_that_the_source_corrects_counts_again(loaded: Database) -> None:
    loaded.set_aside("a", [at(1)], reason="zeros", decided_at=at(9))
    loaded.load_periods("a", hours(1, 20, 3, 4), at(10), run_row("second"))
    assert stored(loaded) == [1, 20, 3, 4]
    loaded.set_aside("a", [at(1)], reason="zeros", decided_at=at(10))
    assert loaded.quarantined("a", since=at(0)) == {at(1): "zeros"}


def test_hours_of_other_series_are_not_concerned(loaded: Database) -> None:
    load(loaded, hours(7, 8), series_id="b", run_id="b")
    loaded.set_aside("a", [at(0), at(1)], reason="zeros", decided_at=at(9))
    assert stored(loaded, "b") == [7, 8]

"""Old vintages lose the forecasts that were superseded, and no score changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actioncast.database import copying
from actioncast.database.state import thinning
from tests.support.clock import MIDNIGHT, at
from tests.support.rows import hours, load, vintage

LONG_AGO = -24 * 100  # hours before the tests' day: November 2021


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Vintages of 24 hours every 6 hours, old ones and new ones; one was issued after its hours began."""
    path = tmp_path / "stored.db"
    with copying.opened(path) as database:
        for first in (LONG_AGO, -48):
            load(database, hours(*range(60), start=first), run_id=str(first))
            for issued in range(0, 30, 6):
                values = [float(issued + lead) for lead in range(24)]
                database.store_vintage(vintage(first + issued, *values))
            late = [{**row, "issued_at": at(first + 40)} for row in vintage(first + 1, *[5.0] * 24)]
            database.store_vintage(late)
    return path


def scores(path: Path) -> list[dict[str, Any]]:
    with copying.opened(path) as database:
        return database.performance("a", since=at(LONG_AGO * 2), until=at(1000))


def leads(path: Path, since: float) -> list[int]:
    """How many vintages are left of each lead."""
    with copying.opened(path) as database:
        rows = database.error_by_lead("a", since=at(since), until=at(since + 60))
    return [row["periods"] for row in rows]


def test_the_score_of_every_hour_stays(path: Path) -> None:
    before = scores(path)
    assert thinning.thin(path, MIDNIGHT, 60) == 6 * 24 - 48
    assert scores(path) == before
    assert len(before) == 2 * 48


def test_newer_vintages_stay_whole(path: Path) -> None:
    before = leads(path, -48)
    thinning.thin(path, MIDNIGHT, 60)
    assert leads(path, -48) == before
    assert leads(path, LONG_AGO)[:7] == [5, 5, 5, 5, 5, 5, 1]


def test_a_month_is_thinned_when_all_of_it_is_old_enough_and_once(path: Path) -> None:
    assert thinning.thin(path, MIDNIGHT, 94) == 0, "94 days ago was the 30th of November"
    assert thinning.thin(path, MIDNIGHT, 93) == 96
    assert thinning.thin(path, MIDNIGHT, 93) == 0


def test_zero_days_keep_all(path: Path) -> None:
    assert thinning.thin(path, MIDNIGHT, 0) == 0


def test_a_file_without_tables_has_nothing_to_thin(tmp_path: Path) -> None:
    assert thinning.thin(tmp_path / "empty.db", MIDNIGHT, 60) == 0

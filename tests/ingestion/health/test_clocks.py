from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from actioncast.ingestion.health import clocks, look
from actioncast.periods.grid import Grid

DAY = 24
SPRING = datetime(2026, 3, 29, 1, tzinfo=UTC)  # the clocks of Europe
START = datetime(2026, 2, 1, tzinfo=UTC)
SPRING_INDEX = (SPRING - START) // timedelta(hours=1)


def european(days: int) -> Grid:
    """A series of people in Europe: from spring on their days begin one hour earlier in UTC."""
    hour = np.arange(days * DAY)
    hour[SPRING_INDEX:] += 1
    shape = np.sin(2 * np.pi * hour / DAY) + 0.5 * np.sin(4 * np.pi * hour / DAY)
    return Grid(START, 100 + 20 * shape + np.random.default_rng(0).normal(0, 0.5, len(hour)))


@pytest.mark.parametrize(
    ("zone", "moment", "hours"),
    [
        ("Europe", SPRING, -1),
        ("Europe", datetime(2026, 10, 25, 1, tzinfo=UTC), 1),
        ("North America", datetime(2026, 11, 1, 6, tzinfo=UTC), 1),
    ],
)
def test_the_hour_of_a_clock_change_is_known(zone: str, moment: datetime, hours: int) -> None:
    changes = clocks.changes(zone, moment - timedelta(days=3), moment + timedelta(days=3))
    assert changes == [clocks.Change(zone, moment, hours)]


def test_days_that_follow_the_clocks_of_europe_are_a_hint_and_no_finding() -> None:
    history = european(80)
    assert clocks.hints(history) == [
        "the daily profile moved by one hour at 1 of 1 clock changes of Europe: people's days there, in UTC"
    ]
    assert look.whole(history) == []


def test_the_same_shift_at_another_time_is_a_finding() -> None:
    history = european(80)
    later = Grid(START + timedelta(days=30), history.values)
    assert [finding.kind for finding in look.whole(later)] == ["shift by one hour"]


def test_a_series_that_no_clock_moves_gives_no_hint() -> None:
    values = 100 + 20 * np.sin(2 * np.pi * np.arange(80 * DAY) / DAY)
    assert clocks.hints(Grid(START, values)) == []

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from actioncast.ingestion.health import look
from actioncast.periods.timeline import UTC_HOURS
from tests.support.series import START, grid, seasonal

DAY = 24
WEEK = 168


def test_ordinary_series_are_healthy() -> None:
    for seed in range(4):
        assert look.whole(grid(seasonal(10 * WEEK, seed=seed))) == []


def test_a_lie_of_long_ago_is_found_once_with_its_hours() -> None:
    values = seasonal(20 * WEEK)
    values[6 * WEEK : 6 * WEEK + 30] = 0
    (finding,) = look.whole(grid(values))
    assert finding.kind == "zeros"
    assert finding.first == START + timedelta(weeks=6)
    assert finding.periods == 30


def test_a_look_at_the_newest_hours_says_nothing_of_older_ones() -> None:
    values = seasonal(6 * WEEK)
    values[5 * WEEK : 5 * WEEK + 12] = 0
    assert look.newest(grid(values)) == []


def test_a_run_that_goes_on_is_one_finding() -> None:
    values = seasonal(8 * WEEK)
    values[5 * WEEK - 30 : 5 * WEEK + 30] = 77.7
    (finding,) = look.whole(grid(values))
    assert (finding.kind, finding.periods) == ("stuck", 60)


def test_zeros_are_named_as_zeros_alone() -> None:
    values = np.append(seasonal(5 * WEEK), np.zeros(DAY))
    assert [finding.kind for finding in look.newest(grid(values))] == ["zeros"]


def test_an_empty_week_is_no_error() -> None:
    values = seasonal(8 * WEEK)
    values[2 * WEEK : 4 * WEEK] = np.nan
    assert [finding.kind for finding in look.whole(grid(values))] == ["gap"]


def test_of_strong_evidence_one_day_at_most_is_set_aside() -> None:
    values = np.append(seasonal(5 * WEEK), np.zeros(10))
    (finding,) = look.newest(grid(values))
    assert look.periods_to_set_aside(finding, UTC_HOURS) == [
        START + timedelta(weeks=5, hours=number) for number in range(10)
    ]
    longer = replace(finding, periods=210)
    assert len(look.periods_to_set_aside(longer, UTC_HOURS)) == 24


def test_weak_evidence_sets_nothing_aside() -> None:
    values = seasonal(5 * WEEK)
    values[-DAY:] *= 3.6
    (finding,) = look.newest(grid(values))
    assert finding.kind == "unit"
    assert look.periods_to_set_aside(finding, UTC_HOURS) == []


def test_a_level_that_doubles_is_followed() -> None:
    values = seasonal(6 * WEEK)
    values[-60:] *= 2
    assert look.newest(grid(values)) == []

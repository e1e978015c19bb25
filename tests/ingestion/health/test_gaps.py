from __future__ import annotations

from datetime import timedelta

import numpy as np

from actioncast.ingestion.health import gaps
from tests.support.series import START, grid, seasonal

DAY = 24


def test_a_day_without_hours_is_named_with_the_longest_gap_before() -> None:
    values = seasonal(20 * DAY)
    values[50:75] = np.nan
    values[200:240] = np.nan
    (suspicion,) = gaps.gaps(values, 100)
    assert (suspicion.first, suspicion.last) == (200, 239)
    assert suspicion.evidence == "40 hours are missing; the longest before had 25"


def test_a_short_gap_is_worth_no_word() -> None:
    values = seasonal(20 * DAY)
    values[200:210] = np.nan
    assert gaps.gaps(values, 100) == []


def test_an_hour_of_the_day_that_never_comes_is_named() -> None:
    values = seasonal(28 * DAY)
    values[3::DAY] = np.nan
    (suspicion,) = gaps.repeating(values, 27 * DAY)
    assert suspicion.evidence == "1 of the 24 hours of the day are missing on 100% of 28 days"


def test_a_few_missing_hours_are_no_pattern() -> None:
    values = seasonal(28 * DAY)
    values[3 : 5 * DAY : DAY] = np.nan
    assert gaps.repeating(values, 27 * DAY) == []


def test_a_value_every_third_hour_is_another_frequency() -> None:
    values = np.full(28 * DAY, np.nan)
    values[::3] = 1
    (suspicion,) = gaps.frequency(values, 27 * DAY)
    assert suspicion.evidence == "values come every 3 hours"
    assert gaps.repeating(values, 27 * DAY) == []


def test_hours_that_are_not_over_are_in_the_future() -> None:
    history = grid(seasonal(10))
    (finding,) = gaps.future(history, START + timedelta(hours=8, minutes=30))
    assert finding.first == START + timedelta(hours=8)
    assert finding.periods == 2
    assert gaps.future(history, START + timedelta(hours=10)) == []


def test_a_source_that_went_silent_is_named_with_its_age() -> None:
    history = grid(seasonal(10))
    (finding,) = gaps.silent(history, START + timedelta(hours=30), timedelta(hours=12))
    assert finding.evidence == "no hour came for 20 h; 12 h are allowed"
    assert gaps.silent(history, START + timedelta(hours=20), timedelta(hours=12)) == []

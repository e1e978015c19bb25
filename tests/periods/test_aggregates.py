"""What the points of an hour make of it, on frames small enough to compute by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from actioncast.periods.aggregates import Aggregate, Stamps, aggregated
from actioncast.times import HOUR

NO_VALUE = float("nan")
Periods = dict[float, tuple[float, int]]  # hour -> (value, samples)


def hours_of(
    kind: Aggregate,
    points: Mapping[float, float],
    minimum_points: int = 1,
    stamps: Stamps = "start",
) -> Periods:
    """What points at these hours make, such as {0.25: 7} for 7 at a quarter past midnight."""
    times = np.array([round(moment * HOUR) for moment in points], dtype=np.int64)
    values = np.array(list(points.values()), dtype=np.float64)
    found = aggregated(kind, times, values, minimum_points=minimum_points, stamps=stamps)
    rows = zip(found.starts / HOUR, found.values, found.samples, strict=True)
    return {float(start): (round(float(value), 6), int(samples)) for start, value, samples in rows}


QUARTERS = {0.0: 1.0, 0.25: 2.0, 0.5: 3.0, 0.75: 6.0, 1.0: 10.0}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mean", {0: (3, 4), 1: (10, 1)}),
        ("sum", {0: (12, 4), 1: (10, 1)}),
        ("last", {0: (6, 4), 1: (10, 1)}),
    ],
)
def test_points_of_an_hour_become_one_value(kind: Aggregate, expected: Periods) -> None:
    assert hours_of(kind, QUARTERS) == expected


@pytest.mark.parametrize("kind", ["mean", "sum", "last"])
def test_an_hour_of_too_few_points_is_missing(kind: Aggregate) -> None:
    assert list(hours_of(kind, QUARTERS, minimum_points=4)) == [0]


def test_a_stamp_at_the_end_of_its_period_belongs_to_the_hour_before() -> None:
    ends = {0.25: 1.0, 0.5: 2.0, 0.75: 3.0, 1.0: 6.0, 1.25: 10.0}
    assert hours_of("mean", ends, stamps="end") == {0: (3, 4), 1: (10, 1)}
    assert hours_of("mean", {1.0: 7.0, 24.0: 8.0}, stamps="end") == {0: (7, 1), 23: (8, 1)}


# Changes of state -------------------------------------------------------------------------------------------------


def test_a_state_counts_as_long_as_it_holds() -> None:
    """An hour at 60 W but for six minutes at 1,500 W; nobody knows yet how the next one ends."""
    assert hours_of("time_weighted", {0: 60, 0.5: 1500, 0.6: 60, 1.0: 80, 1.5: 90}) == {0: (204, 3)}


def test_a_state_without_a_change_holds_through_the_hours() -> None:
    assert hours_of("time_weighted", {0: 5, 3.5: 7, 4: 7}) == {0: (5, 1), 1: (5, 0), 2: (5, 0), 3: (6, 1)}


def test_an_hour_whose_begin_has_no_state_is_missing() -> None:
    assert hours_of("time_weighted", {0.5: 5, 2: 7}) == {1: (5, 0)}


def test_the_first_seconds_may_be_without_a_state() -> None:
    assert hours_of("time_weighted", {12 / HOUR: 5, 1: 7}) == {0: (5, 1)}


def test_a_row_without_a_value_ends_the_state() -> None:
    """The device was away from 1:00 to 2:00; the three minutes at 2:30 are left out of the mean."""
    points = {0: 5, 1: NO_VALUE, 2: 8, 2.5: NO_VALUE, 2.55: 8, 3: 8}
    assert hours_of("time_weighted", points) == {0: (5, 1), 2: (8, 2)}


def test_a_week_without_a_row_is_an_outage() -> None:
    assert hours_of("time_weighted", {0: 5, 24 * 7 + 1: 6, 24 * 7 + 2: 6}) == {24 * 7 + 1: (6, 1)}


# Counters ---------------------------------------------------------------------------------------------------------


def test_an_hour_of_a_counter_is_its_rise() -> None:
    assert hours_of("counter", {0: 100, 1: 103, 2: 103, 3: 110}) == {0: (3, 1), 1: (0, 1), 2: (7, 1)}


def test_readings_inside_the_hour_change_nothing() -> None:
    assert hours_of("counter", {0: 100, 0.25: 101, 0.75: 101, 1: 103}) == {0: (3, 3)}


def test_a_restart_inside_an_hour_makes_that_hour_missing() -> None:
    points = {0: 100, 1: 103, 1.25: 104, 1.5: 1, 2: 2, 3: 6}
    assert hours_of("counter", points) == {0: (3, 1), 2: (4, 1)}


def test_a_restart_between_hourly_readings_makes_one_hour_missing() -> None:
    assert hours_of("counter", {0: 100, 1: 103, 2: 2, 3: 6}) == {0: (3, 1), 2: (4, 1)}


def test_the_rise_over_a_gap_belongs_to_no_hour() -> None:
    assert hours_of("counter", {0: 100, 1: 103, 4: 130, 5: 131}) == {0: (3, 1), 4: (1, 1)}


def test_between_close_readings_the_rise_is_even() -> None:
    points = {-0.1: 98, 0.1: 100, 0.5: 104, 0.9: 108, 1.1: 110}
    assert hours_of("counter", points) == {0: (10, 3)}


def test_a_restart_beside_the_full_hour_makes_both_hours_missing() -> None:
    points = {0: 100, 0.9: 109, 1.1: 1, 2: 10, 3: 20}
    assert hours_of("counter", points) == {2: (10, 1)}


def test_a_reading_some_seconds_beside_the_full_hour_is_its_own() -> None:
    points = {0 + 5 / HOUR: 100, 1 + 20 / HOUR: 103, 2 - 3 / HOUR: 107}
    assert hours_of("counter", points) == {0: (3, 1), 1: (4, 2)}


def test_distant_readings_beside_the_full_hour_tell_nothing() -> None:
    assert hours_of("counter", {0.5: 100, 1.5: 103, 2.5: 107}) == {}


@pytest.mark.parametrize("kind", ["mean", "sum", "last", "time_weighted", "counter"])
def test_no_point_makes_no_hour(kind: Aggregate) -> None:
    assert hours_of(kind, {}) == {}


@pytest.mark.parametrize("kind", ["time_weighted", "counter"])
def test_a_single_row_makes_no_hour(kind: Aggregate) -> None:
    assert hours_of(kind, {0.0: 5}) == {}

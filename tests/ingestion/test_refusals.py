"""Answers that are refused as a whole, each with its cause and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from actioncast.ingestion import refusals
from actioncast.ingestion.documents import SourceError
from actioncast.periods.points import DataError, Points, check_points, read_points
from actioncast.times import HOUR, to_seconds
from tests.support.clock import MIDNIGHT, at

T = to_seconds(MIDNIGHT)


def points(values: dict[float, float]) -> Points:
    """A value at each of these hours after midnight."""
    times = T + np.array([round(hour * HOUR) for hour in values], dtype=np.int64)
    return Points(times, np.array(list(values.values()), dtype=np.float64))


def test_an_answer_without_a_usable_point_says_what_it_holds_instead() -> None:
    read, _ = read_points([(T, None), (T + HOUR, None), (T + 9 * HOUR, 7.5), (T, -1.0)])
    checked = check_points(read, at(2), 0)
    with pytest.raises(SourceError) as caught:
        refusals.refuse_nothing(checked, at(2), "prices")
    assert str(caught.value) == (
        "prices: no usable point up to 2022-03-04T02:00:00Z: 2 without a value (e.g. 2022-03-04T00:00:00Z = nothing), "
        "1 later than that (e.g. 2022-03-04T09:00:00Z = 7.5), 1 rejected: 1 x the value is below minimum_value = 0 "
        "(e.g. 2022-03-04T00:00:00Z = -1); nothing was loaded"
    )


def test_two_values_for_one_moment_name_the_ways_out() -> None:
    read, _ = read_points([(T, 1.0), (T, 2.0), (T + HOUR, 3.0)])
    rejections = check_points(read, at(2), None).rejections
    with pytest.raises(DataError, match=r"1 moment comes .* 2022-03-04T00:00:00Z with 1 and 2; .*revisions = \"last\""):
        refusals.refuse_contradictions(rejections, "log")


@pytest.mark.parametrize(
    ("offset", "minutes", "per_hour"),
    [(0.5, 30, 2), (0.25, 15, 4), (0.75, 45, 4)],  # Kolkata, Kathmandu, Eucla
)
def test_hourly_points_of_a_clock_beside_the_full_hours_are_refused(offset: float, minutes: int, per_hour: int) -> None:
    beside = points({hour + offset: 1.0 for hour in range(24)})
    expected = f"all 24 points lie {minutes} minutes after the full hour.* points_per_period = {per_hour}"
    with pytest.raises(DataError, match=expected):
        refusals.refuse_half_hours(beside, "load")


def test_a_clock_that_moves_by_half_an_hour_in_summer_is_refused_too() -> None:
    lord_howe = points({hour + (0.5 if hour < 12 else 0): 1.0 for hour in range(24)})
    with pytest.raises(DataError, match="12 of 24 points lie 30 minutes after"):
        refusals.refuse_half_hours(lord_howe, "load")


@pytest.mark.parametrize("offset", [0, 0.01, 0.1])
def test_other_hourly_points_are_not(offset: float) -> None:
    refusals.refuse_half_hours(points({hour + offset: 1.0 for hour in range(24)}), "load")


def test_half_hourly_points_are_not() -> None:
    refusals.refuse_half_hours(points({hour / 2: 1.0 for hour in range(24)}), "load")


def test_readings_that_fall_again_and_again_are_no_counter() -> None:
    with pytest.raises(DataError, match="3 of 8 readings are lower than the one before"):
        refusals.refuse_no_counter(points(dict(enumerate([5, 9, 6, 9, 7, 9, 8, 9]))), "meter")


def test_readings_beside_the_full_hour_tell_no_hour() -> None:
    with pytest.raises(DataError, match="readings lie 60 minutes apart and 30 minutes beside the full hour"):
        refusals.refuse_no_counter(points({hour + 0.5: hour for hour in range(9)}), "meter")


@pytest.mark.parametrize("step", [1, 0.25, 0.1])
def test_readings_at_the_full_hour_or_close_together_do(step: float) -> None:
    refusals.refuse_no_counter(points({index * step: index for index in range(24)}), "meter")

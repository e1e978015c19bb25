from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actioncast.periods.grid import Periods, missing_periods, to_grid, to_periods
from actioncast.periods.points import (
    CONTRADICTION,
    DataError,
    Points,
    Rejection,
    check_points,
    describe,
    read_points,
    refuse_too_many,
)
from actioncast.periods.timeline import UTC_HOURS
from actioncast.times import HOUR, floor_hour, from_seconds, isoformat, to_seconds
from tests.support.clock import MIDNIGHT, at
from tests.support.source import quarters

Rows = list[tuple[object, object]]


def checked(
    rows: Rows, now: datetime, minimum_value: float | None = 0, *, last_wins: bool = False
) -> tuple[list[tuple[int, float]], list[str]]:
    """What read_points and check_points leave, and the reasons for what they rejected."""
    points, unreadable = read_points(rows)
    result = check_points(points, now, minimum_value, last_wins=last_wins)
    reasons = [rejection.reason for rejection in unreadable + result.rejections]
    return pairs_of(result.points), reasons


def pairs_of(points: Points) -> list[tuple[int, float]]:
    return list(zip(points.times.tolist(), points.values.tolist(), strict=True))


def hours_of(
    points: list[tuple[int, float]], now: datetime, since: datetime | None = None, scale: float = 1
) -> dict[str, tuple[float, int]]:
    """Hour -> (value, samples), with at least 3 points an hour."""
    read, _ = read_points([*points])
    hours = to_periods(read, minimum_points=3, scale=scale, since=since, now=now)
    columns = zip(hours.starts, hours.values, hours.samples, strict=True)
    return {f"{from_seconds(s):%H:%M}": (float(v), int(n)) for s, v, n in columns}


# Periods ------------------------------------------------------------------------------------------------------------


def test_an_hour_is_scale_times_the_mean_of_its_points() -> None:
    assert hours_of(quarters(1, 2, 3, 6), at(1), scale=3600) == {"00:00": (10800, 4)}


def test_points_belong_to_the_hour_that_holds_them_and_not_to_the_nearest() -> None:
    hours = hours_of(quarters(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), at(3))
    assert hours == {"00:00": (1, 4), "01:00": (2, 4), "02:00": (3, 4)}


def test_three_of_four_points_make_an_hour_and_two_do_not() -> None:
    assert hours_of(quarters(1, None, 2, 3, 4, None, None, 5), at(2)) == {"00:00": (2, 3)}


def test_the_open_hour_is_left_out_even_with_all_its_points() -> None:
    points = quarters(1, 1, 1, 1, 2, 2, 2, 2)
    assert hours_of(points, at(2) - timedelta(seconds=1)) == {"00:00": (1, 4)}
    assert hours_of(points, at(2)) == {"00:00": (1, 4), "01:00": (2, 4)}


def test_the_hour_before_since_is_left_out() -> None:
    points = quarters(9, 9, 9, 2, 2, 2, 2, start=0.25)  # the answer begins inside the hour
    assert hours_of(points, at(2), since=at(1)) == {"01:00": (2, 4)}


def test_no_point_makes_no_hour() -> None:
    assert hours_of([], at(1)) == {}


def test_an_hour_holds_the_value_that_is_its_own_start() -> None:
    points = [(t, float(t // HOUR)) for t, _ in quarters(*[1.0] * 4 * 72)]
    read, _ = read_points([*points])
    hours = to_periods(read, minimum_points=3, scale=1, since=None, now=at(72))
    assert (hours.values == hours.starts / HOUR).all()
    assert len(hours) == 72


@given(
    times=st.lists(st.integers(0, 12 * HOUR), unique=True, max_size=60),
    minimum=st.integers(1, 4),
    since=st.none() | st.integers(0, 12),
    now=st.integers(0, 13 * HOUR),
)
def test_to_hours_agrees_with_a_plain_loop(times: list[int], minimum: int, since: int | None, now: int) -> None:
    times.sort()
    values = [float(t % 97) for t in times]
    expected: dict[int, list[float]] = defaultdict(list)
    for time, value in zip(times, values, strict=True):
        expected[time - time % HOUR].append(value)
    complete = {
        start: sum(held) / len(held)
        for start, held in expected.items()
        if len(held) >= minimum and start + HOUR <= now and (since is None or start >= since * HOUR)
    }
    hours = to_periods(
        Points(np.array(times, dtype=np.int64), np.array(values)),
        minimum_points=minimum,
        scale=1,
        since=None if since is None else from_seconds(since * HOUR),
        now=from_seconds(now),
    )
    assert hours.starts.tolist() == sorted(complete)
    assert hours.values.tolist() == pytest.approx([complete[start] for start in sorted(complete)])
    assert hours.samples.tolist() == [len(expected[start]) for start in sorted(complete)]


def test_missing_hours_are_counted_between_the_first_and_the_last() -> None:
    starts = np.array([0, 1, 4, 6]) * HOUR
    assert missing_periods(Periods(starts, np.ones(4), np.ones(4, dtype=np.int64)), UTC_HOURS) == 3
    assert missing_periods(Periods(starts[:0], np.ones(0), np.ones(0, dtype=np.int64)), UTC_HOURS) == 0


def test_a_grid_is_nan_where_an_hour_is_missing() -> None:
    grid = to_grid(to_seconds(MIDNIGHT) + np.array([0, 1, 3]) * HOUR, np.array([1.0, 2.0, 4.0]))
    np.testing.assert_array_equal(grid.values, [1, 2, np.nan, 4])
    assert (grid.start, grid.end, len(grid)) == (at(0), at(3), 4)


def test_a_grid_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one hour, got none"):
        to_grid(np.zeros(0, dtype=np.int64), np.zeros(0))


# What is rejected -------------------------------------------------------------------------------------------------

T = to_seconds(MIDNIGHT)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ((T + 60, -0.1), "the value is below minimum_value = 0"),
        ((T + 60, float("inf")), "the value is not finite"),
        ((T + 60, "12 %"), "Input should be a valid number, unable to parse string as a number"),
        ((T + 60, 10**400), "Input should be a valid number"),
        ((None, 1.0), "Input should be a valid number"),
        (("2022-02-31", 1.0), "Input should be a valid number, unable to parse string as a number"),
        ((-1, 1.0), "the time is before 1970 or no number"),
        ((float("nan"), 1.0), "the time is before 1970 or no number"),
        ((float("-inf"), 1.0), "the time is before 1970 or no number"),
        ((1e300, 1.0), "the time looks like milliseconds, expected unix seconds"),
        (((T + 60) * 1000, 1.0), "the time looks like milliseconds, expected unix seconds"),
    ],
)
def test_a_point_that_cannot_be_true_is_rejected(bad: tuple[object, object], reason: str) -> None:
    pairs, reasons = checked([(T, 1.0), bad, (T + 900, 2.0)], at(1))
    assert pairs == [(T, 1.0), (T + 900, 2.0)]
    assert reasons == [reason]


@pytest.mark.parametrize("nothing", [None, float("nan"), "", "-", "NaN", " n/a "])
def test_a_row_without_a_value_is_neither_good_nor_bad(nothing: object) -> None:
    points, unreadable = read_points([(T, 1.0), (T + 900, nothing), (T + 1800, 2.0)])
    result = check_points(points, at(1), None)
    assert pairs_of(result.points) == [(T, 1.0), (T + 1800, 2.0)]
    assert result.without_value.times.tolist() == [T + 900]
    assert unreadable + result.rejections == []


def test_an_empty_row_is_nothing_either() -> None:
    assert checked([(T, 1.0), (None, None), ("", "")], at(1)) == ([(T, 1.0)], [])


def test_one_row_of_a_fast_clock_waits_and_rejects_no_other() -> None:
    points, _ = read_points([(T, 1.0), (T + 7200, 9.0), (T + 900, 2.0)])
    result = check_points(points, at(1), None)
    assert pairs_of(result.points) == [(T, 1.0), (T + 900, 2.0)]
    assert pairs_of(result.ahead) == [(T + 7200, 9.0)]
    assert result.rejections == []


def test_points_are_sorted_by_time() -> None:
    rows: Rows = [(T + 900, 2.0), (T, 1.0), (T + 1800, 3.0)]
    assert checked(rows, at(1))[0] == [(T, 1.0), (T + 900, 2.0), (T + 1800, 3.0)]


def test_the_later_row_of_a_time_counts_where_the_source_says_so() -> None:
    rows: Rows = [(T + 900, 2.0), (T, 1.0), (T, 1.5), (T + 900, 2.5)]
    assert checked(rows, at(1), last_wins=True) == ([(T, 1.5), (T + 900, 2.5)], [])


def test_within_a_second_the_clock_decides_which_row_is_the_later_one() -> None:
    assert checked([(T + 0.9, 2.0), (T + 0.1, 1.0)], at(1), last_wins=True) == ([(T, 2.0)], [])


def test_a_time_with_two_values_is_rejected_as_a_whole() -> None:
    pairs, reasons = checked([(T, 1.0), (T, 1.5), (T + 900, 2.0)], at(1))
    assert pairs == [(T + 900, 2.0)]
    assert reasons == [CONTRADICTION] * 2


def test_a_point_repeated_with_the_same_value_is_read_once() -> None:
    assert checked([(T, 1.0), (T, 1.0), (T + 900, 2.0)], at(1)) == ([(T, 1.0), (T + 900, 2.0)], [])


def test_numbers_in_text_are_numbers() -> None:
    assert checked([(str(T), "1.5")], at(1)) == ([(T, 1.5)], [])


def test_a_fraction_of_a_second_belongs_to_the_second_before() -> None:
    assert checked([(T + 3599.9, 1.0)], at(1)) == ([(T + 3599, 1.0)], [])


def test_no_point_is_no_rejection() -> None:
    assert checked([], at(1)) == ([], [])


def test_below_another_minimum() -> None:
    assert checked([(T, -5.0), (T + 900, -11.0)], at(1), minimum_value=-10)[1] == [
        "the value is below minimum_value = -10"
    ]


def rejections(count: int, reason: str = "no good") -> list[Rejection]:
    return [Rejection("2022-03-04T00:00:00Z", "1", reason)] * count


def test_a_share_above_the_maximum_fails_with_counts_and_examples() -> None:
    refuse_too_many(rejections(5), read=100, maximum_share=0.05)
    with pytest.raises(DataError, match=r"6 of 100 points rejected, more than maximum_rejected_share = 0\.05: 6 x no"):
        refuse_too_many(rejections(6), read=100, maximum_share=0.05)


def test_a_description_counts_each_reason_and_shows_the_first_few_of_each() -> None:
    mixed = [*rejections(1, "rare"), *rejections(7, "frequent")]
    assert describe(mixed, most=2) == (
        "7 x frequent (e.g. 2022-03-04T00:00:00Z = 1; 2022-03-04T00:00:00Z = 1), "
        "1 x rare (e.g. 2022-03-04T00:00:00Z = 1)"
    )


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (T, "2022-03-04T00:00:00Z"),
        (45_352, "1970-01-01T12:35:52Z (45352 read as seconds since 1970)"),
        (2_026_112_400, "2034-03-16T09:00:00Z (2026112400 read as seconds since 1970)"),
        (T * 1000, "1646352000000 (read as seconds since 1970)"),
        (20_261_124_000_000, "20261124000000 (read as seconds since 1970)"),
    ],
)
def test_a_time_decades_away_is_shown_with_the_number_that_was_read(time: int, expected: str) -> None:
    points, _ = read_points([(time, -1.0)])
    untrue = check_points(points, at(1), minimum_value=0).rejections
    assert untrue[0].time == expected


def test_what_cannot_be_read_is_kept_as_it_was_written() -> None:
    _, unreadable = read_points([(T, "1,012.55"), ("24:00", 1.0), (T, 2.0)])
    assert [(rejection.seconds, rejection.text) for rejection in unreadable] == [(T, "1,012.55"), (None, "24:00")]


def test_a_rejection_reads_as_a_line() -> None:
    assert str(Rejection("2022-03-04T00:00:00Z", "-1", "too low")) == "2022-03-04T00:00:00Z = -1: too low"


def test_a_rejected_time_that_is_no_time_is_shown_in_short() -> None:
    _, unreadable = read_points([("x" * 500, 1.0), (T, "y" * 500)])
    assert [len(rejection.time) <= 80 and len(rejection.value) <= 80 for rejection in unreadable] == [True, True]


# Moments ----------------------------------------------------------------------------------------------------------


def test_floor_hour_goes_down_in_any_zone() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    assert floor_hour(datetime(2022, 3, 4, 5, 44, 59, tzinfo=kathmandu)) == datetime(2022, 3, 3, 23, tzinfo=UTC)


def test_isoformat_is_utc() -> None:
    assert isoformat(datetime(2022, 3, 4, 1, tzinfo=timezone(timedelta(hours=1)))) == "2022-03-04T00:00:00Z"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an aware datetime, got 2022-03-04T00:00:00 without a time zone"):
        to_seconds(datetime(2022, 3, 4))  # noqa: DTZ001

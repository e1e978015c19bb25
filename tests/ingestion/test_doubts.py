from __future__ import annotations

import numpy as np
import pytest

from actioncast.arrays import Seconds
from actioncast.ingestion import doubts
from actioncast.periods.points import rounded
from actioncast.times import HOUR, to_seconds
from tests.support.clock import at

MINUTE = 60
DAY = 24 * HOUR
T = to_seconds(at(0))


def regular(step: float, count: int) -> Seconds:
    """`count` moments, one each `step` seconds from midnight on."""
    return (T + step * np.arange(count)).astype(np.int64)


def failure(times: Seconds, promised: int = 1) -> str:
    """What fails the run; empty for nothing."""
    doubt = doubts.find(np.unique(times), promised)
    return doubt.message if doubt is not None and doubt.fails else ""


@pytest.mark.parametrize(
    ("step", "promised"),
    [(HOUR, 1), (HOUR / 2, 2), (HOUR / 4, 4), (5 * MINUTE, 12), (MINUTE, 60), (901, 4), (899, 4), (13, 277)],
)
def test_points_as_dense_as_promised_raise_no_doubt(step: float, promised: int) -> None:
    assert failure(regular(step, 2000), promised) == ""


def test_no_point_and_a_single_point_raise_no_doubt() -> None:
    assert doubts.find(regular(1, 0), 1) is None
    assert doubts.find(regular(1, 1), 1) is None


@pytest.mark.parametrize(
    ("step", "promised", "expected"),
    [
        (900, 1, "50 hours hold 4 points where 1 is promised: points lie every 15 minutes: points_per_period = 4"),
        (1800, 1, "100 hours hold 2 points where 1 is promised: points lie every 30 minutes: points_per_period = 2"),
        (300, 4, "hold 12 points where 4 are promised: points lie every 5 minutes: points_per_period = 12"),
        (60, 1, "points lie every minute: points_per_period = 60"),
        (HOUR, 4, "points lie every hour, where 4 per hour are promised: points_per_period = 1"),
        (1800, 4, "points lie every 30 minutes, where 4 per hour are promised: points_per_period = 2"),
        (2 * HOUR, 1, 'points come every 2 hours: most hours would be missing. Say frequency = "2h"'),
        (3 * HOUR, 4, 'points come every 3 hours: most hours would be missing. Say frequency = "3h"'),
        (DAY, 1, "points come once a day at 00:00 UTC (daily data)"),
        (7 * DAY, 1, "points come every 7 days"),
    ],
)
def test_another_rhythm_than_promised_is_named(step: float, promised: int, expected: str) -> None:
    assert expected in failure(regular(step, 200), promised)


def test_a_week_of_daily_values_is_enough_to_see_them() -> None:
    assert "once a day" in failure(regular(DAY, 7))


def test_days_of_23_and_25_hours_are_days() -> None:
    assert "once a day" in failure(np.concatenate([regular(DAY, 30), regular(DAY, 30) + 30 * DAY - HOUR]))


def test_stamps_a_second_before_the_hour_are_a_doubt_that_rounding_mends() -> None:
    times = regular(HOUR, 300)
    times[1::2] -= 1
    message = failure(times)
    assert "150 hours hold 2 points where 1 is promised: 150 stamps lie 1 s before the full hour" in message
    assert message.endswith("such as 2022-03-04 00:59:59Z, and 150 on time, so that values would count for the hour "
                            "before. Do they mean the full hour? Then say round_seconds = 60")  # fmt: skip
    assert failure(rounded(times, 60)) == ""
    np.testing.assert_array_equal(rounded(times, 60), regular(HOUR, 300))


def test_early_stamps_are_a_doubt_also_where_no_hour_holds_two() -> None:
    times = regular(HOUR, 300)
    times[150:] -= 2
    assert "149 stamps lie 2 s before the full hour" in failure(np.delete(times, 150))


def test_stamps_a_minute_before_the_hour_need_a_coarser_rounding() -> None:
    times = regular(HOUR, 300)
    times[::3] -= MINUTE
    assert failure(times).endswith("round_seconds = 300")


def test_early_stamps_of_quarters_are_a_doubt() -> None:
    times = regular(900, 1000)
    times[::3] -= 1
    assert "stamps lie 1 s before the full hour" in failure(times, 4)


@pytest.mark.parametrize(("step", "promised"), [(899, 4), (901, 4), (HOUR - 1, 1), (HOUR + 1, 1)])
def test_a_clock_that_runs_freely_past_the_full_hour_means_its_stamps(step: int, promised: int) -> None:
    times = T + step * np.arange(-24 * promised, 24 * promised)
    assert failure(times, promised) == ""


def test_quarters_of_which_only_the_full_hour_is_early_are_a_doubt() -> None:
    times = regular(900, 1000)
    times[::4] -= 1
    assert "stamps lie 1 s before the full hour" in failure(times, 4)
    assert failure(regular(900, 1000) - 1, 4) == "", "the ends of quarters"


def test_stamps_that_all_name_the_last_second_of_their_hour_are_its_end() -> None:
    assert failure(regular(HOUR, 300) - 1) == ""


def test_a_poller_that_is_late_and_early_around_the_quarters_is_noted_and_not_refused() -> None:
    times = regular(900, 2000)
    times[1::4] -= 7
    times[2::4] += 9
    times[[40, 400, 800]] -= 3  # three of 500 full hours
    doubt = doubts.find(times, 4)
    assert doubt is not None
    assert not doubt.fails
    assert doubt.message == "3 hours hold 5 points where 4 are promised; the first is 2022-03-04 09:00:00Z"


def test_two_series_in_one_file_are_named_by_their_minutes() -> None:
    times = np.concatenate([regular(HOUR, 100), regular(HOUR, 100) + 7 * MINUTE])
    message = failure(times)
    assert message.startswith("100 hours hold 2 points where 1 is promised, at the minutes 00, 07: two series in one")
    assert "where = {" in message


def test_changes_of_state_are_named() -> None:
    moments = np.random.default_rng(1).integers(0, 200 * HOUR, size=1500)
    assert 'at irregular times: changes of state? Then aggregate = "time_weighted"' in failure(T + moments)
    assert "at irregular times, typically" in failure(T + moments[:60])


def test_bursts_are_no_rhythm() -> None:
    bursts = np.concatenate([regular(HOUR, 100) + 30 * number for number in range(12)])
    assert "points_per_period = 120" not in failure(bursts)
    assert "hold 12 points where 1 is promised" in failure(bursts)


def test_more_points_from_some_hour_on_are_a_pattern_in_a_long_history() -> None:
    times = np.concatenate([regular(HOUR, 5000), regular(HOUR, 8) + 4000 * HOUR + 1800])
    assert "8 hours hold 2 points" in failure(times)


@pytest.mark.parametrize(("promised", "allowed"), [(1, 12), (4, 50)])
def test_a_point_more_is_a_pattern_sooner_where_few_are_promised(promised: int, allowed: int) -> None:
    """Of 1,000 hours, every nineteenth holds one more."""
    times = regular(HOUR / promised, 1000 * promised)
    more = T + 19 * HOUR * np.arange(allowed + 1) + 400
    assert failure(np.concatenate([times, more[:allowed]]), promised) == ""
    assert failure(np.concatenate([times, more]), promised) != ""


def test_an_hourly_series_with_many_holes_is_still_one() -> None:
    keep = np.random.default_rng(1).random(1000) < 0.3
    assert failure(regular(HOUR, 1000)[keep]) == ""


def test_nights_and_weekends_without_points_are_no_other_rhythm() -> None:
    times = regular(300, 12 * 24 * 60)
    open_hours = times[(times % DAY >= 7 * HOUR) & (times % DAY < 21 * HOUR)]
    assert failure(open_hours, 12) == ""


def test_the_end_of_an_hour_belongs_to_it_where_labels_are_ends() -> None:
    times = regular(900, 400)
    times[::4] -= 1
    assert doubts.find(times, 4, end_labels=True) is None
    doubt = doubts.find(regular(900, 400), 1, end_labels=True)
    assert doubt is not None
    assert "100 hours hold 4 points where 1 is promised: points lie every 15 minutes" in doubt.message


def test_points_that_count_as_moments_may_be_dense_but_not_sparse() -> None:
    assert doubts.find_sparse(regular(60, 400)) is None
    doubt = doubts.find_sparse(regular(DAY, 40))
    assert doubt is not None
    assert "once a day" in doubt.message

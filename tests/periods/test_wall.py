"""Hours by the clocks on the wall: what spring leaves out, and what comes twice in autumn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from actioncast.arrays import Values
from actioncast.forecasting import forecaster
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline, timeline_of
from actioncast.periods.wall import seen_by, wall_of
from utils import Predictors

MADRID = timeline_of(parse_frequency("1h"), "Europe/Madrid", None)
SPRING = datetime(2024, 3, 31, 1, tzinfo=UTC)  # 02:00 there, which becomes 03:00
AUTUMN = datetime(2024, 10, 27, 1, tzinfo=UTC)  # 02:00 there for the second time
# Of Madrid, of New York in March and of Lord Howe in April.
CHANGES = [SPRING, AUTUMN, datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 4, 7, tzinfo=UTC)]


def local_hours(timeline: Timeline, start: datetime, periods: int) -> Grid:
    """A series whose value is what the clocks show, in hours."""
    first = timeline.number_of(start)
    local = timeline.local(first + np.arange(periods))
    return Grid(timeline.start_of(first), local % 86_400 / 3600, timeline=timeline)


def test_spring_leaves_a_gap() -> None:
    history = local_hours(MADRID, SPRING - timedelta(hours=2), 4)
    seen = seen_by(wall_of(MADRID), history, 2)
    np.testing.assert_array_equal(seen.history.values, [0, 1, np.nan, 3, 4])
    assert seen.ahead.tolist() == [0, 1]


def test_autumn_has_the_mean_of_both() -> None:
    history = local_hours(MADRID, AUTUMN - timedelta(hours=2), 4)
    history.values[1:3] = [10, 20]
    assert seen_by(wall_of(MADRID), history, 0).history.values.tolist() == [1, 15, 3]


def test_the_second_of_two_like_hours_is_still_to_come() -> None:
    history = local_hours(MADRID, AUTUMN - timedelta(hours=2), 2)
    seen = seen_by(wall_of(MADRID), history, 3)
    assert seen.history.values.tolist() == [1]
    assert seen.ahead.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("change", "ahead"), [(SPRING, [0, 1, 3, 4]), (AUTUMN, [0, 1, 1, 2])])
def test_periods_to_come_lie_where_the_clocks_will_be(change: datetime, ahead: list[int]) -> None:
    history = local_hours(MADRID, change - timedelta(hours=12), 10)
    assert seen_by(wall_of(MADRID), history, 4).ahead.tolist() == ahead


def test_a_column_goes_on_through_the_hour_that_never_comes() -> None:
    history = local_hours(MADRID, SPRING - timedelta(hours=2), 3)
    column = np.array([5.0, 6.0, 7.0, np.nan, 9.0])
    seen = seen_by(wall_of(MADRID), Grid(history.start, history.values, {"a": column}, MADRID), 2)
    np.testing.assert_array_equal(seen.history.exogenous["a"], [5, 6, 6, 7, np.nan, 9])


def test_a_zone_without_changes_is_left_as_it_is() -> None:
    for frequency, zone in (("1h", "UTC"), ("1D", "Europe/Madrid")):
        timeline = timeline_of(parse_frequency(frequency), zone, None)
        assert wall_of(timeline) == timeline
        history = local_hours(timeline, SPRING, 50)
        np.testing.assert_array_equal(seen_by(timeline, history, 3).history.values, history.values)


def test_other_periods_are_refused() -> None:
    quarters = timeline_of(parse_frequency("15min"), "Europe/Madrid", None)
    with pytest.raises(ValueError, match="not those of 1h in Europe/Madrid"):
        seen_by(wall_of(MADRID), local_hours(quarters, SPRING, 50), 3)


def of_last_week(timeline: Timeline) -> Forecaster:
    """A champion that repeats the last week."""
    week = 7 * 86_400 // timeline.frequency.seconds
    recipe = Recipe("naive", "seasonal_naive", Predictors((week,)))
    values: Values = np.zeros(2 * week)
    fitted = forecaster.fit(values, recipe, axis=Grid(SPRING, values, timeline=timeline).axis, seasonality=(week,))
    wide = Spread(np.ones(1), np.ones(24), 1.0, 0.0, np.linspace(-1, 1, 201), 20.0)
    return Forecaster((fitted,), np.ones(1), wide, 0.8, (week,), timeline=timeline)


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("frequency", ["15min", "1h", "3h"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_the_clocks_show_is_forecast_exactly_through_each_change(
    zone: str, frequency: str, change: datetime
) -> None:
    timeline = timeline_of(parse_frequency(frequency), zone, None)
    champion = of_last_week(wall_of(timeline))
    per_day = 86_400 // timeline.frequency.seconds
    known, ahead = 16 * per_day, 9 * per_day
    whole = local_hours(timeline, change - timedelta(days=20), known + ahead)
    for late in range(0, 6 * per_day, max(1, per_day // 24)):
        begin = timeline.start_of(whole.first + late)
        history = Grid(begin, whole.values[late : known + late], timeline=timeline)
        made = forecaster.forecast(champion, history, min(ahead, len(whole) - known - late))
        actual = whole.values[known + late :][: len(made.prediction)]
        np.testing.assert_allclose(made.prediction, actual, atol=1e-9)

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

import make_predictions
from actioncast.forecasting import forecaster
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread, Width
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.grid import Periods
from actioncast.periods.timeline import UTC_HOURS, timeline_of
from actioncast.serving.live_width import NARROWEST, WIDEST, LiveErrors, width_of
from actioncast.times import HOUR, to_seconds
from tests.support.series import SEASONS, START, seasonal
from tests.support.stage import Stage
from utils import Predictors

FIRST = to_seconds(START) // HOUR


@pytest.fixture(scope="module")
def usual() -> Forecaster:
    """Its errors are normal, of a mean size of 1."""
    member = forecaster.fit(
        seasonal(300),
        Recipe("naive", "seasonal_naive", Predictors((24,))),
        axis=Axis(UTC_HOURS, FIRST),
        seasonality=SEASONS,
    )
    normal = np.sort(np.random.default_rng(0).normal(0, np.sqrt(np.pi / 2), 20_000))[::100]
    spread = Spread(np.ones(24), np.ones(24), 1.0, 0.0, np.append(normal, 5.0), 10.0)
    return Forecaster((member,), np.ones(1), spread, 0.8, SEASONS)


def errors_of(sizes: NDArray[np.float64]) -> LiveErrors:
    """One forecast for each hour from START on, and its error, actual - forecast."""
    starts = (FIRST + np.arange(len(sizes))) * HOUR
    return LiveErrors(starts, np.ones(len(sizes), dtype=np.int64), np.zeros(len(sizes)), sizes)


def width_after(usual: Forecaster, sizes: NDArray[np.float64]) -> Width:
    width = width_of(usual, errors_of(sizes), FIRST + len(sizes) - 1)
    assert width
    return width


def alike(hours: int, size: float = 1.0) -> NDArray[np.float64]:
    """Errors of the mean size of those of `usual`, or so many times as large, half of them on each side."""
    return np.where(np.arange(hours) % 2, size, -size)


def test_without_errors_nothing_is_known(usual: Forecaster) -> None:
    assert width_of(usual, errors_of(np.zeros(0)), FIRST) is None


def test_usual_errors_change_little(usual: Forecaster) -> None:
    width = width_after(usual, alike(600))
    assert width.below == pytest.approx(1, abs=0.25)
    assert width.above == pytest.approx(1, abs=0.25)


def test_errors_three_times_as_large_widen_both_sides_within_a_day(usual: Forecaster) -> None:
    width = width_after(usual, np.concatenate([alike(300), alike(24, 3)]))
    assert min(width.below, width.above) > 1.5


def test_errors_on_one_side_widen_that_side_alone(usual: Forecaster) -> None:
    width = width_after(usual, np.concatenate([alike(300), np.full(24, 4.0)]))
    assert width.above > 2.5
    assert width.below < 1.25


def test_small_errors_narrow_slowly_and_never_below_a_half(usual: Forecaster) -> None:
    after_a_day = width_after(usual, np.concatenate([alike(336), np.zeros(24)]))
    after_weeks = width_after(usual, np.zeros(600))
    assert after_a_day.above > 0.8
    assert (after_weeks.below, after_weeks.above) == (NARROWEST, NARROWEST)


def test_one_absurd_error_does_not_widen_without_bound(usual: Forecaster) -> None:
    once = width_after(usual, np.append(alike(300), 1e9))
    assert once.above < 2.5
    assert width_after(usual, np.full(300, 1e9)).above == WIDEST


def test_an_hour_that_many_vintages_forecast_counts_once(usual: Forecaster) -> None:
    sizes = np.append(alike(300), 6.0)
    once = errors_of(sizes)
    repeated = LiveErrors(
        starts=np.append(once.starts, np.full(50, once.starts[-1])),
        leads=np.append(once.leads, np.full(50, 2)),
        predictions=np.zeros(len(sizes) + 50),
        reality=np.append(sizes, np.full(50, 6.0)),
    )
    newest = FIRST + len(sizes) - 1
    assert width_of(usual, repeated, newest) == width_of(usual, once, newest)


def test_the_hour_that_comes_twice_is_no_error() -> None:
    """In Madrid 2:45 summer time comes before 2:00 winter time."""
    timeline = timeline_of(parse_frequency("15min"), "Europe/Madrid", None, wall=True)
    spread = Spread(np.ones(24), np.ones(24), 1.0, 0.0, np.linspace(-1, 1, 201), 10.0)
    member = forecaster.fit(
        seasonal(300),
        Recipe("naive", "seasonal_naive", Predictors((96,))),
        axis=Axis(timeline, 0),
        seasonality=(96, 672),
    )
    model = Forecaster((member,), np.ones(1), spread, 0.8, (96, 672), timeline=timeline)
    last = to_seconds(datetime(2025, 10, 26, 1, 0, tzinfo=UTC))
    starts = last + 900 * np.arange(-96, 1)
    errors = LiveErrors(starts, np.ones(97, dtype=np.int64), np.zeros(97), np.full(97, 5.0))
    width = width_of(model, errors, timeline.number_of(datetime(2025, 10, 26, 1, 0, tzinfo=UTC)))
    assert width
    assert width.above > 2


def test_the_loop_widens_after_a_change_stores_it_and_keeps_set_aside_hours_out(stage: Stage) -> None:
    now = stage.load(600)
    stage.train(now)
    first = make_predictions.run(stage.settings, stage.database, now, series_id="demo")
    assert {row["width_above"] for row in first.rows} == {None}

    # The next day is far above the forecast.
    higher = np.array([row["prediction"] for row in first.rows]) + 60
    starts = to_seconds(now) + HOUR * np.arange(24)
    run = {"run_id": "x", "series_id": "demo", "started_at": START, "finished_at": START}
    nothing = {"points_read": 0, "periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
    stage.database.load_periods("demo", Periods(starts, higher, np.full(24, 4)), now, {**run, **nothing})
    a_day_later = now + timedelta(days=1)
    wider = make_predictions.run(stage.settings, stage.database, a_day_later, series_id="demo")
    stored = stage.database.vintage("demo", a_day_later)
    assert {row["width_above"] for row in stored} == {wider.rows[0]["width_above"]}
    assert stored[0]["width_above"] > 2
    assert stored[0]["width_below"] <= 1

    hours = [now + timedelta(hours=hour) for hour in range(24)]
    stage.database.set_aside("demo", hours, reason="a test of the meter", decided_at=a_day_later)
    unchanged = make_predictions.run(stage.settings, stage.database, a_day_later, series_id="demo")
    assert {row["width_above"] for row in unchanged.rows} == {None}

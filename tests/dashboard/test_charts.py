"""The charts of the page, from rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from actioncast.dashboard.charts import error_chart, fan, forecast_chart, lead_chart
from actioncast.periods.frequency import HOURLY
from actioncast.periods.grid import to_grid
from actioncast.periods.opening import parse_opening
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.policies import RetrainPolicy
from actioncast.times import to_seconds
from tests.support.clock import at
from tests.support.dashboard_rows import row
from tests.support.serving import wave


def test_forecast_chart_joins_what_is_known_with_what_is_ahead() -> None:
    hours = wave(at(-2), 2)
    history = to_grid(hours.starts, np.array([7.0, 8.0]))
    chart = forecast_chart(history, [row(-1, reality=8), row(0, reality=None)], at(-99), at(-1))
    assert chart["t"] == [to_seconds(at(hour)) for hour in (-2, -1, 0)]
    assert chart["reality"] == [7.0, 8.0, None]
    assert chart["prediction"] == [None, 10.0, 10.0]
    assert chart["upper"] == [None, 12.0, 12.0]


def test_no_line_is_drawn_through_closed_hours() -> None:
    offices = Timeline(HOURLY, "UTC", parse_opening("Mon-Fri 08:00-10:00"))
    monday = datetime(2022, 3, 7, tzinfo=UTC)
    hours = [monday + timedelta(days=day, hours=hour) for day in (0, 1) for hour in (8, 9)]
    starts = np.array([to_seconds(hour) for hour in hours])
    chart = forecast_chart(to_grid(starts, np.arange(4.0), offices), [], monday, hours[-1], offices)
    assert chart["t"] == [*starts[:2], to_seconds(monday + timedelta(hours=10)), *starts[2:]]
    assert chart["reality"] == [0.0, 1.0, None, 2.0, 3.0]


def test_error_chart_is_the_mean_over_the_window_of_the_checks() -> None:
    policy = RetrainPolicy(window=2, minimum_scored=2, max_mae=5)
    scored = [row(hour, reality=10 + error) for hour, error in enumerate((1, 3, 5))]
    chart = error_chart(scored, None, policy, UTC_HOURS, at(-99))
    assert chart["t"] == [to_seconds(at(1)), to_seconds(at(2))]
    assert chart["mae"] == [2.0, 4.0]
    assert chart["naive"] == [4.0, 4.0]
    assert chart["limit"] == [5.0, 5.0]
    assert chart["coverage"] == [0.5, 0.0]


def test_lead_chart_hides_what_few_hours_say() -> None:
    rows = [{"lead": 1, "mae": 2.0, "periods": 50}, {"lead": 3, "mae": 9.0, "periods": 2}]
    assert lead_chart(rows, None, RetrainPolicy()) == {"t": [1], "live": [2.0], "backtest": [None]}
    assert lead_chart([], None, RetrainPolicy())["t"] == []


def with_quantiles(hour: float, quantiles: dict[str, float]) -> dict[str, Any]:
    return {**row(hour, reality=None), "quantiles": quantiles}


def test_the_fan_has_the_pairs_inside_the_interval_of_the_periods_ahead() -> None:
    quantiles = {"0.1": 8.0, "0.3": 9.0, "0.5": 10.0, "0.7": 11.5, "0.9": 12.0}
    drawn = fan([with_quantiles(hour, quantiles) for hour in (1, 2)])
    assert drawn["t"] == [to_seconds(at(1)), to_seconds(at(2))]
    assert drawn["bands"] == [{"label": "0.3 to 0.7", "lower": [9.0, 9.0], "upper": [11.5, 11.5]}]


def test_a_pair_of_levels_that_are_not_the_bounds_is_drawn() -> None:
    (band,) = fan([with_quantiles(1, {"0.2": 8.5, "0.8": 11.5})])["bands"]
    assert (band["lower"], band["upper"]) == ([8.5], [11.5])


def test_without_quantiles_there_is_no_fan() -> None:
    assert fan([row(1, reality=None)])["bands"] == []
    assert fan([])["bands"] == []


def test_levels_that_changed_within_the_periods_ahead_are_left_out() -> None:
    rows = [with_quantiles(1, {"0.2": 8.5, "0.8": 11.5}), with_quantiles(2, {"0.25": 8.6, "0.75": 11.4})]
    assert fan(rows)["bands"] == []

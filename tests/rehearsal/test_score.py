"""What a policy costs, and how good its forecasts were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.score import day_ahead_mae, degraded_hours, minutes, rolling_errors
from actioncast.rehearsal.world.faults import Faults
from tests.support.clock import at
from tests.support.rehearsals import plan_of


def forecast(issued: float, begins: float, prediction: float) -> dict[str, object]:
    return {
        "prediction_date": at(begins),
        "issued_at": at(issued),
        "prediction": prediction,
        "reality": 10.0,
    }


def test_the_newest_vintage_of_a_day_before_counts() -> None:
    vintages = [forecast(0, 30, 14), forecast(6, 30, 13), forecast(7, 30, 10), forecast(7, 31, 9)]
    assert day_ahead_mae(vintages) == pytest.approx((3 + 1) / 2)
    assert day_ahead_mae([forecast(7, 30, 10)]) is None


def test_the_error_of_a_day_is_averaged_at_each_hour() -> None:
    rows = [{"prediction_date": at(hour), "absolute_error": float(hour)} for hour in range(30)]
    errors = dict(rolling_errors(rows, replace(plan_of(7), start=at(0))))
    assert errors[1] == pytest.approx(0.5)
    assert errors[29] == pytest.approx(sum(range(6, 30)) / 24)


def test_minutes_are_whole_ones_of_every_job() -> None:
    runs = {"ingest": 24, "check": 12, "forecast": 4, "train": 1}
    progress = Progress(runs=runs, trainings=[("", True), ("", False)])
    assert minutes(progress) == 24 + 12 + 4 + 3 + 2


def test_hours_are_degraded_against_the_time_before_the_change() -> None:
    doubled = Faults().with_flag("shift=2@4")
    errors = list(enumerate([100.0] * 4 + [500.0] * 3 + [210.0] * 3))
    assert degraded_hours(errors, plan_of(2, doubled)) == 3
    assert degraded_hours(errors, plan_of(2)) is None

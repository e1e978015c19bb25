"""A broken promise is told, and a kept one is not."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from actioncast.database.database import Database
from actioncast.periods.frequency import HOUR
from actioncast.periods.points import Points
from actioncast.periods.timeline import UTC_HOURS
from actioncast.policies import RetrainPolicy
from actioncast.rehearsal.invariants import Invariants, over_budget
from actioncast.rehearsal.plan import Plan
from tests.support.clock import at
from tests.support.rows import hours, load, run_row, vintage
from tests.support.source import quarters


@pytest.fixture
def invariants(database: Database) -> Invariants:
    """Of the series `a`, whose hours have four points."""
    series_settings = SimpleNamespace(
        minimum_points_per_period=4, scale=1.0, aggregate="mean", stamps="start", timeline=UTC_HOURS
    )
    plan: Any = SimpleNamespace(
        settings=SimpleNamespace(series={"a": series_settings}),
        series_id="a",
        start=at(0),
        tick_seconds=HOUR,
    )
    return Invariants(cast(Plan, plan), database, "a")


def points(*values: float) -> Points:
    """The points of one hour for each value, from midnight on."""
    times, readings = zip(*quarters(*np.repeat(values, 4)), strict=True)
    return Points(np.array(times), np.array(readings))


def test_hours_that_are_stored_as_shown_break_no_promise(invariants: Invariants) -> None:
    load(invariants.database, hours(1, 2))
    invariants.before_reading(points(1, 2), at(2))
    invariants.after_reading(points(1, 2), at(2))
    assert list(invariants.check_tick(at(2))) == []
    assert list(invariants.check_end()) == []


def test_an_hour_that_was_shown_and_is_not_stored_is_told(invariants: Invariants) -> None:
    load(invariants.database, hours(1))
    invariants.before_reading(points(1, 2), at(2))
    invariants.after_reading(points(1, 2), at(2))
    assert list(invariants.check_tick(at(2))) == ["2022-03-04T01:00:00Z was shown and is not stored"]


def test_an_hour_that_no_run_has_read_is_told(invariants: Invariants) -> None:
    load(invariants.database, hours(1))
    invariants.before_reading(points(5), at(1))
    assert list(invariants.check_end()) == ["2022-03-04T00:00:00Z is stored as 1.0, shown as nothing"]


def test_an_hour_of_a_run_that_was_killed_may_be_stored_or_not(invariants: Invariants) -> None:
    invariants.before_reading(points(1), at(1))
    assert list(invariants.check_end()) == []
    load(invariants.database, hours(1))
    assert list(invariants.check_end()) == []


def test_a_state_that_went_back_is_told(invariants: Invariants) -> None:
    invariants.database.store_vintage(vintage(2, 10))
    assert list(invariants.check_tick(at(3))) == []
    invariants.newest["vintage"] = at(5)
    (sentence,) = invariants.check_tick(at(4))
    assert sentence.startswith("the newest vintage went back from 2022-03-04 05:00")


def promote(database: Database, version: str) -> None:
    moments = {name: at(0) for name in ("started_at", "finished_at", "window_start", "window_end")}
    documents: dict[str, Any] = {name: {} for name in ("challenger", "library_versions", "settings")}
    database.store_training_run(
        {
            "run_id": version,
            "series_id": "a",
            "periods": 9,
            "leaderboard": [],
            "champion": {"version": version},
            "verdict": "promoted",
            "reason": "",
            "git_sha": None,
            **moments,
            **documents,
        }
    )


def test_a_forecast_follows_on_the_last_hour_and_comes_from_a_promoted_champion(
    invariants: Invariants,
) -> None:
    load(invariants.database, hours(1, 2, 3))
    promote(invariants.database, "v1")
    rows = [{**row, "issued_at": at(3)} for row in vintage(2, 10, 20)]
    invariants.database.store_vintage(rows)  # for 03:00 and 04:00
    assert list(invariants.check_vintage(at(3), "v1")) == []


def test_a_forecast_of_other_hours_or_of_another_model_is_told(invariants: Invariants) -> None:
    load(invariants.database, hours(1, 2, 3))
    invariants.database.store_vintage(vintage(3, 10, 20))  # for 04:00 and 05:00
    gap, stranger = invariants.check_vintage(at(3), "v1")
    assert gap.endswith("does not follow period by period on 2022-03-04T02:00:00Z")
    assert stranger.endswith("comes from {'v1'}, promoted were []")


def test_a_forecast_that_left_no_row_is_told(invariants: Invariants) -> None:
    assert list(invariants.check_vintage(at(2), "v1")) == ["the forecast of 2022-03-04T02:00:00Z left no row"]


def test_a_failed_ingestion_must_leave_its_reason(invariants: Invariants) -> None:
    invariants.database.record_etl_failure(run_row("first", message=""))
    assert len(list(invariants.check_failed_ingestion(at(0)))) == 1
    invariants.database.record_etl_failure(run_row("second", message="the source is dead"))
    assert list(invariants.check_failed_ingestion(at(0))) == []


def test_retrains_beyond_the_weekly_cap_or_inside_the_cooldown_are_told() -> None:
    policy = RetrainPolicy(maximum_per_week=2, cooldown=timedelta(hours=24))
    assert list(over_budget([at(100), at(50)], policy, at(100))) == []
    assert "3 retrains were asked for" in next(over_budget([at(100), at(50), at(0)], policy, at(100)))
    assert "inside the cooldown" in next(over_budget([at(60), at(50)], policy, at(60)))

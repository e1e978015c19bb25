"""What is old, missing or wrong gets its light."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from actioncast.dashboard.lights import lights, status_of
from actioncast.database.database import Newest
from actioncast.forecasting.card import read_card
from actioncast.periods.timeline import UTC_HOURS
from actioncast.policies import FreshnessPolicy
from tests.support.clock import at
from tests.support.serving import promote

EMPTY = Newest(None, None, None)


@pytest.mark.parametrize(
    ("age_hours", "expected"), [(2, ("good", "fresh")), (20, ("watch", "ageing")), (25, ("bad", "old"))]
)
def test_lights_follow_the_age(age_hours: float, expected: tuple[str, str]) -> None:
    newest = Newest(at(-1), at(0), at(0))
    policy = FreshnessPolicy(actual=timedelta(hours=24), forecast=timedelta(hours=24))
    data, forecast, model, error, loading = lights(
        newest, card=None, card_problem="", checks=[], etl_runs=[], now=at(age_hours), policy=policy, timeline=UTC_HOURS
    )
    assert (data.status, data.word) == (forecast.status, forecast.word) == expected
    assert (model.word, error.word, loading.word) == ("missing", "unchecked", "never ran")


def test_a_champion_is_old_after_its_days_and_broken_when_its_card_cannot_be_read(tmp_path: Path) -> None:
    promote(tmp_path)
    card = read_card(tmp_path)
    policy = FreshnessPolicy(champion=timedelta(days=90))
    words = [
        lights(
            EMPTY, card=card, card_problem="", checks=[], etl_runs=[], now=at(hours), policy=policy, timeline=UTC_HOURS
        )[2].word
        for hours in (90 * 24 - 2, 90 * 24)
    ]
    broken = lights(
        EMPTY, card=None, card_problem="torn", checks=[], etl_runs=[], now=at(0), policy=policy, timeline=UTC_HOURS
    )[2]
    assert words == ["serving", "old"]
    assert (broken.status, broken.word, broken.detail) == ("bad", "broken", "torn")


@pytest.mark.parametrize(
    ("verdict", "status"),
    [("good", "good"), ("watch", "watch"), ("wait", "watch"), ("retrain", "bad"), ("alarm", "bad")],
)
def test_a_verdict_has_its_colour(verdict: str, status: str) -> None:
    assert status_of(verdict) == status


def test_the_points_that_a_load_rejected_are_counted_and_listed() -> None:
    message = "3 points: the value is not finite (e.g. inf)"
    run = {"outcome": "loaded", "started_at": at(0), "points_rejected": 3, "message": message}
    loading = lights(
        EMPTY,
        card=None,
        card_problem="",
        checks=[],
        etl_runs=[run],
        now=at(1),
        policy=FreshnessPolicy(),
        timeline=UTC_HOURS,
    )[4]
    assert (loading.status, loading.detail) == ("good", f"ran 1 h ago, 3 points rejected: {message}")


def test_a_naive_that_stands_in_for_the_champion_is_bad_however_fresh() -> None:
    _, forecast, *_ = lights(
        Newest(at(-1), at(0), at(0)),
        card=None,
        card_problem="",
        checks=[],
        etl_runs=[],
        now=at(1),
        policy=FreshnessPolicy(),
        timeline=UTC_HOURS,
        fallback="the card cannot be read",
    )
    assert (forecast.status, forecast.word) == ("bad", "fallback")
    assert "the card cannot be read" in forecast.detail

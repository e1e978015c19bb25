"""What is old, missing or wrong gets its light."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from actioncast.forecasting.card import read_card
from actioncast.monitoring.lights import Issue, Light, Turn, Watched, lights, status_of, worst
from actioncast.periods.frequency import HOURLY
from actioncast.periods.opening import parse_opening
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.policies import FreshnessPolicy
from tests.support.clock import at
from tests.support.serving import promote

POLICY = FreshnessPolicy(actual=timedelta(hours=12), forecast=timedelta(hours=24))
ISSUE = Issue(at(0), origin=at(-1), last=at(47))


def lights_at(
    now: datetime,
    newest: datetime | None = None,
    issue: Issue | None = None,
    *,
    policy: FreshnessPolicy = POLICY,
    timeline: Timeline = UTC_HOURS,
    **facts: Any,
) -> dict[str, Light]:
    """The lights by name; what is not given is missing."""
    missing: dict[str, Any] = {"card": None, "card_problem": "", "checks": [], "etl_runs": []}
    shown = lights(newest, issue, **(missing | facts), watched=Watched(now, policy, timeline))
    return {light.name: light for light in shown}


@pytest.mark.parametrize(
    ("age_hours", "expected"), [(2, ("good", "fresh")), (20, ("watch", "ageing")), (25, ("bad", "old"))]
)
def test_lights_follow_the_age(age_hours: float, expected: tuple[str, str]) -> None:
    policy = replace(POLICY, actual=timedelta(hours=24))
    shown = lights_at(at(age_hours), at(-1), ISSUE, policy=policy)
    assert (shown["Data"].status, shown["Data"].word) == expected
    assert (shown["Model"].word, shown["Error"].word, shown["Loading"].word) == ("missing", "unchecked", "never ran")


@pytest.mark.parametrize(
    ("hours", "issued", "newest", "expected"),
    [
        (2, 0, -1, ("good", "fresh")),
        (13, 0, 11, ("watch", "ageing")),  # the data go on, the forecast was not made anew
        (13, 12, -1, ("watch", "of old data")),  # made anew, of a source that is dead
        (37, 36, -1, ("bad", "of old data")),
        (48.5, 48, 40, ("bad", "over")),  # nothing of it lies ahead
        (25, 0, 24, ("bad", "old")),
    ],
)
def test_a_forecast_is_judged_by_its_issue_its_origin_and_its_end(
    hours: float, issued: float, newest: float, expected: tuple[str, str]
) -> None:
    issue = replace(ISSUE, issued_at=at(issued))
    forecast = lights_at(at(hours), at(newest), issue)["Forecast"]
    assert (forecast.status, forecast.word) == expected
    assert "from data up to" in forecast.detail


def test_a_light_turns_by_itself_as_it_would_be_judged_then() -> None:
    offices = Timeline(HOURLY, "Europe/Madrid", parse_opening("Mon-Fri 09:00-18:00"))
    for timeline in (UTC_HOURS, offices):
        newest, origin = timeline.floor(at(-30)), timeline.floor(at(-34))
        issue = Issue(at(-29), origin=origin, last=timeline.shift(origin, 48))
        for name in ("Data", "Forecast"):
            first = lights_at(at(-29), newest, issue, timeline=timeline)[name]
            for hour in range(-29, 200):
                later = lights_at(at(hour), newest, issue, timeline=timeline)[name]
                assert _turned(first, at(hour)) == (later.status, later.word), (timeline, name, hour)


def _turned(light: Light, now: datetime) -> tuple[str, str]:
    past: list[Turn] = [turn for turn in light.turns if turn.after < now]
    return (past[-1].status, past[-1].word) if past else ("good", "fresh")


def test_a_champion_is_old_after_its_days_and_broken_when_its_card_cannot_be_read(tmp_path: Path) -> None:
    promote(tmp_path)
    card = read_card(tmp_path)
    words = [lights_at(at(hours), card=card)["Model"].word for hours in (90 * 24 - 2, 90 * 24)]
    broken = lights_at(at(0), card_problem="torn")["Model"]
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
    loading = lights_at(at(1), etl_runs=[run])["Loading"]
    assert (loading.status, loading.text) == ("good", f"1 h since it ran, 3 points rejected: {message}")


def test_a_load_that_failed_says_why() -> None:
    run = {"outcome": "failed", "started_at": at(0), "points_rejected": 0, "message": "the source answers 503"}
    loading = lights_at(at(1), etl_runs=[run])["Loading"]
    assert (loading.status, loading.word) == ("bad", "failed")
    assert "the source answers 503" in loading.text


def test_a_naive_that_stands_in_for_the_champion_is_bad_however_fresh() -> None:
    forecast = lights_at(at(1), at(-1), replace(ISSUE, fallback="the card cannot be read"))["Forecast"]
    assert (forecast.status, forecast.word) == ("bad", "fallback")
    assert "the card cannot be read" in forecast.detail


def test_a_series_is_as_bad_as_its_worst_light() -> None:
    good, watch, bad = (Light("x", status, "", "") for status in ("good", "watch", "bad"))
    assert worst([good, good]) == "good"
    assert worst([good, watch]) == "watch"
    assert worst([watch, bad, good]) == "bad"

"""Freshness: what counts as dead, and that N looks must agree."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from actioncast.monitoring import freshness
from actioncast.monitoring.age import age_verdict
from actioncast.monitoring.freshness import Finding, SeriesState, WorkflowRuns
from actioncast.settings import FreshnessSettings
from tests.support.clock import at

ROOT = Path(__file__).resolve().parents[2]
POLICY = FreshnessSettings()
NOW = at(500)


def state(**changes: object) -> SeriesState:
    """Everything fresh."""
    scored = [{"prediction_date": NOW - timedelta(hours=i), "covered": i % 5 != 0} for i in range(400, 0, -1)]
    fresh = {
        "series": "demo",
        "loads": [(NOW - timedelta(hours=i), NOW - timedelta(hours=i + 1)) for i in range(60)],
        "issues": [NOW - timedelta(hours=6 * i) for i in range(9)],
        "champion_created": NOW - timedelta(days=3),
        "scored": scored,
        "nominal_coverage": 0.8,
    }
    return SeriesState(**(fresh | changes))  # type: ignore[arg-type]


def stale(findings: list[Finding]) -> list[str]:
    return [finding.title for finding in findings if finding.stale]


@pytest.mark.parametrize(
    ("hours_ago", "verdict"),
    [
        (None, (True, False, False)),
        (6, (False, False, False)),
        (6.1, (False, True, False)),
        (12, (False, True, False)),
        (12.1, (False, False, True)),
    ],
)
def test_an_age_is_missing_or_young_or_ageing_or_stale(
    hours_ago: float | None, verdict: tuple[bool, bool, bool]
) -> None:
    newest = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    age = age_verdict(newest, NOW, allowed_hours=12)
    assert (age.missing, age.ageing, age.stale) == verdict
    assert age.hours == hours_ago


def test_fresh() -> None:
    assert stale(freshness.of_series(state(), POLICY, NOW)) == []


def loads_until(hours_ago: float) -> list[tuple[datetime, datetime]]:
    newest = NOW - timedelta(hours=hours_ago)
    return [(newest - timedelta(hours=i), newest - timedelta(hours=i + 1)) for i in range(60)]


@pytest.mark.parametrize(("hours_ago", "expected"), [(11.5, 0), (22, 0), (24, 1)])
def test_data_are_stale_when_both_looks_say_so(hours_ago: float, expected: int) -> None:
    findings = freshness.of_series(state(loads=loads_until(hours_ago)), POLICY, NOW)
    assert stale(findings) == ["The data of demo are stale"] * expected


def test_an_outage_that_is_over_now_is_none() -> None:
    back = [*loads_until(48), (NOW - timedelta(minutes=5), NOW - timedelta(hours=1))]
    assert stale(freshness.of_series(state(loads=back), POLICY, NOW)) == []


def test_a_back_fill_does_not_make_an_earlier_look_good() -> None:
    """At the earlier look the hours that were loaded since were not there."""
    policy = FreshnessSettings(actual_hours=12, look_hours=12)
    late = [(NOW - timedelta(hours=1), NOW - timedelta(hours=13 + i)) for i in range(20)] + loads_until(80)
    assert stale(freshness.of_series(state(loads=late), policy, NOW)) == ["The data of demo are stale"]


def test_nothing_stored_and_no_forecast_are_findings_but_no_champion_is_not() -> None:
    findings = freshness.of_series(state(loads=[], issues=[], champion_created=None), POLICY, NOW)
    assert stale(findings) == ["The data of demo are stale", "The forecast of demo is stale"]


def test_old_champion() -> None:
    findings = freshness.of_series(state(champion_created=NOW - timedelta(days=91)), POLICY, NOW)
    assert stale(findings) == ["The champion of demo is old"]


@pytest.mark.parametrize(("inside", "expected"), [(0.8, False), (0.9, False), (0.5, True), (1.0, True)])
def test_coverage(inside: float, expected: bool) -> None:
    scored = [{"prediction_date": NOW - timedelta(hours=i), "covered": i % 100 < inside * 100} for i in range(400)]
    assert bool(stale(freshness.of_series(state(scored=scored), POLICY, NOW))) is expected


def test_too_few_scored_hours_say_nothing_about_coverage() -> None:
    scored = [{"prediction_date": NOW - timedelta(hours=i), "covered": False} for i in range(50)]
    assert stale(freshness.of_series(state(scored=scored), POLICY, NOW)) == []


@pytest.mark.parametrize(
    ("first", "successes", "expected"),
    [(600, [3], False), (600, [30], True), (600, [13], False), (30, [], True), (20, [], False), (None, [], False)],
)
def test_workflow(first: float | None, successes: list[float], expected: bool) -> None:
    runs = [NOW - timedelta(hours=hours) for hours in successes]
    workflow = WorkflowRuns("etl.yml", 12, NOW - timedelta(hours=first) if first else None, runs)
    assert freshness.of_workflow(workflow, POLICY, NOW).stale is expected


def test_the_schedule_is_the_one_that_the_settings_name() -> None:
    text = (ROOT / ".github/workflows/check_freshness.yml").read_text(encoding="utf-8")
    cron = yaml.safe_load(text)[True]["schedule"][0]["cron"]
    assert re.fullmatch(rf"\d+ \*/{POLICY.look_hours:g} \* \* \*", cron)


def test_the_watched_workflows_exist_and_have_a_schedule() -> None:
    for file in POLICY.workflow_hours:
        assert "schedule:" in (ROOT / ".github/workflows" / file).read_text(encoding="utf-8")

"""Freshness: what counts as dead, and that N looks must agree."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from actioncast.monitoring import freshness
from actioncast.monitoring.age import age_verdict
from actioncast.monitoring.findings import Finding
from actioncast.monitoring.freshness import SeriesState, WorkflowRuns
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import UTC_HOURS
from actioncast.policies import FreshnessPolicy
from actioncast.settings import FreshnessSettings
from tests.support.clock import at
from tests.support.series import seasonal

ROOT = Path(__file__).resolve().parents[2]
POLICY = FreshnessPolicy()
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
        "since": NOW - timedelta(days=20),
        "history": Grid(NOW - timedelta(hours=500), seasonal(500)),
        "failure": "",
        "timeline": UTC_HOURS,
        "hours": 504,
        "first_periods": 504,
    }
    return SeriesState(**(fresh | changes))  # type: ignore[arg-type]


def stale(findings: list[Finding]) -> list[str]:
    return [finding.kind.title for finding in findings if finding.stale]


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
    age = age_verdict(newest, NOW, timedelta(hours=12))
    assert (age.missing, age.ageing, age.stale) == verdict
    assert age.hours == hours_ago


def test_fresh() -> None:
    assert stale(freshness.of_series(state(), POLICY, NOW)) == []


def stuck_since(hours_ago: int) -> Grid:
    values = seasonal(500)
    values[-hours_ago:] = 7.5
    return Grid(NOW - timedelta(hours=500), values)


def test_a_source_is_stuck_when_both_looks_saw_one_value_again_and_again() -> None:
    findings = freshness.of_series(state(history=stuck_since(20)), POLICY, NOW)
    assert stale(findings) == ["Sources are stuck"]
    assert "20 hours are all 7.5" in next(finding.evidence for finding in findings if finding.stale)
    assert stale(freshness.of_series(state(history=stuck_since(10)), POLICY, NOW)) == []


def test_a_source_that_gives_other_values_again_is_not_stuck() -> None:
    history = stuck_since(30)
    history.values[-1] = 8
    assert stale(freshness.of_series(state(history=history), POLICY, NOW)) == []


def test_zeros_instead_of_an_outage_are_stuck_too() -> None:
    history = stuck_since(20)
    history.values[-20:] = 0
    assert stale(freshness.of_series(state(history=history), POLICY, NOW)) == ["Sources are stuck"]
    assert stale(freshness.of_series(state(history=None), POLICY, NOW)) == []


def loads_until(hours_ago: float) -> list[tuple[datetime, datetime]]:
    newest = NOW - timedelta(hours=hours_ago)
    return [(newest - timedelta(hours=i), newest - timedelta(hours=i + 1)) for i in range(60)]


@pytest.mark.parametrize(("hours_ago", "expected"), [(11.5, 0), (22, 0), (24, 1)])
def test_data_are_stale_when_both_looks_say_so(hours_ago: float, expected: int) -> None:
    findings = freshness.of_series(state(loads=loads_until(hours_ago)), POLICY, NOW)
    assert stale(findings) == ["The data are stale"] * expected


def test_an_outage_that_is_over_now_is_none() -> None:
    back = [*loads_until(48), (NOW - timedelta(minutes=5), NOW - timedelta(hours=1))]
    assert stale(freshness.of_series(state(loads=back), POLICY, NOW)) == []


def test_a_back_fill_does_not_make_an_earlier_look_good() -> None:
    """At the earlier look the hours that were loaded since were not there."""
    policy = FreshnessPolicy(actual=timedelta(hours=12), look_hours=12)
    late = [(NOW - timedelta(hours=1), NOW - timedelta(hours=13 + i)) for i in range(20)] + loads_until(80)
    assert stale(freshness.of_series(state(loads=late), policy, NOW)) == ["The data are stale"]


def test_nothing_stored_and_no_forecast_are_findings_but_no_champion_is_not() -> None:
    findings = freshness.of_series(state(loads=[], issues=[], champion_created=None), POLICY, NOW)
    assert stale(findings) == ["The data are stale", "The forecasts are stale"]


def never(**changes: object) -> SeriesState:
    """A series of which nothing has ever been there."""
    nothing: dict[str, object] = {"loads": [], "issues": [], "champion_created": None, "scored": [], "hours": 0}
    return state(**(nothing | changes))


@pytest.mark.parametrize(("hours_ago", "young"), [(1, True), (47, True), (48, False), (900, False)])
def test_what_has_never_been_there_is_young_for_two_days(hours_ago: float, young: bool) -> None:
    findings = freshness.of_series(never(since=NOW - timedelta(hours=hours_ago)), POLICY, NOW)
    titles = ["The data are stale", "The forecasts are stale"]
    assert [finding.kind.title for finding in findings if finding.young] == titles * young
    assert stale(findings) == titles * (not young)


def test_a_series_of_which_no_beginning_is_recorded_is_not_young() -> None:
    findings = freshness.of_series(never(since=None), POLICY, NOW)
    assert stale(findings) == ["The data are stale", "The forecasts are stale"]


def test_data_that_came_and_stopped_are_stale_however_young_the_copy_is() -> None:
    young = state(since=NOW - timedelta(hours=40), loads=loads_until(30))
    assert stale(freshness.of_series(young, POLICY, NOW)) == ["The data are stale"]


def test_a_series_with_too_few_hours_for_a_first_training_has_no_forecast_yet() -> None:
    findings = freshness.of_series(state(issues=[], champion_created=None, hours=100), POLICY, NOW)
    (forecast,) = [finding for finding in findings if finding.young]
    assert stale(findings) == []
    assert forecast.evidence == "newest forecast: none; 100 of 504 hours for a first training are stored"


def test_a_source_that_has_never_answered_is_quoted() -> None:
    (data, *_) = freshness.of_series(never(failure="404 Not Found"), POLICY, NOW)
    assert data.evidence == "newest stored hour: none; the source has never answered: 404 Not Found"
    assert "press Run workflow of `start`" in data.remedy


def test_old_champion() -> None:
    findings = freshness.of_series(state(champion_created=NOW - timedelta(days=91)), POLICY, NOW)
    assert stale(findings) == ["Champions are old"]


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
    started = [NOW - timedelta(hours=first), *runs] if first else runs
    workflow = WorkflowRuns("etl.yml", 12, started, runs)
    assert freshness.of_workflow(workflow, FreshnessSettings(), NOW).stale is expected


@pytest.mark.parametrize(("hours_ago", "expected"), [([], False), ([30, 3], True), ([30], False)])
def test_a_workflow_runs_still_when_its_newest_run_is_recent(hours_ago: list[float], expected: bool) -> None:
    started = [NOW - timedelta(hours=hours) for hours in hours_ago]
    assert freshness.runs_still(WorkflowRuns("etl.yml", 12, started, []), NOW) is expected


def test_the_first_start_is_that_of_any_workflow() -> None:
    early, late = (WorkflowRuns("x.yml", 12, [NOW - timedelta(hours=hours)], []) for hours in (5, 1))
    assert freshness.first_start([late, early]) == NOW - timedelta(hours=5)
    assert freshness.first_start([]) is None


def test_the_schedule_is_the_one_that_the_settings_name() -> None:
    text = (ROOT / ".github/workflows/check_freshness.yml").read_text(encoding="utf-8")
    cron = yaml.safe_load(text)[True]["schedule"][0]["cron"]
    assert re.fullmatch(rf"\d+ \*/{POLICY.look_hours:g} \* \* \*", cron)


def test_the_watched_workflows_exist_and_have_a_schedule() -> None:
    for file in FreshnessSettings().workflow_hours:
        assert "schedule:" in (ROOT / ".github/workflows" / file).read_text(encoding="utf-8")

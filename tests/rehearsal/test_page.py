"""The page of a rehearsal: its table, its pictures, and titles that mean harm."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from actioncast.rehearsal import page
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.report import RehearsalReport
from actioncast.rehearsal.world.faults import Faults
from tests.support.rehearsals import outcome_of, plan_of, report_of


def page_of(plan: Plan, report: RehearsalReport) -> str:
    return page.render(plan, replace(report, start=plan.start, end=plan.end, ticks=plan.ticks))


def test_every_policy_has_a_row_and_a_picture_of_its_errors() -> None:
    outcomes = [
        replace(outcome_of("often", 600, 40), errors=[(0, 500.0), (1, 1000.0)], naive_mae=1000.0),
        replace(outcome_of("never", 1234.5, 0), errors=[(0, 800.0)]),
    ]
    text = page_of(plan_of(2), report_of(*outcomes))
    assert "<td>often</td><td>600</td>" in text
    assert "<td>never</td><td>1,234</td>" in text
    assert text.count("<svg") == 2
    assert 'points="64.0,97.8 81.9,21.6"' in text  # 50 hours are 896 pixels, 1,050 transactions/h are 160


def test_a_picture_shows_retrains_outages_and_changes() -> None:
    plan = plan_of(2, Faults().with_flag("silent=10@20").with_flag("shift=2@40"))
    outcome = replace(outcome_of("often", 600, 2), errors=[(0, 500.0)])
    moments = [(plan.start + timedelta(hours=hour)).isoformat() for hour in (0, 25, 45)]
    outcome.progress.trainings = list(zip(moments, (True, True, False), strict=True))
    text = page_of(plan, report_of(outcome))
    assert re.findall(r'<line class="(promoted|kept)" x1="([\d.]+)"', text) == [
        ("promoted", "512.0"),
        ("kept", "870.4"),
    ]
    assert 'class="outage" x="422.4" y="14" width="179.2"' in text
    assert ">shift 2</text>" in text


def test_titles_that_mean_harm_stay_text() -> None:
    harm = '<script>alert("1")</script>'
    outcome = replace(outcome_of(harm, 600, 1), errors=[(0, 500.0)])
    outcome.progress.violations = [f"{harm} is lost"]
    plan = plan_of(2)
    settings = plan.settings.model_copy(update={"series": {harm: plan.settings.series[plan.series_id]}})
    plan = replace(plan, series_id=harm, settings=settings)
    text = page_of(plan, replace(report_of(outcome), unit=harm, scenario=harm))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 7


def test_broken_promises_are_listed() -> None:
    outcome = outcome_of("often", 600, 1)
    assert "Every promise of the loop held" in page_of(plan_of(2), report_of(outcome))
    outcome.progress.violations = ["an hour is lost"]
    assert '<p class="bad">an hour is lost</p>' in page_of(plan_of(2), report_of(outcome))

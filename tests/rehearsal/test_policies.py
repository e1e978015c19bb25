"""Policies: the flags, the grid, the recommendation; the tutorial's storm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from actioncast.rehearsal import tutorial
from actioncast.rehearsal.invariants import over_budget
from actioncast.rehearsal.loop import Progress
from actioncast.rehearsal.plan import due_runs
from actioncast.rehearsal.policies import Policy, read_policies
from actioncast.rehearsal.report import recommendation, recommended
from actioncast.rehearsal.score import degraded_hours, minutes
from actioncast.rehearsal.world.faults import Faults
from actioncast.settings import RetrainSettings
from tests.support.clock import at
from tests.support.rehearsals import OWN, outcome_of, plan_of, report_of


def test_a_policy_is_named_or_described() -> None:
    never, mine = read_policies(["never", "mine:cooldown_hours=72,bad_checks=2,refresh_hours=168"], [], OWN)
    assert (never.retrain.mode, never.refresh_hours) == ("suggest", 0)
    assert (mine.retrain.cooldown_hours, mine.retrain.bad_checks, mine.refresh_hours) == (72, 2, 168)


def test_a_grid_spans_all_combinations() -> None:
    policies = read_policies([], ["window_hours=24,48", "maximum_ratio_to_naive=0.8,0.9,1.0"], OWN)
    assert len({(p.retrain.window_hours, p.retrain.maximum_ratio_to_naive) for p in policies}) == 6


def test_without_a_flag_it_is_the_users_own() -> None:
    (policy,) = read_policies([], [], OWN)
    assert (policy.name, policy.retrain) == ("config.toml", OWN)


def test_of_policies_as_good_the_one_that_trains_least_is_recommended() -> None:
    report = report_of(outcome_of("often", 600, 40), outcome_of("some", 605, 5), outcome_of("never", 900, 0))
    assert recommended(report).policy.name == "some"
    assert 'mode = "dispatch"' in recommendation(report)
    assert report.as_json()["recommended"] == "some"


def test_broken_promises_fail_the_rehearsal_and_name_their_policy() -> None:
    bad = replace(outcome_of("often", 600, 40), progress=Progress(violations=["an hour is lost"]))
    report = report_of(bad, outcome_of("never", 900, 0))
    assert report.failed
    assert report.violations == ["often: an hour is lost"]


def test_the_tutorials_policy_on_the_real_47_days_is_a_storm() -> None:
    storm = tutorial.rehearse(plan_of(21), Policy("tutorial", OWN))
    assert storm.retrains > 200
    assert storm.live_mae is not None
    assert storm.live_mae > 2000


def test_its_stored_error_compares_a_rate_with_a_sum() -> None:
    rates = np.full(60, 3.0)
    assert tutorial.stored_error(rates, rates) == 9.0
    assert tutorial.stored_error(np.full(60, np.nan), rates) == 0.0


def test_jobs_are_due_when_their_cron_says() -> None:
    plan = plan_of(2)
    due = due_runs(plan, {"ingest": 1, "check": 2, "refresh": 24})
    jobs = [run.job for tick in due for run in tick]
    assert len(due) == plan.ticks == 50
    assert [jobs.count(name) for name in ("ingest", "check", "refresh")] == [50, 25, 2]
    assert [run.job for run in due[23]] == ["ingest", "refresh", "check"]


def test_late_runs_keep_their_order_in_time() -> None:
    due = due_runs(plan_of(2, Faults(late=180)), {"ingest": 1, "check": 2})
    moments = [run.moment for tick in due for run in tick]
    assert moments == sorted(moments)


def test_the_budget_is_counted_a_week_back() -> None:
    policy = RetrainSettings(maximum_per_week=2, cooldown_hours=24)
    assert list(over_budget([at(100), at(50)], policy, at(100))) == []
    assert "3 retrains were asked for" in next(over_budget([at(100), at(50), at(0)], policy, at(100)))
    assert "inside the cooldown" in next(over_budget([at(60), at(50)], policy, at(60)))


def test_minutes_are_whole_ones_of_every_job() -> None:
    progress = Progress(
        runs={"ingest": 24, "check": 12, "forecast": 4, "train": 1}, trainings=[("", True), ("", False)]
    )
    assert minutes(progress) == 24 + 12 + 4 + 3 + 2


def test_hours_are_degraded_against_the_time_before_the_change() -> None:
    told = Faults().with_flag("shift=2@4")
    errors = [(hour, 100.0 if hour < 4 else 500.0 if hour < 7 else 210.0) for hour in range(10)]
    assert degraded_hours(errors, plan_of(2, told)) == 3
    assert degraded_hours(errors, plan_of(2)) is None

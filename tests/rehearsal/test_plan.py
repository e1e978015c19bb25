"""When each job is due."""

from __future__ import annotations

from actioncast.rehearsal.plan import due_runs
from actioncast.rehearsal.world.faults import Faults
from tests.support.rehearsals import plan_of


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

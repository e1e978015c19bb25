"""What a policy costs, and the hours in which its forecasts were bad."""

from __future__ import annotations

from actioncast.rehearsal.loop import Progress
from actioncast.rehearsal.score import degraded_hours, minutes
from actioncast.rehearsal.world.faults import Faults
from tests.support.rehearsals import plan_of


def test_minutes_are_whole_ones_of_every_job() -> None:
    runs = {"ingest": 24, "check": 12, "forecast": 4, "train": 1}
    progress = Progress(runs=runs, trainings=[("", True), ("", False)])
    assert minutes(progress) == 24 + 12 + 4 + 3 + 2


def test_hours_are_degraded_against_the_time_before_the_change() -> None:
    doubled = Faults().with_flag("shift=2@4")
    errors = list(enumerate([100.0] * 4 + [500.0] * 3 + [210.0] * 3))
    assert degraded_hours(errors, plan_of(2, doubled)) == 3
    assert degraded_hours(errors, plan_of(2)) is None

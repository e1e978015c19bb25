"""What is rehearsed: the series, the live span, the faults, and when each job is due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from actioncast.periods.points import Points
from actioncast.rehearsal.world import faults as world_faults
from actioncast.rehearsal.world.faults import Faults, Mishap
from actioncast.rehearsal.world.replay import RecordingError, first_and_last
from actioncast.settings import Settings
from actioncast.times import HOURS_PER_DAY, ONE_HOUR, floor_hour, to_seconds

MINUTE = 17  # of the hour at which the jobs are due
CHECK_EVERY = 2  # hours, as the workflows do
ORDER = ("ingest", "refresh", "forecast", "check", "freshness")  # of jobs due at the same moment
SHORTEST_LEAD_IN = 200  # hours before the live span to learn from
LAST_TICKS = 2  # after the live span, in which its last hours become visible


@dataclass(frozen=True)
class Plan:
    """One rehearsal, the same for every policy.

    The faults of the series are in `recording` already.
    """

    settings: Settings
    series_id: str
    recording: Points
    start: datetime  # from here on the series arrives hour by hour
    ticks: int
    faults: Faults
    seed: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(hours=self.ticks)


@dataclass(frozen=True)
class Run:
    """One run of a job: the hour of the rehearsal in which it is due, the moment it starts, and its mishap."""

    hour: int
    moment: datetime
    job: str
    mishap: Mishap


def make_plan(
    settings: Settings,
    recording: Points,
    *,
    series_id: str,
    hours: int,
    faults: Faults,
    seed: int,
) -> Plan:
    """The last `hours` of the recording arrive live.

    Raises RecordingError when too few are left to learn from.
    """
    first, last = first_and_last(recording)
    earliest_start = floor_hour(first) + timedelta(hours=SHORTEST_LEAD_IN)
    start = floor_hour(last) - timedelta(hours=hours) + timedelta(minutes=MINUTE)
    if start < earliest_start or hours < 1:
        raise RecordingError(
            f"the recording spans {(last - first).days} days; "
            f"{hours / HOURS_PER_DAY:.3g} live leave less than "
            f"{SHORTEST_LEAD_IN / HOURS_PER_DAY:.3g} to learn from"
        )
    return Plan(
        settings=settings,
        series_id=series_id,
        recording=world_faults.spoiled(recording, faults, to_seconds(start), seed),
        start=start,
        ticks=hours + LAST_TICKS,
        faults=faults,
        seed=seed,
    )


def due_runs(plan: Plan, intervals: Mapping[str, int]) -> list[list[Run]]:
    """The runs that start in the hour of each tick, in order.

    `intervals`: job -> hours, 0 for never.
    """
    ticks: list[list[Run]] = [[] for _ in range(plan.ticks)]
    for job, interval in intervals.items():
        for run in _runs(plan, job, interval):
            tick = int((run.moment - plan.start) / ONE_HOUR) - 1
            if tick < plan.ticks:
                ticks[tick].append(run)
    return [sorted(runs, key=_start_order) for runs in ticks]


def _start_order(run: Run) -> tuple[datetime, int]:
    return run.moment, ORDER.index(run.job)


def _runs(plan: Plan, job: str, interval: int) -> Iterator[Run]:
    """The runs of one job that GitHub starts at all, each as late as its mishap says."""
    if not interval:
        return
    for hour in range(interval, plan.ticks + 1, interval):
        if world_faults.starts(plan.faults, plan.seed, job, interval, hour):
            mishap = world_faults.mishap(plan.faults, plan.seed, job, hour)
            delay = timedelta(hours=hour, seconds=round(60 * mishap.late))
            yield Run(hour, plan.start + delay, job, mishap)

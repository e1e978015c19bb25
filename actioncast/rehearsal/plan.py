"""What is rehearsed: the series, the live span, the faults, and when each job is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from actioncast import times
from actioncast.hours import Points
from actioncast.rehearsal.world import faults as faults_module
from actioncast.rehearsal.world.faults import Faults, Mishap, starts
from actioncast.rehearsal.world.replay import RecordingError, first_and_last
from actioncast.settings import Settings
from actioncast.times import to_seconds

MINUTE = 17  # of the hour at which the jobs are due
CHECK_EVERY = 2  # hours, as the workflows do
ORDER = ("ingest", "refresh", "forecast", "check", "freshness")  # of jobs that are due at the same moment
SHORTEST_LEAD_IN = timedelta(hours=200)  # to learn from


@dataclass(frozen=True)
class Plan:
    """One rehearsal, the same for every policy. `recording` is spoiled already."""

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
    """One run of a job: due in an hour of the rehearsal, started at a moment, with what befalls it."""

    hour: int
    moment: datetime
    job: str
    mishap: Mishap


def make_plan(settings: Settings, recording: Points, *, series_id: str, hours: int, faults_: Faults, seed: int) -> Plan:
    """The last `hours` of the recording arrive live, and two ticks more to see them."""
    first, last = first_and_last(recording)
    earliest = times.floor_hour(first) + SHORTEST_LEAD_IN
    start = times.floor_hour(last) - timedelta(hours=hours) + timedelta(minutes=MINUTE)
    if start < earliest or hours < 1:
        raise RecordingError(
            f"the recording spans {(last - first).days} days; {hours / 24:.3g} live leave less than "
            f"{SHORTEST_LEAD_IN / timedelta(days=1):.3g} to learn from"
        )
    spoiled = faults_module.spoiled(recording, faults_, to_seconds(start), seed)
    return Plan(settings, series_id, spoiled, start, hours + 2, faults_, seed)


def due_runs(plan: Plan, every: dict[str, int]) -> list[list[Run]]:
    """For each tick the runs that start in its hour, in order. `every`: job -> hours, 0 for never."""
    ticks: list[list[Run]] = [[] for _ in range(plan.ticks)]
    for run in _runs(plan, every):
        tick = int((run.moment - plan.start) / timedelta(hours=1)) - 1
        if tick < plan.ticks:
            ticks[tick].append(run)
    return [sorted(runs, key=lambda run: (run.moment, ORDER.index(run.job))) for runs in ticks]


def _runs(plan: Plan, every: dict[str, int]) -> Iterator[Run]:
    for job, hours in every.items():
        for hour in range(hours, plan.ticks + 1, hours) if hours else ():
            if starts(plan.faults, plan.seed, job, hours, hour):
                befalls = faults_module.mishap(plan.faults, plan.seed, job, hour)
                moment = plan.start + timedelta(hours=hour, seconds=round(60 * befalls.late))
                yield Run(hour, moment, job, befalls)

"""What is rehearsed: the series, the live span, the faults, and when each job is due."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from actioncast.periods.axis import Cycles
from actioncast.periods.points import Points
from actioncast.periods.timeline import Timeline
from actioncast.rehearsal.world import faults as world_faults
from actioncast.rehearsal.world.faults import Faults, Mishap
from actioncast.rehearsal.world.replay import RecordingError, first_and_last
from actioncast.settings import Settings
from actioncast.times import HOUR, HOURS_PER_DAY, ONE_HOUR, floor_hour, to_seconds

MINUTE = 17  # of the hour at which the jobs are due
CHECK_EVERY = 2  # hours, as the workflows do
ORDER = ("ingest", "refresh", "forecast", "check", "freshness")  # of jobs due at the same moment
SHORTEST_LEAD_IN = 200  # hours before the live span to learn from
FEWEST_PERIODS = 12  # likewise, of a day and longer
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
        return self.moment(self.ticks)

    @property
    def timeline(self) -> Timeline:
        return self.settings.series[self.series_id].timeline

    @property
    def tick_seconds(self) -> int:
        """Of a tick, on average."""
        return seconds_of_tick(self.timeline)

    def moment(self, tick: float) -> datetime:
        """When so many ticks have passed: the clock steps by the hour, or by a period that is longer."""
        if self.tick_seconds == HOUR:
            return self.start + timedelta(hours=tick)
        whole = math.floor(tick)
        part = timedelta(seconds=round((tick - whole) * self.tick_seconds))
        return self.timeline.shift(self.start, whole) + timedelta(minutes=MINUTE) + part

    def tick_of(self, moment: datetime) -> float:
        """How many ticks have passed at a moment."""
        if self.tick_seconds == HOUR:
            return (moment - self.start) / ONE_HOUR
        whole = self.timeline.number_of(moment) - self.timeline.number_of(self.start)
        return whole + (moment - self.moment(whole)) / timedelta(seconds=self.tick_seconds)

    def ticks_in(self, hours: float) -> int:
        """Ticks in so many hours, at least one."""
        return max(1, round(hours * HOUR / self.tick_seconds))

    def every(self, hours: int) -> int:
        """Ticks between two runs of a job that comes every so many hours; 0 for never."""
        return self.ticks_in(hours) if hours else 0


@dataclass(frozen=True)
class Run:
    """One run of a job: the hour of the rehearsal in which it is due, the moment it starts, and its mishap."""

    hour: int
    moment: datetime
    job: str
    mishap: Mishap


def seconds_of_tick(timeline: Timeline) -> int:
    """Of a tick of this timeline, on average: an hour, or a period that is longer."""
    return max(HOUR, timeline.frequency.seconds)


def make_plan(
    settings: Settings,
    recording: Points,
    *,
    series_id: str,
    ticks: int,
    faults: Faults,
    seed: int,
) -> Plan:
    """The last `ticks` of the recording arrive live.

    Raises RecordingError when too few are left to learn from.
    """
    first, last = first_and_last(recording)
    timeline = settings.series[series_id].timeline
    start, earliest_start = _starts(timeline, first, last, ticks)
    if start < earliest_start or ticks < 1:
        days = timedelta(seconds=seconds_of_tick(timeline)) / timedelta(days=1)
        raise RecordingError(
            f"the recording spans {(last - first).days} days; "
            f"{ticks * days:.3g} live leave less than {lead_in_ticks(timeline) * days:.3g} to learn from"
        )
    return Plan(
        settings=settings,
        series_id=series_id,
        recording=world_faults.spoiled(recording, faults, to_seconds(start), seed, tick=seconds_of_tick(timeline)),
        start=start,
        ticks=ticks + LAST_TICKS,
        faults=faults,
        seed=seed,
    )


def lead_in_ticks(timeline: Timeline) -> int:
    """Ticks before the live span to learn from, at least."""
    if seconds_of_tick(timeline) == HOUR:
        return SHORTEST_LEAD_IN
    return max(Cycles(timeline).days(SHORTEST_LEAD_IN / HOURS_PER_DAY), FEWEST_PERIODS)


def _starts(timeline: Timeline, first: datetime, last: datetime, ticks: int) -> tuple[datetime, datetime]:
    """When the live span of so many ticks begins, and when it may begin at the earliest."""
    minute = timedelta(minutes=MINUTE)
    lead_in = lead_in_ticks(timeline)
    if seconds_of_tick(timeline) == HOUR:
        earliest = floor_hour(first) + timedelta(hours=lead_in)
        return floor_hour(last) - timedelta(hours=ticks) + minute, earliest
    return timeline.shift(last, -ticks) + minute, timeline.shift(first, lead_in)


def due_runs(plan: Plan, intervals: Mapping[str, int]) -> list[list[Run]]:
    """The runs that start in the hour of each tick, in order.

    `intervals`: job -> ticks, 0 for never.
    """
    ticks: list[list[Run]] = [[] for _ in range(plan.ticks)]
    for job, interval in intervals.items():
        for run in _runs(plan, job, interval):
            tick = int(plan.tick_of(run.moment)) - 1
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
            moment = plan.moment(hour) + timedelta(seconds=round(60 * mishap.late))
            yield Run(hour, moment, job, mishap)

"""Rehearses one policy hour by hour, as the crons would start it, and checks every promise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from actioncast.rehearsal.invariants import Invariants
from actioncast.rehearsal.jobs import Jobs, Scripts
from actioncast.rehearsal.plan import CHECK_EVERY, Run, due_runs
from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.runner import WORKFLOWS, Runner, closes_on_recovery
from actioncast.rehearsal.stage import Stage
from actioncast.rehearsal.world import faults
from actioncast.rehearsal.world.faults import Faults, Mishap

RETRAIN_AFTER = timedelta(minutes=3)  # a dispatch starts its workflow soon: it is no cron
FRESHNESS_EVERY = 12  # hours
SAVE_EVERY = 24  # ticks
EMPTY_ANSWERS = 2  # one for each of two runs at once


class Loop:
    """The workflows of one repository under one policy."""

    def __init__(
        self,
        stage: Stage,
        scripts: Scripts,
        *,
        forecast_every: int,
        progress: Progress,
    ) -> None:
        self.stage = stage
        self.plan = stage.plan
        self.source = stage.source
        self.progress = progress
        self.invariants = Invariants(stage.plan, stage.database, stage.series_id)
        self.jobs = Jobs(stage, scripts, self.invariants, progress)
        self.runner = Runner(self.jobs)
        every = stage.plan.every
        ticks_between_runs = {
            "ingest": 1,
            "forecast": every(forecast_every),
            "check": every(CHECK_EVERY),
            "refresh": every(stage.policy.refresh_hours),
            "freshness": every(FRESHNESS_EVERY),
        }
        self.due = due_runs(stage.plan, ticks_between_runs)  # for each tick

    def set_up(self) -> None:
        """What a user does once, without any fault: load the history, train, forecast."""
        start = self.plan.start
        self.source.now = start
        self.jobs.load_history(start)
        self.jobs.retrain(start)

    def resume(self) -> None:
        """Expect the periods that were shown before this point."""
        now = self.plan.moment(self.progress.ticks)
        self.source.now = now
        # Runs after the last save have stored some of the recording.
        self.invariants.before_reading(self.plan.recording, self.plan.end)
        self.invariants.after_reading(self.source.shown(), self._stored_until(now))

    def _stored_until(self, now: datetime) -> datetime:
        """End of the newest stored hour, at most `now`."""
        last_period = self.stage.database.last_period(self.stage.series_id)
        if last_period is None:
            return now
        timeline = self.plan.timeline
        return min(now, timeline.end_of(timeline.number_of(last_period)))

    def run(self, advance: Callable[[float], object]) -> None:
        """Run all ticks that are left; `advance` is told of each."""
        for tick in range(self.progress.ticks, self.plan.ticks):
            self._tick(tick)
            advance(1)
        self._recover()
        self._save()

    def _tick(self, tick: int) -> None:
        """One tick: its runs, the check of the promises, and now and then a save."""
        trainings = len(self.progress.trainings)
        for run in self.due[tick]:
            self._start(run)
        self.progress.ticks += 1
        now = self.plan.moment(tick + 1)
        self.progress.add_violations(self.invariants.check_tick(now))
        # A training is saved at once, so that a resumed rehearsal does not repeat it.
        has_trained = len(self.progress.trainings) > trainings
        if has_trained or self.progress.ticks % SAVE_EVERY == 0:
            self._save()

    def _save(self) -> None:
        self.progress.save(self.stage.settings.folder)

    def _recover(self) -> None:
        """Run the jobs once more without a fault, and check that incidents are closed."""
        now = self.plan.end + timedelta(minutes=1)
        self.source.now = now
        self.source.silent_since = None
        self.source.answers = []
        jobs = ["ingest", "check"] if self.plan.faults == Faults() else list(WORKFLOWS)
        for job in jobs:
            self.runner.run(Run(self.plan.ticks, now, job, Mishap()), now)
        self.progress.add_violations(self.invariants.check_end())
        self.progress.add_violations(
            f"incident not closed after recovery: {title}"
            for title in self.stage.github.open_issues
            if closes_on_recovery(title)
        )

    def _start(self, run: Run) -> None:
        """Start a run under its faults, and the retrain that it may have asked for."""
        now = run.moment + timedelta(seconds=round(60 * run.mishap.skew))
        self.source.now = run.moment
        self._set_source(run)
        self.runner.start(run, now)
        self.source.answers = []
        if self.stage.github.dispatches:
            self._start_retrain(run.hour, now)

    def _set_source(self, run: Run) -> None:
        """Let the source fail as the plan and the mishap of this run say."""
        hour = self.plan.tick_of(run.moment)
        silence = self.plan.faults.silence_at(hour)
        self.source.silent_since = None
        if silence is not None:
            self.source.silent_since = self.plan.moment(silence.at)
        if self.plan.faults.is_empty_at(hour):
            self.source.answers = ["empty"] * EMPTY_ANSWERS
        else:
            self.source.answers = list(run.mishap.answers)

    def _start_retrain(self, hour: int, now: datetime) -> None:
        """Start the retrain workflow once for all dispatches of this moment.

        GitHub does the same: the workflow's concurrency group drops the others.
        """
        self.stage.github.dispatches = []
        retrain = self.stage.settings.retrain_of(self.stage.series_id)
        self.progress.add_violations(self.invariants.check_retrain_budget(retrain, now))
        mishap = faults.mishap(self.plan.faults, self.plan.seed, "train", hour)
        moment = now + RETRAIN_AFTER
        self.runner.run(Run(hour, moment, "train", mishap), moment)

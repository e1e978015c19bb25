"""Rehearses one policy hour by hour: scripts run when their cron would, and every promise is checked."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.forecasting.card import read_card
from actioncast.github import incidents
from actioncast.github.api import Api
from actioncast.rehearsal.invariants import Witness
from actioncast.rehearsal.plan import CHECK_EVERY, Plan, Run, due_runs
from actioncast.rehearsal.policies import Policy
from actioncast.rehearsal.stage import PROGRESS, checkout, impatient
from actioncast.rehearsal.world import faults
from actioncast.rehearsal.world.faults import Faults, Killed, Mishap
from actioncast.rehearsal.world.github import REPOSITORY, TOKEN, GitHubStandIn
from actioncast.rehearsal.world.replay import ReplayServer
from actioncast.settings import Settings
from actioncast.times import floor_hour

log = logging.getLogger("actioncast")
Verb = Callable[..., Any]
RETRAIN_AFTER = timedelta(minutes=3)  # a dispatch starts its workflow soon: it is no cron
FRESHNESS_EVERY = 12  # hours
WORKFLOWS = {
    "ingest": "update_real_data",
    "forecast": "make_predictions",
    "check": "check_retrain",
    "freshness": "check_freshness",
}
SAVE_EVERY = 24  # ticks
MOST_VIOLATIONS = 50  # that are kept; one broken promise repeats itself at every tick


@dataclass(frozen=True)
class Scripts:
    """The scripts' `run`, handed in: rooms do not import scripts."""

    ingest: Verb
    forecast: Verb
    check: Verb
    train: Verb
    freshness: Verb


@dataclass
class Progress:
    """What happened so far; saved with the rehearsal, so that it can be resumed."""

    ticks: int = 0
    seconds: float = 0.0
    runs: dict[str, int] = field(default_factory=dict)  # job -> runs started
    failures: dict[str, int] = field(default_factory=dict)  # "job: kind" -> how often
    checks: dict[str, int] = field(default_factory=dict)  # verdict -> how often
    trainings: list[tuple[str, bool]] = field(default_factory=list)  # (moment, promoted), the first one included
    published_bytes: int = 0  # of models that were promoted
    first_training: str = ""  # its report
    last_check: str = ""  # its report
    verdict: str = ""  # of the last check
    violations: list[str] = field(default_factory=list)

    def count(self, counts: dict[str, int], name: str) -> None:
        counts[name] = counts.get(name, 0) + 1

    def broken(self, promises: Iterator[str]) -> None:
        new = [promise for promise in promises if promise not in self.violations]
        self.violations += new[: max(MOST_VIOLATIONS - len(self.violations), 0)]

    def save(self, folder: Path) -> None:
        waiting = folder / f"{PROGRESS}.new"
        waiting.write_text(json.dumps(asdict(self)), encoding="utf-8")
        waiting.replace(folder / PROGRESS)

    @classmethod
    def read(cls, folder: Path) -> Progress | None:
        """The progress of an interrupted rehearsal; None when there is none."""
        path = folder / PROGRESS
        if not path.is_file():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**saved, "trainings": [(moment, promoted) for moment, promoted in saved["trainings"]]})


@dataclass
class Loop:
    """The workflows of one repository under one policy."""

    plan: Plan
    policy: Policy
    scripts: Scripts
    settings: Settings
    series_id: str
    database: Database
    source: ReplayServer
    github: GitHubStandIn
    forecast_every: int
    progress: Progress

    def __post_init__(self) -> None:
        self.witness = Witness(self.plan, self.database, self.series_id)
        self.api = Api(self.github.url, REPOSITORY, TOKEN, pauses=(0.0, 0.0))
        self.notebook = threading.Lock()  # two runs of the same moment write into one witness and one progress
        self.together = threading.Barrier(1)
        every = {
            "ingest": 1,
            "forecast": self.forecast_every,
            "check": CHECK_EVERY,
            "refresh": self.policy.refresh_hours,
            "freshness": FRESHNESS_EVERY,
        }
        self.due = due_runs(self.plan, every)

    def set_up(self) -> None:
        """What a user does once, and nothing fails: load the history, train, forecast."""
        start = self.source.now = self.plan.start
        self.scripts.ingest(self.settings, self.database, start, series_id=self.series_id, backfill=True)
        self.witness.saw(self.source.shown(), start)
        self._publish_training(start)
        self._forecast(start)

    def resume(self) -> None:
        """Remember what was shown before this point."""
        now = self.source.now = self.plan.start + timedelta(hours=self.progress.ticks)
        last = self.database.last_hour(self.series_id)
        shown = self.source.shown()
        until = now if last is None else min(now, last + timedelta(hours=1))
        self.witness.offers(self.plan.recording, self.plan.end)  # the ticks since it was saved have stored some of it
        self.witness.saw(shown, until)

    def run(self, advance: Callable[[float], object]) -> Progress:
        """All ticks that are left."""
        for tick in range(self.progress.ticks, self.plan.ticks):
            trainings = len(self.progress.trainings)
            for run in self.due[tick]:
                self._start(run)
            self.progress.ticks += 1
            self.progress.broken(self.witness.tick(self.plan.start + timedelta(hours=tick + 1)))
            if self.progress.ticks % SAVE_EVERY == 0 or len(self.progress.trainings) > trainings:  # no training twice
                self.progress.save(self.settings.folder)
            advance(1)
        self._last_look()
        self.progress.save(self.settings.folder)
        return self.progress

    def _last_look(self) -> None:
        """Without a fault: the source is read once more and the champion judged, so that recovery can be seen."""
        self.source.silent_since, self.source.answers = None, []
        now = self.source.now = self.plan.end + timedelta(minutes=1)
        for job in WORKFLOWS if self.plan.faults != Faults() else ("ingest", "check"):
            self._guarded(Run(self.plan.ticks, now, job, Mishap()), now)
        self.progress.broken(self.witness.end())
        mended = [f"incident not closed after recovery: {title}" for title in self.github.open_issues if _mends(title)]
        self.progress.broken(iter(mended))

    # one run --------------------------------------------------------------------------------------------------------

    def _start(self, run: Run) -> None:
        self.source.now = run.moment
        now = run.moment + timedelta(seconds=round(60 * run.mishap.skew))
        self._set_source(run)
        if run.mishap.twice and run.job in ("ingest", "forecast"):
            self._both(lambda: self._guarded(run, now))
        else:  # the concurrency group of a workflow lets its runs follow each other
            for _ in range(1 + run.mishap.twice):
                self._guarded(run, now)
        self.source.answers = []
        if self.github.dispatches:
            self._answer_dispatch(run.hour, now)

    def _answer_dispatch(self, hour: int, now: datetime) -> None:
        """GitHub starts the retrain workflow, once for all that asked at this moment: its group drops the others."""
        self.github.dispatches = []
        self.progress.broken(self.witness.budget(self.policy.retrain, now))
        befalls = faults.mishap(self.plan.faults, self.plan.seed, "train", hour)
        self._guarded(Run(hour, now + RETRAIN_AFTER, "train", befalls), now + RETRAIN_AFTER)

    def _set_source(self, run: Run) -> None:
        hours = (run.moment - self.plan.start) / timedelta(hours=1)
        silent = [span for span in self.plan.faults.silent if span.at <= hours < span.at + span.amount]
        empty = any(span.at <= hours < span.at + span.amount for span in self.plan.faults.empty)
        self.source.silent_since = self.plan.start + timedelta(hours=silent[0].at) if silent else None
        self.source.answers = ["empty"] * 2 if empty else list(run.mishap.answers)

    def _both(self, action: Callable[[], None]) -> None:
        """Two runners at the same moment, under the same faults from beginning to end."""
        self.together = threading.Barrier(2)
        threads = [threading.Thread(target=action) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.together = threading.Barrier(1)

    def _guarded(self, run: Run, now: datetime) -> None:
        """A failure is counted and must have said why; anything that is no failure of ours is a broken promise."""
        with self.notebook:
            self.progress.count(self.progress.runs, run.job)
        jobs = {
            "ingest": self._ingest,
            "forecast": self._forecast,
            "check": self._check,
            "freshness": self._freshness,
        }
        failure: BaseException | None = None
        try:
            with self._struck(run):
                jobs.get(run.job, self._train)(now)
        except (Killed, Exception) as error:  # noqa: BLE001 - whatever a verb lets through is a finding, not the end
            failure = error
            with self.notebook:
                self._note(run, now, error)
        if failure or self.github.open_issues:  # the last step of every workflow
            title = f"{WORKFLOWS.get(run.job, 'retrain')} is failing"
            incidents.sync_issue(self.api, title, f"{type(failure).__name__}: {failure}" if failure else None)

    def _note(self, run: Run, now: datetime, error: BaseException) -> None:
        """Count a failure and hold it to its promise of a reason."""
        if isinstance(error, Killed):
            self.progress.count(self.progress.failures, f"{run.job}: killed")
        elif isinstance(error, ActioncastError):
            self.progress.count(self.progress.failures, f"{run.job}: {type(error).__name__}")
            if not str(error):
                self.progress.broken(iter([f"the {run.job} of {now} failed without a word"]))
            if run.job == "ingest" and not run.mishap.down:
                self.progress.broken(self.witness.failed_ingest(now))
        else:
            self.progress.broken(iter([f"the {run.job} of {now} raised {type(error).__name__}: {error}"]))

    @contextmanager
    def _struck(self, run: Run) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(faults.unreachable(self.database.engine, run.mishap.down))
            stack.enter_context(faults.killed_at(self.database.engine, run.mishap.killed_at))
            self.together.wait()
            try:
                yield
            finally:
                self.together.wait()  # the engine is shared: no fault may end while the other run goes on

    # the jobs -------------------------------------------------------------------------------------------------------

    def _ingest(self, now: datetime) -> None:
        settings = impatient(self.settings, self.series_id) if "slow" in self.source.answers else self.settings
        with self.notebook:
            self.witness.offers(self.source.shown(days=9), now)
        self.scripts.ingest(settings, self.database, now, series_id=self.series_id)
        with self.notebook:
            self.witness.saw(self.source.shown(days=9), now)

    def _forecast(self, now: datetime) -> None:
        report = self.scripts.forecast(self.settings, self.database, now, series_id=self.series_id)
        card = read_card(self.settings.model_directory(self.series_id))
        self.progress.broken(self.witness.vintage(report.issued_at, card.version if card else None))

    def _check(self, now: datetime) -> None:
        report = self.scripts.check(self.settings, self.database, now, series_id=self.series_id)
        self.progress.verdict, self.progress.last_check = report.verdict.name, report.as_text()
        self.progress.count(self.progress.checks, self.progress.verdict)

    def _freshness(self, now: datetime) -> None:
        self.scripts.freshness(self.settings, self.database, now, series_ids=[self.series_id], api=self.api)

    def _train(self, now: datetime) -> None:
        """The retrain workflow: train, publish, and forecast with whoever serves then."""
        self._publish_training(now)
        self._forecast(now)

    def _publish_training(self, now: datetime) -> None:
        with checkout(self.settings, self.series_id):
            report = self.scripts.train(self.settings, self.database, now, series_id=self.series_id)
        self.progress.first_training = self.progress.first_training or report.as_text()
        self.progress.trainings.append((floor_hour(now).isoformat(), report.gate.promoted))
        if report.gate.promoted:
            place = self.settings.model_directory(self.series_id)
            self.progress.published_bytes += sum(path.stat().st_size for path in place.iterdir())


def _mends(title: str) -> bool:
    """Whether an incident must be closed once every job has run well; a failed retrain waits for the next one."""
    return title.removesuffix(" is failing") in WORKFLOWS.values() or title.endswith("stale")

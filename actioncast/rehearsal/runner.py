"""Runs jobs as GitHub does: under faults, perhaps two at once, with an issue for a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from actioncast.errors import ActioncastError
from actioncast.github.incidents import Incidents
from actioncast.rehearsal.jobs import Jobs
from actioncast.rehearsal.plan import Run
from actioncast.rehearsal.world import faults
from actioncast.rehearsal.world.faults import Killed

WORKFLOWS = {
    "ingest": "update_real_data",
    "forecast": "make_predictions",
    "check": "check_retrain",
    "freshness": "check_freshness",
}
RETRAIN_WORKFLOW = "retrain"  # of the jobs `train` and `refresh`
# Two runs of these may meet; those of another follow each other, by its concurrency group.
MEETING_JOBS = ("ingest", "forecast")


class Runner:
    """Starts runs, counts them and their failures, and checks that each failure gave a reason."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.stage = jobs.stage
        self.progress = jobs.progress
        self.invariants = jobs.invariants
        self.barrier = threading.Barrier(1)  # where runs of the same moment wait for each other

    def start(self, run: Run, now: datetime) -> None:
        """Start a run, or two of them if its mishap says so."""
        if run.mishap.twice and run.job in MEETING_JOBS:
            self._run_two_at_once(run, now)
            return
        self.run(run, now)
        if run.mishap.twice:
            self.run(run, now)

    def _run_two_at_once(self, run: Run, now: datetime) -> None:
        """Two runners at the same moment, under the same faults from beginning to end."""
        self.barrier = threading.Barrier(2)
        threads = [threading.Thread(target=self.run, args=(run, now)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.barrier = threading.Barrier(1)

    def run(self, run: Run, now: datetime) -> None:
        """One run; its failure is counted, checked for a reason, and reported as an incident."""
        with self.jobs.lock:
            self.progress.count_run(run.job)
        failure = self._attempt(run, now)
        if failure is not None:
            with self.jobs.lock:
                self._note_failure(run, now, failure)
        self._report_incident(run.job, failure, now)

    def _attempt(self, run: Run, now: datetime) -> BaseException | None:
        """Run the job under the faults of this run. Returns its failure, or None."""
        try:
            with self._faults(run):
                self.jobs.run(run.job, now)
        except (Killed, Exception) as error:  # noqa: BLE001 - a finding, not the end
            return error
        return None

    @contextmanager
    def _faults(self, run: Run) -> Iterator[None]:
        """The faults of this run on the database, which two runs of the same moment share."""
        database = self.stage.database
        with (
            faults.unreachable(database, run.mishap.down),
            faults.killed_at(database, run.mishap.killed_at),
        ):
            self.barrier.wait()
            try:
                yield
            finally:
                # No fault may end while the other run goes on.
                self.barrier.wait()

    def _note_failure(self, run: Run, now: datetime, failure: BaseException) -> None:
        """Count a failure; one of ours must have a reason, any other is a broken promise."""
        if isinstance(failure, Killed):
            self.progress.count_failure(run.job, "killed")
            return
        kind = type(failure).__name__
        if not isinstance(failure, ActioncastError):
            self.progress.add_violations([f"the {run.job} of {now} raised {kind}: {failure}"])
            return
        self.progress.count_failure(run.job, kind)
        if not str(failure):
            self.progress.add_violations([f"the {run.job} of {now} failed without a word"])
        if run.job == "ingest" and not run.mishap.down:
            self.progress.add_violations(self.invariants.check_failed_ingestion(now))

    def _report_incident(self, job: str, failure: BaseException | None, now: datetime) -> None:
        """Open or close the workflow's issue, as the last step of every workflow does."""
        if failure is None and not self.stage.github.open_issues:
            return
        title = f"{WORKFLOWS.get(job, RETRAIN_WORKFLOW)} is failing"
        reason = None if failure is None else f"{type(failure).__name__}: {failure}"
        Incidents(self.jobs.api, now=now).sync(title, reason)


def closes_on_recovery(title: str) -> bool:
    """Whether an issue must be closed once every job has run well.

    That of a failed retrain stays open until the next retrain.
    """
    workflow = title.removesuffix(" is failing")
    return workflow in WORKFLOWS.values() or title.endswith("stale")

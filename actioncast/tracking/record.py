"""Where a training run is recorded besides the ledger `training_runs`: MLflow and Neptune's offline
log.

    MLFLOW_TRACKING_URI=sqlite:///mlflow.db python train.py
    NEPTUNE_MODE=offline python train.py

Both are optional: without their variables `open_trackers` returns an empty list. A tracker that
fails or hangs costs a warning, never the training. Passwords and tokens appear neither in what is
returned nor in an error.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from actioncast.redaction import secret_values
from actioncast.tracking.mlflow import MlflowTracker
from actioncast.tracking.neptune import NeptuneTracker
from actioncast.tracking.run import TrainingRun
from actioncast.tracking.tracker import Tracker, TrackingError, explain_failure

log = logging.getLogger("actioncast")

PROJECT = "actioncast"  # name of the experiment or project where the user names none
TIME_LIMIT_SECONDS = 60.0  # for one tracker; importing mlflow alone takes about 5 s


def open_trackers(environment: Mapping[str, str], directory: Path) -> list[Tracker]:
    """The trackers that the environment asks for; an empty value counts as unset.

    MLFLOW_TRACKING_URI opens MLflow (with MLFLOW_EXPERIMENT_NAME), NEPTUNE_PROJECT or NEPTUNE_MODE
    opens Neptune, which writes below `directory`. Call it before training: a Neptune mode that can
    no longer work is a SettingsError.
    """
    trackers: list[Tracker] = []
    uri = environment.get("MLFLOW_TRACKING_URI")
    if uri:
        experiment = environment.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        trackers.append(MlflowTracker(uri, experiment, environment))
    project = environment.get("NEPTUNE_PROJECT")
    mode = environment.get("NEPTUNE_MODE")
    if project or mode:
        trackers.append(NeptuneTracker(project or PROJECT, mode or "offline", directory))
    return trackers


def record_everywhere(
    trackers: Iterable[Tracker], run: TrainingRun, limit_seconds: float = TIME_LIMIT_SECONDS
) -> list[str]:
    """Record the run with each tracker; one line per tracker, in order.

    A failure, or no answer within `limit_seconds`, is a line too and is logged as a warning: it
    never raises.
    """
    return [_record_or_explain(tracker, run, limit_seconds) for tracker in trackers]


def _record_or_explain(tracker: Tracker, run: TrainingRun, limit_seconds: float) -> str:
    try:
        return _within(limit_seconds, lambda: tracker.record(run))
    except Exception as error:  # noqa: BLE001 - whatever a tracker raises, the training is worth more
        reason = explain_failure(error, secret_values("", os.environ))
        line = f"{tracker.name}: run {run.run_id} was not recorded: {reason}"
    log.warning(line)
    return line


def _within(limit_seconds: float, action: Callable[[], str]) -> str:
    """Run `action` in a daemon thread, so that neither this call nor the end of the process waits for a dead server."""
    outcomes: list[str | Exception] = []

    def work() -> None:
        try:
            outcomes.append(action())
        except Exception as error:  # noqa: BLE001 - handed over to the waiting thread, which raises it
            outcomes.append(error)

    thread = threading.Thread(target=work, name="tracker", daemon=True)
    thread.start()
    thread.join(limit_seconds)
    if not outcomes:
        raise TrackingError(f"no answer within {limit_seconds:g} s")
    outcome = outcomes[0]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome

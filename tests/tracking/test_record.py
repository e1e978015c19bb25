"""Which trackers are open, and that none of them can harm a training."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from actioncast.tracking.record import open_trackers, record_everywhere
from actioncast.tracking.run import TrainingRun
from actioncast.tracking.tracker import TrackingError
from tests.tracking.conftest import CANARY

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"MLFLOW_TRACKING_URI": "", "NEPTUNE_PROJECT": "", "NEPTUNE_MODE": ""}, []),
        ({"MLFLOW_TRACKING_URI": "sqlite:///m.db"}, [("mlflow", "actioncast")]),
        ({"MLFLOW_TRACKING_URI": "sqlite:///m.db", "MLFLOW_EXPERIMENT_NAME": "e"}, [("mlflow", "e")]),
        ({"NEPTUNE_PROJECT": "team/p"}, [("neptune", "team/p")]),
        ({"NEPTUNE_MODE": "debug"}, [("neptune", "actioncast")]),
        (
            {"MLFLOW_TRACKING_URI": "u", "NEPTUNE_MODE": "offline"},
            [("mlflow", "actioncast"), ("neptune", "actioncast")],
        ),
    ],
)
def test_open_trackers(environment: dict[str, str], expected: list[tuple[str, str]], tmp_path: Path) -> None:
    trackers = open_trackers(environment, tmp_path)
    names = [
        (tracker.name, getattr(tracker, "experiment", None) or getattr(tracker, "project", None))
        for tracker in trackers
    ]
    assert names == expected


def test_importing_the_module_loads_neither_package() -> None:
    code = "import sys, actioncast.tracking.record; print({'mlflow', 'neptune', 'sqlalchemy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"


@pytest.mark.parametrize(
    ("environment", "missing", "command"),
    [
        ({"MLFLOW_TRACKING_URI": "sqlite:///m.db"}, "mlflow", "pip install mlflow-skinny==3.17.2 sqlalchemy alembic"),
        ({"MLFLOW_TRACKING_URI": "sqlite:///m.db"}, "alembic", "pip install mlflow-skinny==3.17.2 sqlalchemy alembic"),
        ({"NEPTUNE_MODE": "offline"}, "neptune", "pip install neptune==1.14.0.post2"),
    ],
)
def test_missing_package_is_named_with_its_command(
    environment: dict[str, str],
    missing: str,
    command: str,
    tmp_path: Path,
    run: TrainingRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tracker,) = open_trackers(environment, tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(TrackingError, match=f"the package {missing} is missing: {command}"):
        tracker.record(run)


class Good:
    name = "good"

    def record(self, run: TrainingRun) -> str:
        return f"good: {run.run_id}"


class Bad:
    name = "bad"

    def record(self, run: TrainingRun) -> str:
        raise OSError(f"https://ann:{CANARY}@host refused {run.run_id} with {os.environ['SOME_API_KEY']}")


class Stuck:
    name = "stuck"
    released = threading.Event()

    def record(self, run: TrainingRun) -> str:
        self.released.wait(30)
        return run.run_id


def test_record_everywhere_goes_on_after_a_failure(
    run: TrainingRun, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abcdef123")
    started = time.monotonic()
    lines = record_everywhere([Bad(), Stuck(), Good()], run, limit_seconds=0.2)
    Stuck.released.set()
    assert time.monotonic() - started < 5
    assert lines == [
        f"bad: run {run.run_id} was not recorded: OSError: https://***@host refused {run.run_id} with ***",
        f"stuck: run {run.run_id} was not recorded: no answer within 0.2 s",
        f"good: {run.run_id}",
    ]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", line) for line in lines[:2]
    ]

"""The real MLflow on SQLite, and against a real HTTP server."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actioncast.tracking.mlflow import MlflowTracker
from actioncast.tracking.record import record_everywhere
from actioncast.tracking.run import TrainingRun
from actioncast.tracking.tracker import TrackingError
from tests.support.json_server import JsonServer, Request
from tests.tracking.conftest import CANARY

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One MLflow database for all tests, each with its own experiment: creating the tables is what takes long."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


def stored_runs(uri: str, experiment: str) -> tuple[Any, list[Any]]:
    """(client, runs of the experiment)."""
    client = pytest.importorskip("mlflow").MlflowClient(tracking_uri=uri)
    return client, client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


# --- MLflow on a database ---------------------------------------------------------------------------------------------


def test_mlflow_on_sqlite_keeps_the_whole_run(database: str, run: TrainingRun) -> None:
    line = MlflowTracker(database, "forecasts").record(run)

    client, (stored,) = stored_runs(database, "forecasts")
    assert line == f"MLflow: run {stored.info.run_id} of experiment forecasts in {database}"
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == "mempool 2026-03-01 12:30"
    assert (stored.info.start_time, stored.info.end_time) == (1772368200000, 1772368260000)
    assert stored.data.params == {
        "window_start": "2026-01-01T00:00:00+00:00",
        "window_end": "2026-03-01T00:00:00+00:00",
        "periods": "1416",
        "horizon_hours": "168",
        "candidates": '["ridge", "naive"]',
        "refit": "true",
        "note": "null",
    }
    blend = stored.data.metrics.pop("mae.blend_ridge_forest_")
    assert blend != blend, "NaN is kept as NaN"
    assert stored.data.metrics == {
        "mae.ridge": 600.5,
        "mase.ridge": 0.8,
        "seconds.ridge": 2.0,
        "seconds.blend_ridge_forest_": 4.5,
        "champion.mae": 729.0,
        "challenger.mae": 600.5,
    }
    assert {name: value for name, value in stored.data.tags.items() if name != "mlflow.runName"} == {
        "run_id": run.run_id,
        "series": "mempool",
        "verdict": "promoted",
        "version": "20260301",
        "git_sha": "a" * 40,
        "mlflow.note.content": "promoted: 17 % better",
        "library.numpy": "2.4.6",
        "note.lightgbm": "package missing",
        "champion.name": "naive",
        "champion.version": "20260201",
        "challenger.name": "ridge",
        "challenger.version": "20260301",
    }
    copy = client.download_artifacts(stored.info.run_id, "card.json")
    assert Path(copy).read_text() == '{"recipe": "ridge"}'


def test_mlflow_takes_more_settings_than_one_request_holds(database: str, run: TrainingRun) -> None:
    settings = {f"setting_{number}": number for number in range(250)} | {"long": "x" * 7000}
    MlflowTracker(database, "wide").record(replace(run, settings=settings))
    _, (stored,) = stored_runs(database, "wide")
    assert len(stored.data.params) == 251 + 3
    assert set(stored.data.params["long"]) == {"x"}


def test_mlflow_first_training_and_second_run_in_the_same_experiment(database: str, run: TrainingRun) -> None:
    first = replace(run, champion=None, git_sha=None)
    lines = [record_everywhere([MlflowTracker(database)], each) for each in (first, run)]
    _, (newest, oldest) = stored_runs(database, "actioncast")
    assert {newest.info.run_id, oldest.info.run_id} == {line[0].split()[2] for line in lines}
    tags = [stored.data.tags for stored in (newest, oldest)]
    assert sorted("git_sha" in tag for tag in tags) == [False, True]
    assert sorted("champion.name" in tag for tag in tags) == [False, True]


def test_mlflow_leaves_no_global_state(database: str, run: TrainingRun, capfd: pytest.CaptureFixture[str]) -> None:
    mlflow = pytest.importorskip("mlflow")
    before = mlflow.get_tracking_uri(), dict(os.environ), threading.enumerate(), logging.getLogger().handlers[:]
    MlflowTracker(database, "quiet", environment={"MLFLOW_TRACKING_TOKEN": CANARY}).record(run)
    after = mlflow.get_tracking_uri(), dict(os.environ), threading.enumerate(), logging.getLogger().handlers[:]
    assert after == before
    opened = [descriptor.resolve().name for descriptor in Path("/proc/self/fd").glob("*")]  # empty outside Linux
    assert "mlflow.db" not in opened
    assert capfd.readouterr().out == ""


def test_mlflow_starts_no_telemetry(tmp_path: Path) -> None:
    """Outside CI and pytest a plain `import mlflow` writes an installation id to the home directory; ours does not."""
    pytest.importorskip("mlflow")
    imports = {
        "plain": "import mlflow",
        "ours": """
            from actioncast.tracking.mlflow import MlflowTracker
            from actioncast.tracking.tracker import TrackingError
            try:
                MlflowTracker("http://127.0.0.1:1", environment={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}).record(None)
            except TrackingError:
                import sys; assert "mlflow" in sys.modules
        """,
    }
    after = "\nimport threading; print([thread.name for thread in threading.enumerate()])"
    running = {}
    for name, code in imports.items():
        (tmp_path / name).mkdir()
        variables = {"HOME": str(tmp_path / name), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", textwrap.dedent(code) + after]
        running[name] = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    answers = {name: process.communicate(timeout=120)[0] for name, process in running.items()}
    assert answers == {"plain": "['MainThread']\n", "ours": "['MainThread']\n"}
    written = {name: [path.name for path in (tmp_path / name).rglob("*.json")] for name in imports}
    assert written == {"plain": ["telemetry.json"], "ours": []}


def test_mlflow_says_that_only_the_files_failed(database: str, tmp_path: Path, run: TrainingRun) -> None:
    with pytest.raises(TrackingError, match=r"run \w{32} is recorded, but its files are not: .*gone\.json"):
        MlflowTracker(database, "torn").record(replace(run, files=[tmp_path / "gone.json"]))
    _, (stored,) = stored_runs(database, "torn")
    assert stored.info.status == "FINISHED"


@pytest.mark.parametrize(
    "uri",
    [
        f"postgresql://user:{CANARY}@127.0.0.1:1/db",
        f"postgres://user:open@{CANARY}@127.0.0.1:1/db?sslmode=disable",
        f"postgresql://user@127.0.0.1:1/db?password={CANARY}",
        f"nosuchdialect://user:{CANARY}@127.0.0.1:1/db",
    ],
)
def test_mlflow_database_that_is_away_fails_fast_and_shows_no_password(
    uri: str, run: TrainingRun, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("psycopg2")
    started = time.monotonic()
    tracker = MlflowTracker(uri)
    with pytest.raises(TrackingError, match=r"127\.0\.0\.1:1/db") as caught:
        tracker.record(run)
    assert time.monotonic() - started < 15, "MLflow itself retries for 102 s"
    (line,) = record_everywhere([tracker], run)
    shown = [line, repr(tracker), "".join(traceback.format_exception(caught.value)), caplog.text, *capfd.readouterr()]
    assert "127.0.0.1" in line
    assert CANARY not in " ".join(shown)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


# --- MLflow over HTTP -------------------------------------------------------------------------------------------------


class FakeMlflow(JsonServer):
    """As much of MLflow's REST interface as one run takes, or `always` one answer."""

    def __init__(self, artifacts: Path, always: tuple[int, dict[str, Any]] | None = None) -> None:
        super().__init__(self.answer)
        self.headers = {"Retry-After": "3600"}
        self.artifacts, self.always = artifacts, always

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        if self.always:
            return self.always
        if request.method == "GET":
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}
        run = {"info": {"run_id": "r1", "experiment_id": "7", "artifact_uri": str(self.artifacts)}}
        answers: dict[str, dict[str, Any]] = {
            "experiments/create": {"experiment_id": "7"},
            "runs/create": {"run": run},
            "runs/update": run,
        }
        return 200, answers.get(request.path.removeprefix("/api/2.0/mlflow/"), {})


def test_mlflow_server_gets_the_run_and_the_credentials(
    tmp_path: Path, run: TrainingRun, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow")
    with FakeMlflow(tmp_path) as server:
        host = f"127.0.0.1:{server.port}"
        line = MlflowTracker(f"http://ann:{CANARY}%40@{host}/").record(replace(run, files=[]))
    assert line == f"MLflow: http://{host}/#/experiments/7/runs/r1"
    assert capfd.readouterr().out == "", "MLflow prints its links to stdout unless told not to"
    expected = "Basic " + b64encode(f"ann:{CANARY}@".encode()).decode()
    assert {request.headers["Authorization"] for request in server.requests} == {expected}
    bodies = {request.path.rpartition("mlflow/")[2]: request.body for request in server.requests}
    batch = json.loads(bodies["runs/log-batch"])
    assert {metric["key"]: metric["value"] for metric in batch["metrics"]}["mae.ridge"] == 600.5
    assert json.loads(bodies["runs/update"])["status"] == "FINISHED"


@pytest.mark.parametrize("status", [401, 500, 503])
def test_mlflow_server_that_refuses_is_one_masked_line(
    status: int, tmp_path: Path, run: TrainingRun, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow")
    body = {"error_code": "INTERNAL_ERROR", "message": f"secret was {CANARY} and {CANARY}-token\n" + "x" * 5000}
    environment = {"MLFLOW_TRACKING_TOKEN": f"{CANARY}-token"}
    started = time.monotonic()
    with FakeMlflow(tmp_path, (status, body)) as server:
        tracker = MlflowTracker(f"http://ann:{CANARY}@127.0.0.1:{server.port}", environment=environment)
        (line,) = record_everywhere([tracker], run)
    assert time.monotonic() - started < 15, "a Retry-After of an hour is not obeyed"
    assert line.startswith(f"mlflow: run {run.run_id} was not recorded: MLflow at http://127.0.0.1:")
    assert "\n" not in line
    assert len(line) < 1000
    assert [record.levelname for record in caplog.records if record.name == "actioncast"] == ["WARNING"]
    assert CANARY not in " ".join([line, caplog.text, *capfd.readouterr()])


def test_mlflow_server_that_never_answers_is_given_up(
    run: TrainingRun, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://ann:{CANARY}@127.0.0.1:{silent.getsockname()[1]}"
        environment = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        started = time.monotonic()
        (line,) = record_everywhere([MlflowTracker(uri, environment=environment)], run)
    assert time.monotonic() - started < 15
    assert "timeout" in line.lower()
    assert CANARY not in " ".join([line, caplog.text, *capfd.readouterr()])


def test_what_the_user_set_wins_over_our_limits(monkeypatch: pytest.MonkeyPatch, run: TrainingRun) -> None:
    seen: dict[str, str] = {}

    def look(_: str) -> Any:
        seen.update(os.environ)
        raise ModuleNotFoundError("seen", name="seen")

    monkeypatch.setattr("actioncast.tracking.mlflow.importlib.import_module", look)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    with pytest.raises(TrackingError):
        MlflowTracker("http://host", environment={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4", "OTHER": "x"}).record(run)
    assert seen["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "30"
    assert seen["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "4"
    assert seen["MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER"] == "false"
    assert seen["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert "OTHER" not in seen
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "false"

"""Trackers: the real MLflow on SQLite, a real HTTP server, the real Neptune client offline."""

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
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from actioncast import redaction
from actioncast.settings import SettingsError
from actioncast.tracking import neptune
from actioncast.tracking.mlflow import MlflowTracker
from actioncast.tracking.neptune import NeptuneTracker
from actioncast.tracking.record import open_trackers, record_everywhere
from actioncast.tracking.run import TrackingError, TrainingRun, git_sha, library_versions, secret_values, shown_uri
from tests.support.json_server import JsonServer, Request

CANARY = "canary-Passw0rd"
ROOT = Path(__file__).resolve().parents[2]
STARTED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
FINISHED = datetime(2026, 3, 1, 12, 31, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> TrainingRun:
    card = tmp_path / "model" / "card.json"
    card.parent.mkdir()
    card.write_text('{"recipe": "ridge"}')
    return TrainingRun(
        run_id="0123456789abcdef0123456789abcdef",
        series_id="mempool",
        started_at=STARTED,
        finished_at=FINISHED,
        window_start=datetime(2026, 1, 1, tzinfo=UTC),
        window_end=datetime(2026, 3, 1, tzinfo=UTC),
        hours=1416,
        leaderboard=[
            {"candidate": "ridge", "mae": 600.5, "mase": 0.8, "seconds": 2},
            {"candidate": "blend(ridge+forest)", "mae": float("nan"), "mase": None, "seconds": 4.5},
            {"candidate": "lightgbm", "mae": None, "mase": None, "seconds": None, "note": "package missing"},
        ],
        champion={"name": "naive", "mae": 729.0, "version": "20260201"},
        challenger={"name": "ridge", "mae": 600.5, "version": "20260301"},
        verdict="promoted",
        reason="17 % better",
        git_sha="a" * 40,
        library_versions={"numpy": "2.4.6"},
        settings={"horizon_hours": 168, "candidates": ["ridge", "naive"], "refit": True, "note": None},
        files=[card],
    )


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "NEPTUNE_", "GITHUB_SHA"))]:
        monkeypatch.delenv(name)


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
        "hours": "1416",
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
            from actioncast.tracking.run import TrackingError
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
    assert [record.levelname for record in caplog.records if record.name == "actioncast.tracking.record"] == ["WARNING"]
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

    monkeypatch.setattr("actioncast.tracking.run.importlib.import_module", look)
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


# --- Neptune ----------------------------------------------------------------------------------------------------------


def skip_without_neptune() -> None:
    """Not importorskip: the import warns about the package's name, which the tracker keeps to itself."""
    if find_spec("neptune") is None:
        pytest.skip("neptune is not installed: pip install neptune-client")


def test_neptune_offline_run_reads_back(tmp_path: Path, run: TrainingRun, capfd: pytest.CaptureFixture[str]) -> None:
    skip_without_neptune()
    hook = sys.excepthook
    line = NeptuneTracker("team/forecasts", directory=tmp_path).record(run)
    run.files[0].write_text("overwritten by the next training")

    (stored,) = neptune.read_neptune_log(tmp_path)
    assert line == f"Neptune: run {run.run_id} in {tmp_path / '.neptune' / 'offline'}"
    fields = {path: value for path, value in stored["fields"].items() if not path.startswith(("sys/", "source_code/"))}
    assert fields == {
        "project": "team/forecasts",
        "run_id": run.run_id,
        "series": "mempool",
        "started_at": "2026-03-01T12:30:00+00:00",
        "finished_at": "2026-03-01T12:31:00+00:00",
        "window/start": "2026-01-01T00:00:00+00:00",
        "window/end": "2026-03-01T00:00:00+00:00",
        "window/hours": 1416,
        "verdict": "promoted",
        "reason": "17 % better",
        "version": "20260301",
        "git_sha": "a" * 40,
        "metrics/mae/ridge": 600.5,
        "metrics/mase/ridge": 0.8,
        "metrics/seconds/ridge": 2.0,
        "metrics/mae/blend_ridge_forest_": "NaN",
        "metrics/seconds/blend_ridge_forest_": 4.5,
        "metrics/champion/mae": 729.0,
        "metrics/challenger/mae": 600.5,
        "notes/lightgbm": "package missing",
        "parameters/horizon_hours": 168,
        "parameters/candidates": '["ridge", "naive"]',
        "parameters/refit": True,
        "libraries/numpy": "2.4.6",
        "champion/name": "naive",
        "champion/version": "20260201",
        "challenger/name": "ridge",
        "challenger/version": "20260301",
    }
    assert stored["files"]["files/card.json"].read_text() == '{"recipe": "ridge"}', "a copy, not a path to the original"
    assert datetime.fromisoformat(stored["created_at"]).tzinfo is not None
    assert sys.excepthook is hook
    assert capfd.readouterr().out == ""
    assert "NEPTUNE_DATA_DIRECTORY" not in os.environ


def test_neptune_log_names_neither_host_nor_source(tmp_path: Path, run: TrainingRun) -> None:
    skip_without_neptune()
    print("something on stdout")
    NeptuneTracker("team/forecasts", directory=tmp_path).record(run)
    texts = [path.read_text() for path in (tmp_path / ".neptune").rglob("*") if path.is_file()]
    assert any("mempool" in text for text in texts)
    for word in (socket.gethostname(), "something on stdout", "monitoring/", "git_ref", "def test_"):
        assert word not in " ".join(texts)
    (stored,) = neptune.read_neptune_log(tmp_path)
    assert stored["not_read"] == {"UploadFileSet": 1}, "the empty list of source files"


def test_neptune_debug_writes_nothing(tmp_path: Path, run: TrainingRun) -> None:
    skip_without_neptune()
    line = NeptuneTracker("team/forecasts", mode="debug", directory=tmp_path).record(run)
    assert line == "Neptune: debug mode, nothing was written"
    assert neptune.read_neptune_log(tmp_path) == []


@pytest.mark.parametrize("mode", ["async", "sync", "read-only", "Offline"])
def test_neptune_refuses_the_modes_that_need_the_service(mode: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"closed on 2026-03-05.*NEPTUNE_MODE=offline") as caught:
        open_trackers({"NEPTUNE_MODE": mode}, tmp_path)
    assert repr(mode) in str(caught.value)


def test_neptune_failure_still_closes_the_run(tmp_path: Path, run: TrainingRun) -> None:
    skip_without_neptune()
    threads = threading.active_count()
    with pytest.raises(TrackingError, match=r"Neptune: FileNotFoundError: .*gone\.json"):
        NeptuneTracker("p", directory=tmp_path).record(replace(run, files=[tmp_path / "gone.json"]))
    assert threading.active_count() == threads
    (stored,) = neptune.read_neptune_log(tmp_path)
    assert stored["fields"]["run_id"] == run.run_id


def test_read_neptune_log_of_an_old_project(tmp_path: Path) -> None:
    """Series, tags, paths of originals, split files, a torn last line: what clients before the end left behind."""
    home = tmp_path / ".neptune" / "async" / "run__1"
    home.mkdir(parents=True)
    operations = [
        {"type": "LogFloats", "path": ["mae"], "values": [{"value": 0.5, "step": 1, "ts": 10.0}]},
        {"type": "AddStrings", "path": ["sys", "tags"], "values": ["b"]},
        {"type": "AddStrings", "path": ["sys", "tags"], "values": ["a", "b"]},
        {"type": "UploadFile", "path": ["model"], "file_path": "/old/model.pkl", "tmp_file_name": None},
        {"type": "AssignInt", "path": ["n"], "value": 1},
    ]
    lines = [json.dumps({"obj": operation, "version": 1, "at": 1.0}) for operation in operations]
    (home / "data-1.log").write_text("\n".join(lines) + "\n")
    last = [
        {"type": "LogFloats", "path": ["mae"], "values": [{"value": 0.4, "step": None, "ts": 11.0}]},
        {"type": "AssignInt", "path": ["n"], "value": 2},
        {"type": "DeleteAttribute", "path": ["x"]},
    ]
    text = "\n".join(json.dumps({"obj": operation, "version": 2, "at": 1.0}) for operation in last)
    (home / "data-10.log").write_text(text + '\n{"obj": {"type": "Assi')
    assert neptune.read_neptune_log(tmp_path) == [
        {
            "id": "run__1",
            "created_at": None,
            "fields": {"sys/tags": ["a", "b"], "n": 2},
            "series": {"mae": [(1, 0.5, 10.0), (None, 0.4, 11.0)]},
            "files": {"model": Path("/old/model.pkl")},
            "not_read": {"DeleteAttribute": 1, "broken line": 1},
        }
    ]


# --- Both -------------------------------------------------------------------------------------------------------------


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
    found = [
        (tracker.name, getattr(tracker, "experiment", None) or getattr(tracker, "project", None))
        for tracker in trackers
    ]
    assert found == expected


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


@pytest.mark.parametrize("name", ["started_at", "finished_at", "window_start", "window_end"])
def test_a_time_without_a_zone_is_refused(name: str, run: TrainingRun) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected an aware UTC time, got 2026-01-01T00:00:00"):
        replace(run, **{name: datetime(2026, 1, 1)})  # type: ignore[arg-type]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("verdict", "champion", "challenger", "expected"),
    [
        ("promoted", {"version": "1"}, {"version": "2"}, "2"),
        ("kept", {"version": "1"}, {"version": "2"}, "1"),
        ("promoted", {"version": "2"}, {"name": "ridge"}, "2"),
        ("kept", None, {"version": "2"}, None),
    ],
)
def test_version_is_the_one_that_serves(
    verdict: Any, champion: Any, challenger: Any, expected: str | None, run: TrainingRun
) -> None:
    assert replace(run, verdict=verdict, champion=champion, challenger=challenger).version == expected


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:////home/me@work/m.db", "sqlite:////home/me@work/m.db"),
        ("http://host:5000/team@x/", "http://host:5000/team@x/"),
        ("https://ann:p%40ss@host/x?token=t", "https://host/x"),
        ("postgresql+psycopg2://u:p/a@s?s@host:5432/db?sslmode=require", "postgresql+psycopg2://host:5432/db"),
        ("mlruns", "mlruns"),
    ],
)
def test_uri_is_shown_without_secrets(uri: str, shown: str) -> None:
    assert shown_uri(uri) == shown


@pytest.mark.parametrize("password", ["ab", "p%40ss", "a:b"])
def test_password_is_masked_as_written_and_as_decoded(password: str) -> None:
    secrets = secret_values(f"postgresql://u:{password}@host/db", {"MY_TOKEN": "abcdef", "SHORT_TOKEN": "1"})
    assert redaction.mask_values(f"<{password}> <{unquote(password)}> <abcdef> <1>", secrets) == "<***> <***> <***> <1>"


def test_library_versions_skips_what_is_absent() -> None:
    assert library_versions(["pytest", "no-such-package"]) == {"pytest": pytest.__version__}


def test_git_sha(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_sha(tmp_path) is None, "outside git"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert git_sha(tmp_path) is None, "no commit yet"
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "log", "-1", "--format=%H"], check=True, capture_output=True, text=True).stdout.strip()
    assert git_sha(tmp_path) == head
    monkeypatch.setenv("GITHUB_SHA", "f" * 40)
    assert git_sha(tmp_path) == "f" * 40
    monkeypatch.delenv("GITHUB_SHA")
    monkeypatch.setenv("PATH", "")
    assert git_sha(tmp_path) is None, "no git"

"""Where a training run is recorded besides the ledger `training_runs`: MLflow, Neptune's offline log.

    MLFLOW_TRACKING_URI=sqlite:///mlflow.db python train.py
    NEPTUNE_MODE=offline python train.py

Both are optional: without their variables `open_trackers` returns an empty list. A tracker that fails or hangs costs a
warning, never the training. Passwords and tokens appear neither in what is returned nor in an error.
"""

import importlib
import importlib.metadata
import json
import logging
import math
import os
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, unquote

from pipeline.settings import SettingsError

logger = logging.getLogger(__name__)

TIME_LIMIT_SECONDS = 60.0  # for one tracker; importing mlflow alone takes about 5 s
GIT_TIMEOUT_SECONDS = 10
MESSAGE_CHARACTERS = 600  # servers answer errors with whole pages
SHORTEST_PIECE = 3  # of a password; shorter pieces occur in any message
SHORTEST_SECRET = 6  # in variables of the environment; masking a shorter one would only garble the message

MLFLOW_PACKAGES = "mlflow-skinny==3.17.2 sqlalchemy alembic psycopg2-binary"
NEPTUNE_PACKAGES = "neptune==1.14.0.post2"
NEPTUNE_MODES = ("offline", "debug")

# MLflow reads these when it is imported and at each request. They hold only while a run is recorded.
MLFLOW_ALWAYS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout belongs to --json
}
# What the user has set wins over these.
MLFLOW_DEFAULTS = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds; MLflow's own: 120
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # MLflow's own: 7, about 4 minutes
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a server may ask for an hour
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # no connection is left open
    "PGCONNECT_TIMEOUT": "10",  # seconds
}


class TrackingError(RuntimeError):
    """A tracker could not record a run; the message carries no secret and neither does its context."""


@dataclass(frozen=True)
class TrainingRun:
    """One training, as every tracker sees it.

    `run_id` is a uuid4 in hex. Times are aware and UTC; `window_start` and `window_end` are hour starts and `hours` the
    number of hours in the window. `leaderboard` has one row per candidate: candidate, mae (unit of the series), mase
    (ratio), seconds; a skipped candidate has None there and a `note`. `champion` is None at the first training.
    `settings` is flat and JSON-able. `files` exist when the run is recorded.

    Raises ValueError when a time carries no zone.
    """

    run_id: str
    series_id: str
    started_at: datetime
    finished_at: datetime
    window_start: datetime
    window_end: datetime
    hours: int
    leaderboard: list[dict[str, Any]]
    champion: dict[str, Any] | None
    challenger: dict[str, Any]
    verdict: Literal["promoted", "kept"]
    reason: str
    git_sha: str | None
    library_versions: dict[str, str]
    settings: dict[str, Any]
    files: list[Path]

    def __post_init__(self) -> None:
        for name in ("started_at", "finished_at", "window_start", "window_end"):
            moment: datetime = getattr(self, name)
            if moment.utcoffset() is None:
                raise ValueError(f"{name}: expected an aware UTC time, got {moment.isoformat()} without a zone")

    @property
    def version(self) -> str | None:
        """The model version that serves after this run: the challenger's if promoted, else the champion's."""
        winner = self.challenger if self.verdict == "promoted" else self.champion
        version = (winner or {}).get("version") or (self.champion or {}).get("version")
        return None if version is None else str(version)


class Tracker(Protocol):
    """A place that keeps training runs."""

    name: str

    def record(self, run: TrainingRun) -> str:
        """Store the run and return one line that says where to find it. Raises TrackingError."""
        ...


def open_trackers(environment: Mapping[str, str], directory: Path) -> list[Tracker]:
    """The trackers that the environment asks for; an empty value counts as unset.

    MLFLOW_TRACKING_URI opens MLflow (with MLFLOW_EXPERIMENT_NAME), NEPTUNE_PROJECT or NEPTUNE_MODE opens Neptune, which
    writes below `directory`. Call it before training: a Neptune mode that can no longer work is a SettingsError.
    """
    trackers: list[Tracker] = []
    if uri := environment.get("MLFLOW_TRACKING_URI"):
        experiment = environment.get("MLFLOW_EXPERIMENT_NAME") or "actioncast"
        trackers.append(MlflowTracker(uri, experiment, environment))
    project, mode = environment.get("NEPTUNE_PROJECT"), environment.get("NEPTUNE_MODE")
    if project or mode:
        trackers.append(NeptuneTracker(project or "actioncast", mode or "offline", directory))
    return trackers


def record_everywhere(
    trackers: Iterable[Tracker], run: TrainingRun, limit_seconds: float = TIME_LIMIT_SECONDS
) -> list[str]:
    """Record the run with each tracker; one line per tracker, in order.

    A failure, or no answer within `limit_seconds`, is a line too and is logged as a warning: it never raises.
    """
    return [_record_or_explain(tracker, run, limit_seconds) for tracker in trackers]


def _record_or_explain(tracker: Tracker, run: TrainingRun, limit_seconds: float) -> str:
    try:
        return _within(limit_seconds, lambda: tracker.record(run))
    except Exception as error:  # noqa: BLE001 - whatever a tracker raises, the training is worth more
        line = f"{tracker.name}: run {run.run_id} was not recorded: {_explain(error, _secrets('', os.environ))}"
    logger.warning(line)
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
    if isinstance(outcomes[0], Exception):
        raise outcomes[0]
    return outcomes[0]


# --- MLflow -----------------------------------------------------------------------------------------------------------


class MlflowTracker:
    """One MLflow run per training run, at any tracking URI: `sqlite:///…`, `postgresql://…`, `http(s)://…`.

    `environment` may hold further MLFLOW_* variables (MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN, timeouts …), for
    values that come from a `.env` file. User and password may also stand in the URI. The tracking URI and the
    environment of the process are left as they were.
    """

    name = "mlflow"

    def __init__(self, uri: str, experiment: str = "actioncast", environment: Mapping[str, str] | None = None) -> None:
        self.experiment = experiment
        self._uri, self._variables = _split_http_credentials(uri)
        given = {name: value for name, value in (environment or {}).items() if name.startswith("MLFLOW_")}
        self._variables = {**given, **self._variables}
        self._known_secrets = _secrets(uri, given)

    def record(self, run: TrainingRun) -> str:
        """Store params, metrics `mae.<candidate>`, tags and files; return the address of the run.

        Raises TrackingError, naming the missing package and the pip command when that is the reason.
        """
        defaults = {name: value for name, value in MLFLOW_DEFAULTS.items() if name not in os.environ}
        with _process_environment({**defaults, **self._variables, **MLFLOW_ALWAYS}):
            secrets = self._known_secrets | _secrets("", os.environ)
            return _guarded(f"MLflow at {_shown(self._uri)}", MLFLOW_PACKAGES, secrets, lambda: self._record(run))

    def _record(self, run: TrainingRun) -> str:
        mlflow = importlib.import_module("mlflow")
        _check_database(self._uri)
        client = mlflow.MlflowClient(tracking_uri=_with_driver(self._uri))
        experiment_id = _experiment_id(client, self.experiment)
        name = f"{run.series_id} {run.started_at:%Y-%m-%d %H:%M}"
        started = _milliseconds(run.started_at)
        created = client.create_run(experiment_id, start_time=started, run_name=name, tags=_tags(run))
        run_id: str = created.info.run_id
        client.log_batch(run_id, metrics=_mlflow_metrics(mlflow, run), params=_mlflow_params(mlflow, run))
        client.set_terminated(run_id, "FINISHED", _milliseconds(run.finished_at))
        _log_files(client, run_id, run.files)
        return self._address(experiment_id, run_id)

    def _address(self, experiment_id: str, run_id: str) -> str:
        where = _shown(self._uri)
        if where.startswith("http"):
            return f"MLflow: {where.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
        return f"MLflow: run {run_id} of experiment {self.experiment} in {where}"


def _check_database(uri: str) -> None:
    """Connect once, because MLflow would retry a database that is away for two minutes and more."""
    if uri.startswith("http"):
        return
    sqlalchemy = importlib.import_module("sqlalchemy")
    importlib.import_module("alembic")
    if uri.startswith("postgres"):
        engine = sqlalchemy.create_engine(_with_driver(uri), poolclass=sqlalchemy.pool.NullPool)
        engine.connect().close()


def _with_driver(uri: str) -> str:
    """A plain `postgres(ql)://` with psycopg2 named: SQLAlchemy 2.1 would take psycopg 3 for it."""
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", uri)


def _experiment_id(client: Any, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    return str(experiment.experiment_id if experiment else client.create_experiment(name))


def _log_files(client: Any, run_id: str, files: Iterable[Path]) -> None:
    try:
        for path in files:
            client.log_artifact(run_id, str(path))
    except Exception as error:  # artifact stores raise their own kinds
        raise TrackingError(f"run {run_id} is recorded, but its files are not: {error}") from error


def _mlflow_metrics(mlflow: Any, run: TrainingRun) -> list[Any]:
    moment = _milliseconds(run.finished_at)
    return [mlflow.entities.Metric(name, value, moment, 0) for name, value in _scores(run, ".").items()]


def _mlflow_params(mlflow: Any, run: TrainingRun) -> list[Any]:
    params = {
        "window_start": run.window_start.isoformat(),
        "window_end": run.window_end.isoformat(),
        "hours": run.hours,
        **run.settings,
    }
    return [mlflow.entities.Param(_key(name), _text(value)) for name, value in params.items()]


def _tags(run: TrainingRun) -> dict[str, str]:
    """Everything that is neither a number nor a setting. `mlflow.note.content` is the description in MLflow's page."""
    tags = {
        "run_id": run.run_id,
        "series": run.series_id,
        "verdict": run.verdict,
        "version": run.version,
        "git_sha": run.git_sha,
        "mlflow.note.content": f"{run.verdict}: {run.reason}",
        **{f"library.{name}": version for name, version in run.library_versions.items()},
        **{f"note.{_key(row['candidate'])}": row.get("note") for row in run.leaderboard},
    }
    for role, model in (("champion", run.champion), ("challenger", run.challenger)):
        tags.update({f"{role}.{key}": value for key, value in (model or {}).items() if not _is_number(value)})
    return {_key(name): _text(value) for name, value in tags.items() if value is not None}


# --- Neptune ----------------------------------------------------------------------------------------------------------


class NeptuneTracker:
    """Writes Neptune's offline format below `directory`/.neptune; `read_neptune_log` reads it back.

    The hosted service closed on 2026-03-05, so `mode` is "offline", or "debug" (which writes nothing); any other raises
    SettingsError. No source code, host name or output is captured, and files are copied into the log.
    """

    name = "neptune"

    def __init__(self, project: str, mode: str = "offline", directory: Path = Path()) -> None:
        if mode not in NEPTUNE_MODES:
            raise SettingsError(
                f"NEPTUNE_MODE: expected one of {', '.join(NEPTUNE_MODES)}, got {mode!r}. Neptune's hosted service "
                "closed on 2026-03-05 and takes no runs; set NEPTUNE_MODE=offline, or record with MLflow "
                "(MLFLOW_TRACKING_URI=sqlite:///mlflow.db)"
            )
        self.project = project
        self.mode = mode
        self.directory = directory

    def record(self, run: TrainingRun) -> str:
        """Store the run as fields and files of one offline log; return its place. Raises TrackingError."""
        secrets = _secrets("", os.environ)
        return _guarded("Neptune", NEPTUNE_PACKAGES, secrets, lambda: self._record(run))

    def _record(self, run: TrainingRun) -> str:
        home = self.directory.resolve() / ".neptune"
        environment = _process_environment({"NEPTUNE_DATA_DIRECTORY": str(home)})
        # Its warnings ask for its package under another name.
        with environment, _same_excepthook(), warnings.catch_warnings(record=True):
            neptune = importlib.import_module("neptune")
            _send_neptune_messages_to_logging()
            self._write(neptune, run)
        if self.mode == "debug":
            return "Neptune: debug mode, nothing was written"
        return f"Neptune: run {run.run_id} in {home / 'offline'}"

    def _write(self, neptune: Any, run: TrainingRun) -> None:
        log = neptune.init_run(
            mode=self.mode,
            name=f"{run.series_id} {run.started_at:%Y-%m-%d %H:%M}",
            source_files=[],
            capture_stdout=False,
            capture_stderr=False,
            capture_hardware_metrics=False,
            capture_traceback=False,
            git_ref=False,
        )
        try:
            for path, value in _neptune_fields(self.project, run).items():
                log[path] = value
            for file in run.files:
                content = neptune.types.File.from_content(file.read_bytes(), extension=file.suffix.lstrip("."))
                log[f"files/{file.name}"].upload(content)
        finally:
            log.stop()


def _neptune_fields(project: str, run: TrainingRun) -> dict[str, bool | int | float | str]:
    fields = {
        "project": project,
        "run_id": run.run_id,
        "series": run.series_id,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "window/start": run.window_start.isoformat(),
        "window/end": run.window_end.isoformat(),
        "window/hours": run.hours,
        "verdict": run.verdict,
        "reason": run.reason,
        "version": run.version,
        "git_sha": run.git_sha,
        **{f"metrics/{name}": value for name, value in _scores(run, "/").items()},
        **{f"notes/{_key(row['candidate'])}": row.get("note") for row in run.leaderboard},
        **{f"parameters/{_key(name)}": value for name, value in run.settings.items()},
        **{f"libraries/{name}": version for name, version in run.library_versions.items()},
    }
    for role, model in (("champion", run.champion), ("challenger", run.challenger)):
        fields.update({f"{role}/{key}": value for key, value in (model or {}).items() if not _is_number(value)})
    return {path: _neptune_value(value) for path, value in fields.items() if value is not None}


def _neptune_value(value: Any) -> bool | int | float | str:
    """Neptune drops NaN and infinity with a warning, so they are kept as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    return _text(value)


def _send_neptune_messages_to_logging() -> None:
    """Neptune's own handlers write to stdout, which belongs to --json."""
    for name in ("neptune", "neptune_no_prefix"):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
        theirs.setLevel(logging.WARNING)


@contextmanager
def _same_excepthook() -> Iterator[None]:
    """Neptune replaces `sys.excepthook` at the first run and leaves it so."""
    before = sys.excepthook
    try:
        yield
    finally:
        sys.excepthook = before


def read_neptune_log(directory: Path) -> list[dict[str, Any]]:
    """Read every run that a Neptune client left below `directory`/.neptune, synchronised or not, oldest first.

    Each run: `id`, `created_at` (ISO, UTC, or None), `fields` {path: value}, `series` {path: [(step, value, unix
    seconds)]}, `files` {path: Path of the copy or the original}, and `not_read` {what: how often}, which counts broken
    lines and operations that carry no value. Needs no Neptune package. Returns [] when there is no log.
    """
    homes = {path.parent for path in (directory / ".neptune").rglob("data-*.log")}
    runs = [_read_neptune_run(home) for home in sorted(homes)]
    return sorted(runs, key=lambda run: run["created_at"] or "")


def _read_neptune_run(home: Path) -> dict[str, Any]:
    metadata_file = home / "metadata.json"
    metadata = json.loads(metadata_file.read_text(encoding="utf-8")) if metadata_file.exists() else {}
    run: dict[str, Any] = {
        "id": metadata.get("containerId", home.name),
        "created_at": metadata.get("createdAt"),
        **{part: {} for part in ("fields", "series", "files", "not_read")},
    }
    # A log is split at 64 MB into data-<first version>.log
    for path in sorted(home.glob("data-*.log"), key=lambda log: int(log.stem.partition("-")[2])):
        for line in path.read_text(encoding="utf-8").splitlines():
            _apply_neptune_line(line, run, home)
    return run


def _apply_neptune_line(line: str, run: dict[str, Any], home: Path) -> None:
    try:
        operation = json.loads(line)["obj"]
        kind, path = operation["type"], "/".join(operation["path"])
    except (ValueError, KeyError, TypeError):
        kind, path, operation = "broken line", "", {}
    if kind.startswith("Assign") and "value" in operation:
        run["fields"][path] = operation["value"]
    elif kind in ("LogFloats", "LogStrings"):
        points = [(point["step"], point["value"], point["ts"]) for point in operation["values"]]
        run["series"].setdefault(path, []).extend(points)
    elif kind == "AddStrings":
        run["fields"][path] = sorted({*run["fields"].get(path, []), *operation["values"]})
    elif kind == "UploadFile":
        run["files"][path] = Path(operation["file_path"] or home / "upload_path" / operation["tmp_file_name"])
    else:
        run["not_read"][kind] = run["not_read"].get(kind, 0) + 1


# --- What a run is made of --------------------------------------------------------------------------------------------


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Installed version of each distribution name; one that is not installed is left out."""
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def git_sha(directory: Path) -> str | None:
    """The commit that runs: GITHUB_SHA, else HEAD of `directory`; None outside git, without git or without a commit."""
    if sha := os.environ.get("GITHUB_SHA"):
        return sha
    command = ["git", "-C", str(directory), "rev-parse", "--verify", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def _scores(run: TrainingRun, separator: str) -> dict[str, float]:
    """Every number of the leaderboard and of both models: {"mae<separator>ridge": …, "champion<separator>mae": …}."""
    scores = {}
    for row in run.leaderboard:
        numbers = {key: value for key, value in row.items() if _is_number(value)}
        scores.update({f"{key}{separator}{_key(row['candidate'])}": float(value) for key, value in numbers.items()})
    for role, model in (("champion", run.champion), ("challenger", run.challenger)):
        numbers = {key: value for key, value in (model or {}).items() if _is_number(value)}
        scores.update({f"{role}{separator}{key}": float(value) for key, value in numbers.items()})
    return scores


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _key(name: Any) -> str:
    """A name that both trackers accept: letters, digits and `_ . - space`."""
    return re.sub(r"[^\w. -]", "_", str(name))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


# --- Errors and secrets -----------------------------------------------------------------------------------------------


def _guarded(service: str, packages: str, secrets: frozenset[str], action: Callable[[], str]) -> str:
    """Run `action`; whatever it raises becomes a TrackingError without secrets, raised outside the handler so that
    the original, which may show them, is not chained to it."""
    try:
        return action()
    except ModuleNotFoundError as error:
        reason = f"the package {error.name} is missing: pip install {packages}"
    except Exception as error:  # noqa: BLE001 - mlflow hands through requests, SQLAlchemy, boto3 …
        reason = _explain(error, secrets)
    raise TrackingError(f"{service}: {reason}")


def _explain(error: Exception, secrets: frozenset[str]) -> str:
    """One line: the error's kind, unless it is ours, and its masked message."""
    kind = "" if isinstance(error, TrackingError) else f"{type(error).__name__}: "
    text = " ".join(_mask(str(error), secrets).split())
    return kind + (text if len(text) <= MESSAGE_CHARACTERS else text[:MESSAGE_CHARACTERS] + " …")


def _mask(text: str, secrets: frozenset[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"(?<=://)[^\s/@]+@", "***@", text)


def _secrets(uri: str, variables: Mapping[str, str]) -> frozenset[str]:
    """Password and secret parameters of the URI, and the values of variables named like one.

    The password counts as written, decoded, and in pieces: one with an unescaped `@` or `/` is cut there by the
    database driver, which then reports the piece as a host that does not exist.
    """
    userinfo = _userinfo(uri)
    password = userinfo.partition(":")[2]
    pieces = {piece for piece in re.split(r"[@/?#:]", password) if len(piece) >= SHORTEST_PIECE}
    parameters = {value for name, value in parse_qsl(uri.partition("?")[2]) if _sounds_secret(name)}
    named = {value for name, value in variables.items() if _sounds_secret(name) and len(value) >= SHORTEST_SECRET}
    return frozenset({userinfo, password, unquote(password)} | pieces | parameters | named) - {""}


def _userinfo(uri: str) -> str:
    """What stands before the host; in a database URI up to the last `@`, so that no part of a password is missed."""
    scheme, _, rest = uri.partition("://")
    if scheme.startswith("sqlite"):
        return ""
    authority = re.split(r"[/?#]", rest)[0] if scheme.startswith("http") else rest
    return authority.rpartition("@")[0]


def _sounds_secret(name: str) -> bool:
    return re.search(r"pass|token|secret|key", name, re.IGNORECASE) is not None


def _split_http_credentials(uri: str) -> tuple[str, dict[str, str]]:
    """(URI without user and password, MLflow's variables for them), so that no log line of MLflow can show them."""
    userinfo = _userinfo(uri)
    if not uri.startswith("http") or not userinfo:
        return uri, {}
    user, _, password = userinfo.partition(":")
    variables = {"MLFLOW_TRACKING_USERNAME": unquote(user), "MLFLOW_TRACKING_PASSWORD": unquote(password)}
    return uri.replace(f"{userinfo}@", "", 1), variables


def _shown(uri: str) -> str:
    """The URI as it may be printed: without user, password and parameters."""
    scheme, separator, rest = uri.partition("://")
    visible = rest.removeprefix(f"{_userinfo(uri)}@")
    return f"{scheme}{separator}{visible.partition('?')[0]}"


@contextmanager
def _process_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the process for a while: MLflow and Neptune take some settings from nowhere else."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

"""MLflow: one run per training."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from actioncast.tracking.run import (
    TrackingError,
    TrainingRun,
    guarded,
    is_number,
    milliseconds,
    process_environment,
    scores_of,
    secret_values,
    short_key,
    short_text,
    shown_uri,
    userinfo_of,
)

MLFLOW_PACKAGES = "mlflow-skinny==3.17.2 sqlalchemy alembic psycopg2-binary"
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
        self._known_secrets = secret_values(uri, given)

    def record(self, run: TrainingRun) -> str:
        """Store params, metrics `mae.<candidate>`, tags and files; return the address of the run.

        Raises TrackingError, naming the missing package and the pip command when that is the reason.
        """
        defaults = {name: value for name, value in MLFLOW_DEFAULTS.items() if name not in os.environ}
        with process_environment({**defaults, **self._variables, **MLFLOW_ALWAYS}):
            secrets = self._known_secrets | secret_values("", os.environ)
            return guarded(f"MLflow at {shown_uri(self._uri)}", MLFLOW_PACKAGES, secrets, lambda: self._record(run))

    def _record(self, run: TrainingRun) -> str:
        mlflow = importlib.import_module("mlflow")
        _check_database(self._uri)
        client = mlflow.MlflowClient(tracking_uri=_with_driver(self._uri))
        experiment_id = _experiment_id(client, self.experiment)
        name = f"{run.series_id} {run.started_at:%Y-%m-%d %H:%M}"
        started = milliseconds(run.started_at)
        created = client.create_run(experiment_id, start_time=started, run_name=name, tags=_tags(run))
        run_id: str = created.info.run_id
        client.log_batch(run_id, metrics=_mlflow_metrics(mlflow, run), params=_mlflow_params(mlflow, run))
        client.set_terminated(run_id, "FINISHED", milliseconds(run.finished_at))
        _log_files(client, run_id, run.files)
        return self._address(experiment_id, run_id)

    def _address(self, experiment_id: str, run_id: str) -> str:
        where = shown_uri(self._uri)
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
    moment = milliseconds(run.finished_at)
    return [mlflow.entities.Metric(name, value, moment, 0) for name, value in scores_of(run, ".").items()]


def _mlflow_params(mlflow: Any, run: TrainingRun) -> list[Any]:
    params = {
        "window_start": run.window_start.isoformat(),
        "window_end": run.window_end.isoformat(),
        "hours": run.hours,
        **run.settings,
    }
    return [mlflow.entities.Param(short_key(name), short_text(value)) for name, value in params.items()]


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
        **{f"note.{short_key(row['candidate'])}": row.get("note") for row in run.leaderboard},
    }
    for role, model in (("champion", run.champion), ("challenger", run.challenger)):
        tags.update({f"{role}.{key}": value for key, value in (model or {}).items() if not is_number(value)})
    return {short_key(name): short_text(value) for name, value in tags.items() if value is not None}


def _split_http_credentials(uri: str) -> tuple[str, dict[str, str]]:
    """(URI without user and password, MLflow's variables for them), so that no log line of MLflow can show them."""
    userinfo = userinfo_of(uri)
    if not uri.startswith("http") or not userinfo:
        return uri, {}
    user, _, password = userinfo.partition(":")
    variables = {"MLFLOW_TRACKING_USERNAME": unquote(user), "MLFLOW_TRACKING_PASSWORD": unquote(password)}
    return uri.replace(f"{userinfo}@", "", 1), variables

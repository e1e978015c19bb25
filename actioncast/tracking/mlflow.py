"""MLflow: one run per training.

Nothing of MLflow is imported before a run is recorded, and its modules are imported by name: they
are optional.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from actioncast.redaction import secret_values, userinfo_of, without_secrets
from actioncast.tracking.run import (
    TrainingRun,
    labels_of,
    notes_of,
    scores_of,
    short_key,
    short_text,
)
from actioncast.tracking.tracker import TrackingError, guarded, process_environment

MLFLOW_PACKAGES = "mlflow-skinny==3.17.2 sqlalchemy alembic psycopg2-binary"
# MLflow reads these variables at its import and at each request. They hold only while a run is
# recorded.
MLFLOW_ALWAYS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout belongs to --json
}
# A value that the user has set wins over these.
MLFLOW_DEFAULTS = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds; MLflow's own: 120
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # MLflow's own: 7, about 4 minutes
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a server may ask for an hour
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # no connection is left open
    "PGCONNECT_TIMEOUT": "10",  # seconds
}


class MlflowTracker:
    """One MLflow run per training run, at any tracking URI: `sqlite:///…`, `postgresql://…`,
    `http(s)://…`.

    `environment` may hold further MLFLOW_* variables (MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN,
    timeouts …), for values that come from a `.env` file. User and password may also stand in the
    URI. The tracking URI and the environment of the process are left as they were.
    """

    name = "mlflow"

    def __init__(
        self,
        uri: str,
        experiment: str = "actioncast",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        variables = {}
        for name, value in (environment or {}).items():
            if name.startswith("MLFLOW_"):
                variables[name] = value
        self.experiment = experiment
        self._secrets = secret_values(uri, variables)
        # Without user and password, so that no log line of MLflow can show them.
        self._uri = _without_http_credentials(uri)
        self._variables = variables | _http_credentials(uri)

    def record(self, run: TrainingRun) -> str:
        """Store params, metrics `mae.<candidate>`, tags and files; return the address of the run.

        Raises TrackingError, naming the missing package and the pip command when that is the
        reason.
        """
        defaults = {name: value for name, value in MLFLOW_DEFAULTS.items() if name not in os.environ}
        with process_environment(defaults | self._variables | MLFLOW_ALWAYS):
            return guarded(
                lambda: self._record(run),
                service=f"MLflow at {without_secrets(self._uri)}",
                packages=MLFLOW_PACKAGES,
                secrets=self._secrets | secret_values("", os.environ),
            )

    def _record(self, run: TrainingRun) -> str:
        mlflow = importlib.import_module("mlflow")
        _check_database(self._uri)
        client = mlflow.MlflowClient(tracking_uri=_with_driver(self._uri))
        experiment_id = _experiment_id(client, self.experiment)
        created = client.create_run(
            experiment_id,
            start_time=_milliseconds(run.started_at),
            run_name=run.title,
            tags=_tags(run),
        )
        run_id: str = created.info.run_id
        client.log_batch(run_id, metrics=_metrics(mlflow, run), params=_params(mlflow, run))
        client.set_terminated(run_id, "FINISHED", _milliseconds(run.finished_at))
        _log_files(client, run_id, run.files)
        return self._address(experiment_id, run_id)

    def _address(self, experiment_id: str, run_id: str) -> str:
        uri = without_secrets(self._uri)
        if uri.startswith("http"):
            return f"MLflow: {uri.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
        return f"MLflow: run {run_id} of experiment {self.experiment} in {uri}"


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
    """The URI with psycopg2 named in a plain `postgres(ql)://`, which SQLAlchemy 2.1 would take for psycopg 3."""
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", uri)


def _experiment_id(client: Any, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name))
    return str(experiment.experiment_id)


def _log_files(client: Any, run_id: str, files: Iterable[Path]) -> None:
    try:
        for path in files:
            client.log_artifact(run_id, str(path))
    except Exception as error:  # artifact stores raise their own kinds
        raise TrackingError(f"run {run_id} is recorded, but its files are not: {error}") from error


def _metrics(mlflow: Any, run: TrainingRun) -> list[Any]:
    moment = _milliseconds(run.finished_at)
    scores = scores_of(run, ".")
    return [mlflow.entities.Metric(name, value, moment, 0) for name, value in scores.items()]


def _params(mlflow: Any, run: TrainingRun) -> list[Any]:
    params = {
        "window_start": run.window_start.isoformat(),
        "window_end": run.window_end.isoformat(),
        "periods": run.periods,
        **run.settings,
    }
    return [mlflow.entities.Param(short_key(name), short_text(value)) for name, value in params.items()]


def _tags(run: TrainingRun) -> dict[str, str]:
    """Everything that is neither a number nor a setting.

    `mlflow.note.content` is the description in MLflow's page.
    """
    tags = {
        "run_id": run.run_id,
        "series": run.series_id,
        "verdict": run.verdict,
        "version": run.version,
        "git_sha": run.git_sha,
        "mlflow.note.content": f"{run.verdict}: {run.reason}",
        **{f"library.{name}": version for name, version in run.library_versions.items()},
        **{f"note.{candidate}": note for candidate, note in notes_of(run).items()},
        **labels_of(run, "."),
    }
    return {short_key(name): short_text(value) for name, value in tags.items() if value is not None}


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _without_http_credentials(uri: str) -> str:
    """The URI without the user and password of a tracking server; that of a database as it is."""
    userinfo = userinfo_of(uri)
    if not uri.startswith("http") or not userinfo:
        return uri
    return uri.replace(f"{userinfo}@", "", 1)


def _http_credentials(uri: str) -> dict[str, str]:
    """MLflow's variables for the user and password of a tracking server."""
    userinfo = userinfo_of(uri)
    if not uri.startswith("http") or not userinfo:
        return {}
    user, _, password = userinfo.partition(":")
    return {
        "MLFLOW_TRACKING_USERNAME": unquote(user),
        "MLFLOW_TRACKING_PASSWORD": unquote(password),
    }

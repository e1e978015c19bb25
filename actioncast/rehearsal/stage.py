"""Where a policy is rehearsed: its settings, its database, its model, and no waiting between retries."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from actioncast.database.database import Database
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.policies import Policy
from actioncast.rehearsal.world.github import REPOSITORY, TOKEN
from actioncast.rehearsal.world.replay import RecordingError
from actioncast.settings import NO_PAUSES, BlockchainSource, Settings

PATIENCE_SECONDS = 0.1  # with an answer that never comes: nothing is proved by waiting longer
PROGRESS = "progress.json"


@dataclass(frozen=True)
class Surroundings:
    """What a rehearsal may touch. `database_url` None: a SQLite file in each policy's folder."""

    folder: Path
    source_url: str
    github_url: str
    database_url: str | None = None
    alone: bool = True  # a single policy is rehearsed: no folder and no name of its own


def folder_of(surroundings: Surroundings, policy: Policy) -> Path:
    return surroundings.folder if surroundings.alone else surroundings.folder / _slug(policy.name)


def series_of(plan: Plan, surroundings: Surroundings, policy: Policy) -> str:
    """The series' name in the database; policies that share one database have one each."""
    shared = surroundings.database_url is not None and not surroundings.alone
    return f"{plan.series_id}-{_slug(policy.name)}" if shared else plan.series_id


def staged(plan: Plan, surroundings: Surroundings, policy: Policy) -> Settings:
    """The user's settings with the replay as source, the stand-in as GitHub, and a database and model of their own.

    Exogenous columns are left out: what was known of them at an earlier moment is not recorded.
    """
    folder = folder_of(surroundings, policy)
    replayed = BlockchainSource(kind="blockchain", url=surroundings.source_url)
    wanted = plan.settings.series[plan.series_id].model_copy(update={"source": replayed, "exogenous": {}})
    url = surroundings.database_url or f"sqlite:///{folder / 'actioncast.db'}"
    environment = plan.settings.environment.model_copy(
        update={
            "database_url": SecretStr(url),
            "github_repository": REPOSITORY,
            "github_token": SecretStr(TOKEN),
            "github_api_url": surroundings.github_url,
        }
    )
    series = {series_of(plan, surroundings, policy): wanted}
    update = {
        "series": series,
        "environment": environment,
        "folder": folder,
        "retrain": policy.retrain,
        "patience": NO_PAUSES,
    }
    return plan.settings.model_copy(update=update)


def impatient(settings: Settings, series_id: str) -> Settings:
    """The same settings for a run whose source never answers."""
    wanted = settings.series[series_id]
    source = wanted.source.model_copy(update={"timeout_seconds": PATIENCE_SECONDS})
    return settings.model_copy(update={"series": {series_id: wanted.model_copy(update={"source": source})}})


@contextmanager
def checkout(settings: Settings, series_id: str) -> Iterator[None]:
    """What a job on GitHub has: the model changes with its push at the very end, or not at all."""
    place = settings.model_directory(series_id)
    before = {path: path.read_bytes() for path in place.glob("*")} if place.is_dir() else {}
    try:
        yield
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        for path, content in before.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        raise


def refuse_used(database: Database, series_id: str) -> None:
    """A rehearsal fills its database: one that holds this series already belongs to somebody."""
    if database.last_hour(series_id) is not None:
        raise RecordingError(
            f"{database.address} holds hours of {series_id} already; a rehearsal wants a database of its own"
        )


def rows_of(database: Database, series_id: str) -> int:
    """Rows of all tables that only grow."""
    tables = ("reality", "etl_runs", "training_runs", "checks")
    counted = " + ".join(f"(select count(*) from {name} where series_id = :s)" for name in tables)  # noqa: S608 - our names
    with database.engine.connect() as connection:
        return int(connection.execute(text(f"select {counted}"), {"s": series_id}).scalar_one())


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")

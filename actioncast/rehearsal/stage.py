"""Sets up what one policy is rehearsed in: settings, database and model of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from actioncast.database.database import Database, open_database
from actioncast.environment import NO_PAUSES
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.policies import Policy
from actioncast.rehearsal.world.github import REPOSITORY, TOKEN, GitHubStandIn
from actioncast.rehearsal.world.replay import RecordingError, ReplayServer
from actioncast.settings import RetrainSettings, Settings
from actioncast.source_settings import BlockchainSource

PATIENCE_SECONDS = 0.1  # with an answer that never comes: nothing is proved by waiting longer


@dataclass(frozen=True)
class Surroundings:
    """What all policies of a rehearsal share. Without `database_url` each has a SQLite file."""

    folder: Path
    source: ReplayServer
    github: GitHubStandIn
    database_url: str | None = None
    alone: bool = True  # a single policy is rehearsed: no folder and no name of its own


@dataclass(frozen=True)
class Stage:
    """One policy with all that its jobs may touch."""

    plan: Plan
    policy: Policy
    settings: Settings
    series_id: str
    database: Database
    source: ReplayServer
    github: GitHubStandIn

    @property
    def model_folder(self) -> Path:
        return self.settings.model_directory(self.series_id)


@contextmanager
def open_stage(plan: Plan, policy: Policy, surroundings: Surroundings) -> Iterator[Stage]:
    """The stage of one policy, with its folder made and its database open."""
    settings = _settings(plan, policy, surroundings)
    settings.folder.mkdir(parents=True, exist_ok=True)
    with open_database(settings) as database:
        yield Stage(
            plan=plan,
            policy=policy,
            settings=settings,
            series_id=_series_id(plan, policy, surroundings),
            database=database,
            source=surroundings.source,
            github=surroundings.github,
        )


def _series_id(plan: Plan, policy: Policy, surroundings: Surroundings) -> str:
    """The series' name in the database; policies that share one database have one each."""
    if surroundings.alone or surroundings.database_url is None:
        return plan.series_id
    return f"{plan.series_id}-{_slug(policy.name)}"


def _folder(policy: Policy, surroundings: Surroundings) -> Path:
    if surroundings.alone:
        return surroundings.folder
    return surroundings.folder / _slug(policy.name)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")


def _settings(plan: Plan, policy: Policy, surroundings: Surroundings) -> Settings:
    """The user's settings with the replay as source, GitHub's stand-in, and a database of its own.

    Exogenous columns are left out: what was known of them at an earlier moment is not recorded.
    """
    folder = _folder(policy, surroundings)
    replay = BlockchainSource(kind="blockchain", url=surroundings.source.url)
    series_settings = plan.settings.series[plan.series_id].model_copy(
        update={"source": replay, "exogenous": {}, "retrain": RetrainSettings()},
    )
    database_url = surroundings.database_url or f"sqlite:///{folder / 'actioncast.db'}"
    environment = plan.settings.environment.model_copy(
        update={
            "database_url": SecretStr(database_url),
            "github_repository": REPOSITORY,
            "github_token": SecretStr(TOKEN),
            "github_api_url": surroundings.github.url,
        },
    )
    return plan.settings.model_copy(
        update={
            "series": {_series_id(plan, policy, surroundings): series_settings},
            "environment": environment,
            "folder": folder,
            "retrain": policy.retrain,
            "patience": NO_PAUSES,
        },
    )


def with_short_timeout(settings: Settings, series_id: str) -> Settings:
    """The same settings for a run whose source never answers."""
    series_settings = settings.series[series_id]
    source = series_settings.source.model_copy(update={"timeout_seconds": PATIENCE_SECONDS})
    impatient = series_settings.model_copy(update={"source": source})
    return settings.model_copy(update={"series": {series_id: impatient}})


@contextmanager
def checkout(folder: Path) -> Iterator[None]:
    """Keep the model folder as it was when the block fails.

    A job on GitHub has a checkout of its own, and pushes it at the very end or not at all.
    """
    contents = {}
    if folder.is_dir():
        contents = {path: path.read_bytes() for path in folder.glob("*")}
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        raise


def refuse_used_database(stage: Stage) -> None:
    """Raise RecordingError when the database holds this series already: it belongs to somebody."""
    if stage.database.last_period(stage.series_id) is not None:
        raise RecordingError(
            f"{stage.database.address} holds {stage.series_id} already; a rehearsal wants a database of its own"
        )

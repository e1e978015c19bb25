"""What rehearse.py leaves in demo/ or another folder: settings and last moment, to serve and export its end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.errors import ActioncastError
from actioncast.paths import DEMO
from actioncast.settings import Settings


class DemoError(ActioncastError):
    """There is no rehearsal to look at."""


def demo_settings(folder: Path = DEMO) -> Settings:
    """The settings, the database and the model of the rehearsal. Raises DemoError without one."""
    folder = folder.resolve()
    path = folder / "config.toml"
    if not path.exists():
        raise DemoError(f"{path} is missing; run: python rehearse.py")
    settings = load_settings(path)
    # Replaces the user's own DATABASE_URL, which the environment may name.
    database_url = SecretStr(f"sqlite:///{folder / 'actioncast.db'}")
    environment = settings.environment.model_copy(update={"database_url": database_url})
    return settings.model_copy(update={"environment": environment})


def last_moment(settings: Settings) -> datetime:
    """When the last ETL run began: the rehearsal's last tick.

    Raises DemoError when nothing is stored.
    """
    ever = datetime.min.replace(tzinfo=UTC)
    moments: list[datetime] = []
    with open_database(settings) as database:
        for series_id in settings.series:
            runs = database.etl_runs(series_id, since=ever)
            moments += [run["started_at"] for run in runs[:1]]  # newest first
    if not moments:
        raise DemoError("the rehearsal has stored nothing; run: python rehearse.py")
    return max(moments)

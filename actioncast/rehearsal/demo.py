"""What rehearse.py leaves in demo/: settings and a moment, to serve and export it as at the end of the rehearsal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.errors import ActioncastError
from actioncast.paths import ROOT
from actioncast.settings import Settings

FOLDER = ROOT / "demo"


class DemoError(ActioncastError):
    """There is no rehearsal to look at."""


def demo_settings(folder: Path = FOLDER) -> Settings:
    """The settings, the database and the model of the rehearsal. Raises DemoError without one."""
    path = folder / "config.toml"
    if not path.exists():
        raise DemoError(f"{path} is missing; run: python rehearse.py")
    settings = load_settings(path)
    database = SecretStr(f"sqlite:///{folder / 'actioncast.db'}")  # also where DATABASE_URL names the user's own
    environment = settings.environment.model_copy(update={"database_url": database})
    return settings.model_copy(update={"environment": environment})


def last_moment(settings: Settings) -> datetime:
    """When the last ETL run began: the rehearsal's last tick."""
    with open_database(settings) as database:
        runs = [database.etl_runs(name, since=datetime.min.replace(tzinfo=UTC))[:1] for name in settings.series]
    moments: list[datetime] = [run["started_at"] for newest in runs for run in newest]
    if not moments:
        raise DemoError("the rehearsal has stored nothing; run: python rehearse.py")
    return max(moments)

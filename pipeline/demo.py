"""What rehearse.py leaves in demo/: settings and a moment, to serve and export it as at the end of the rehearsal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from pipeline.database import open_database
from pipeline.settings import ROOT, ActioncastError, Settings

FOLDER = ROOT / "demo"


class DemoError(ActioncastError):
    """There is no rehearsal to look at."""


def demo_settings(settings: Settings, folder: Path = FOLDER) -> Settings:
    """The user's settings with the database and the model of the rehearsal. Raises DemoError without one."""
    path = folder / "actioncast.db"
    if not path.exists():
        raise DemoError(f"{path} is missing; run: python rehearse.py")
    environment = settings.environment.model_copy(update={"database_url": SecretStr(f"sqlite:///{path}")})
    return settings.model_copy(update={"environment": environment, "folder": folder})


def last_moment(settings: Settings) -> datetime:
    """When the last ETL run began: the rehearsal's last tick."""
    with open_database(settings) as database:
        runs = [database.etl_runs(name, since=datetime.min.replace(tzinfo=UTC))[:1] for name in settings.series]
    moments: list[datetime] = [run["started_at"] for newest in runs for run in newest]
    if not moments:
        raise DemoError("the rehearsal has stored nothing; run: python rehearse.py")
    return max(moments)

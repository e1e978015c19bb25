"""The project in the local GitHub's repository: small settings, and a source that shows a recording as new."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import train
import update_real_data
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.periods.points import Points
from actioncast.periods.timeline import UTC_HOURS
from actioncast.rehearsal.world import replay
from actioncast.times import HOUR, to_seconds
from tests.support.checkout import CONFIG, SERIES, shipped_files

from .github_stand_in import GitHub
from .runner import program

# Small enough that a training takes a second.
SMALL = {
    "history": '"40D"',
    "horizon": "48",
    "backtest": '"6D"',
    "candidates": '["seasonal_naive", "ridge"]',
    "minimum_scored": "6",
    "bad_checks": "1",
    "of_checks": "1",
    "cooldown": "0",
}


def recording_until(now: datetime) -> Points:
    """The bundled recording, moved by whole weeks so that it ends less than a week and a bit after `now`."""
    recording = replay.read_recording()
    week = 168 * HOUR
    weeks = (to_seconds(now) - int(recording.times[-1])) // week + 1
    return Points(recording.times + weeks * week, recording.values)


@contextmanager
def source(now: datetime | None = None) -> Iterator[replay.ReplayServer]:
    """The charts API on loopback, at this moment."""
    moment = now or datetime.now(UTC)
    with replay.ReplayServer(recording_until(moment), moment) as server:
        yield server


def config(source_url: str, **changes: str) -> str:
    """The shipped config.toml with this source and small settings."""
    source = f'{{ kind = "blockchain", url = "{source_url}" }}'
    return edited(CONFIG.read_text(encoding="utf-8"), {"source": source} | SMALL | changes)


def edited(text: str, changes: Mapping[str, str]) -> str:
    """The text of a config.toml with other values for these keys; one that stands there as a comment is set."""
    for key, value in changes.items():
        text, count = re.subn(rf"(?m)^(# )?{key} = .*", f"{key} = {value}", text, count=1)
        assert count, key
    return text


def seed(github: GitHub, source_url: str, **changes: str) -> None:
    """A copy of the template, as its user has set it up."""
    github.repository.commit(shipped_files(), "Initial commit")
    github.repository.commit({"config.toml": config(source_url, **changes)}, "Settings")


def environment() -> dict[str, str]:
    """What spares time and network: the machine's package cache."""
    listed = subprocess.run([program("uv") or "uv", "cache", "dir"], capture_output=True, text=True, check=True)
    return {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", listed.stdout.strip())}


@dataclass(frozen=True)
class Trained:
    """A copy of the template some days on: champions as files of model/, and the database for each way things went."""

    naive: dict[str, bytes]  # a weekly naive champion, which ridge beats
    ridge: dict[str, bytes]
    naive_drifted: bytes  # its forecasts were twice too high
    ridge_good: bytes  # its forecasts were nearly right


def train_in_process(folder: Path, source_url: str, now: datetime) -> Trained:
    """What ETL, two trainings and two days of forecasts leave behind."""
    champions = {}
    for name, candidates in (("naive", '["seasonal_naive"]'), ("ridge", SMALL["candidates"])):
        (folder / "config.toml").write_text(config(source_url, candidates=candidates), encoding="utf-8")
        settings = load_settings(folder / "config.toml", {})
        with open_database(settings) as database:
            if name == "naive":
                update_real_data.run(settings, database, now, series_id=SERIES)
            train.run(settings, database, now, series_id=SERIES)
        champions[name] = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in (folder / "model").rglob("*.*")
            if path.is_file()
        }
    drifted = _with_forecasts(folder, champions["naive"], now, 2.0)
    good = _with_forecasts(folder, champions["ridge"], now, 1.001)
    return Trained(champions["naive"], champions["ridge"], drifted, good)


def _with_forecasts(folder: Path, champion: dict[str, bytes], now: datetime, factor: float) -> bytes:
    """The database after 30 hours of forecasts that were `factor` times what came."""
    version = json.loads(champion[f"model/{SERIES}/card.json"])["version"]
    settings = load_settings(folder / "config.toml", {})
    with open_database(settings) as database:
        known = database.reality(SERIES, until=now, newest=30, timeline=UTC_HOURS)
        assert known is not None
        rows = [
            {
                "series_id": SERIES,
                "prediction_date": known.start + timedelta(hours=i),
                "issued_at": known.start,
                "prediction": value * factor,
                "lower": value * factor - 500,
                "upper": value * factor + 500,
                "lead": i + 1,
                "model_version": version,
            }
            for i, value in enumerate(known.values.tolist())
        ]
        database.store_vintage(rows)
    path = folder / "actioncast.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = delete")
    return path.read_bytes()


def set_up(github: GitHub, source_url: str, champion: dict[str, bytes], state: bytes, **changes: str) -> None:
    """The repository with this champion on main and this database on the state branch."""
    seed(github, source_url, **changes)
    github.repository.commit(dict(champion), "Promote")
    github.repository.commit({"actioncast.db": state}, "State", branch="state")

"""The project in the local GitHub's repository: small settings, and a source that shows a recording as new."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipeline import replay
from pipeline.series import HOUR, Points, to_seconds

from .github_stand_in import GitHub

ROOT = Path(__file__).resolve().parents[2]
SERIES = "bitcoin_transactions"
# Small enough that a training takes a second.
SMALL = {
    "history_days": "40",
    "horizon": "48",
    "backtest_days": "6",
    "candidates": '["seasonal_naive", "ridge"]',
    "minimum_scored_hours": "6",
    "bad_checks": "1",
    "of_checks": "1",
    "cooldown_hours": "0",
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
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    text = re.sub(
        r'source = \{ kind = "blockchain".*', f'source = {{ kind = "blockchain", url = "{source_url}" }}', text
    )
    for key, value in (SMALL | changes).items():
        text, found = re.subn(rf"(?m)^{key} = .*", f"{key} = {value}", text)
        assert found, key
    return text


def seed(github: GitHub, source_url: str, **changes: str) -> None:
    """A copy of the template, as its user has set it up."""
    github.repository.seed(ROOT)
    github.repository.commit({"config.toml": config(source_url, **changes)}, "Settings")


def environment() -> dict[str, str]:
    """What spares time and network: the machine's package cache."""
    listed = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True)
    return {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", listed.stdout.strip())}

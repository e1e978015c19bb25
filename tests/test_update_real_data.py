from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import update_real_data
from pipeline import source
from pipeline.database import Database, DatabaseError, open_database
from pipeline.replay import ReplayServer, first_and_last, read_recording
from pipeline.series import HOUR, Points, isoformat, to_seconds
from pipeline.settings import ROOT, ActioncastError, load_settings
from tests.conftest import Answer, Configure, Stub, at, chart, quarters
from tests.temp_postgres import TempPostgres

HALF_PAST_FOUR = "2022-03-04T04:30"


@dataclass
class Ran:
    """What a whole run left: exit code, what it printed, what is stored."""

    code: int
    out: dict[str, Any]
    err: str
    reality: dict[str, tuple[float, int]]  # hour -> value in the points' unit, samples
    etl_runs: list[dict[str, Any]]  # newest first


Run = Callable[..., Ran]


@pytest.fixture
def run(url: str, stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    """Run the script as a person would, at half past four, against the stub."""
    monkeypatch.setenv("DATABASE_URL", url)
    configure(f'{{ kind = "blockchain", url = "{stub.url}", timeout_seconds = 0.5 }}')

    def call(*flags: str, now: str = HALF_PAST_FOUR, path: Path | None = None) -> Ran:
        config = path or Path(stub_config(configure))
        capsys.readouterr()
        code = update_real_data.main(["--config", str(config), "--now", now, "--json", *flags])
        out, err = capsys.readouterr()
        with open_database(load_settings(config)) as database:
            return Ran(code, json.loads(out), err, reality(database), database.etl_runs("demo", since=at(-999_999)))

    def stub_config(_: Configure) -> str:
        return str(configure.__closure__[0].cell_contents / "config.toml")  # type: ignore[attr-defined,index]

    return call


def reality(database: Database) -> dict[str, tuple[float, int]]:
    query = "select reality_date, value, samples from reality where series_id = 'demo' order by reality_date"
    with database.engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    moments = [datetime.fromisoformat(t) if isinstance(t, str) else t.astimezone(UTC) for t, _, _ in rows]
    return {f"{m:%d %H:%M}": (round(v / 3600, 6), n) for m, (_, v, n) in zip(moments, rows, strict=True)}

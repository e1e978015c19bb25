"""The files of sql/ are applied once, whole, on both kinds of database."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from actioncast.database.connection import database_url
from actioncast.database.database import Database, open_database
from actioncast.database.migrations import execute_script
from actioncast.paths import ROOT
from tests.support.checkout import CONFIG
from tests.support.rows import at_once, opening_error, settings_for
from tests.support.temp_postgres import TempPostgres


def test_migrations_are_applied_once(url: str) -> None:
    database = Database(database_url(settings_for(url)))
    kind = "sqlite" if database.is_sqlite else "postgresql"
    assert database.migrate() == [
        "0001_tables.sql",
        f"0002_views.{kind}.sql",
        "0003_exogenous.sql",
        "0004_series.sql",
        "0005_revisions.sql",
        "0006_quarantine.sql",
        "0007_periods.sql",
        f"0008_naive.{kind}.sql",
        "0009_distribution.sql",
        "0010_annotations.sql",
    ]
    assert database.migrate() == []
    database.close()


def test_the_tables_have_the_same_columns_on_both(postgres: TempPostgres, tmp_path: Path) -> None:
    names = ["reality", "predictions", "latest_predictions", "performance", "etl_runs", "training_runs", "checks"]
    names += ["exogenous", "series", "revisions", "quarantine", "annotations"]
    columns = []
    for url in (postgres.new_database(), f"sqlite:///{tmp_path / 'a.db'}"):
        with open_database(settings_for(url)) as opened, opened.engine.connect() as connection:
            columns.append([list(connection.execute(text(f"select * from {name}")).keys()) for name in names])
    assert columns[0] == columns[1]


def test_a_migration_that_fails_leaves_nothing_behind(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0001_broken.sql").write_text("create table half (a integer);\ncreate tabel;\n")
    monkeypatch.setattr("actioncast.database.migrations.MIGRATIONS", tmp_path)
    assert "syntax error" in opening_error(url)
    (tmp_path / "0001_broken.sql").write_text("create table half (a integer);\n")
    with open_database(settings_for(url)):
        pass


OPEN = f"""
from pathlib import Path
from actioncast.config import load_settings
from actioncast.database.database import open_database
with open_database(load_settings(Path({str(CONFIG)!r}))) as database:
    print(database.last_period("a"))
"""


def test_processes_that_start_on_an_empty_database_at_once(url: str) -> None:
    environment = {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 4
    assert [process.returncode for process in processes] == [0] * 4


def test_migrations_that_meet_are_applied_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(connection: Connection, script: str) -> None:
        time.sleep(0.05)
        execute_script(connection, script)

    monkeypatch.setattr("actioncast.database.migrations.execute_script", slowly)
    applied = at_once(url, lambda database, _: database.migrate())
    assert sorted(len(names) for names in applied if isinstance(names, list)) == [0, 0, 0, 10]

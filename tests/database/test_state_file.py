"""The database that is built from files, across versions of the schema."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actioncast.database import copying, migrations
from actioncast.database.state import state_file
from actioncast.database.state.partitions import MIGRATIONS, files_of
from tests.support.clock import MIDNIGHT
from tests.support.rows import hours, load

LATER = "0900_later.sql"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """What a state with one hour holds."""
    path = tmp_path / "stored.db"
    with copying.opened(path) as database:
        load(database, hours(3))
    return files_of(path, MIDNIGHT, 60)


@pytest.fixture
def later_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema has one more migration, which adds a column and changes rows."""
    folder = tmp_path / "sql"
    shutil.copytree(migrations.MIGRATIONS, folder)
    script = "alter table reality add column quality text;\nupdate reality set quality = 'old', value = value * 2;\n"
    (folder / LATER).write_text(script)
    monkeypatch.setattr(migrations, "MIGRATIONS", folder)


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_rows_go_through_the_migrations_that_they_have_not_seen_and_no_others(
    files: dict[str, bytes], tmp_path: Path, later_version: None
) -> None:
    first = tmp_path / "first.db"
    state_file.build(first, files)
    assert ask(first, "select value, quality from reality") == [(6.0, "old")]
    second = tmp_path / "second.db"
    state_file.build(second, files_of(first, MIDNIGHT, 60))
    assert ask(second, "select value, quality from reality") == [(6.0, "old")], "not twice"


def test_a_migration_of_a_newer_version_stays_on_the_list(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "built.db"
    state_file.build(path, {**files, MIGRATIONS: files[MIGRATIONS] + b"0999_unknown.sql\n"})
    assert ("0999_unknown.sql",) in ask(path, "select name from schema_migrations")


def test_without_a_list_of_migrations_the_tables_are_there(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "built.db"
    state_file.build(path, {name: text for name, text in files.items() if name != MIGRATIONS})
    assert ask(path, "select value from reality") == [(3.0,)]
    assert len(ask(path, "select name from schema_migrations")) >= 4

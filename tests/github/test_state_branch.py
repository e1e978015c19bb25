"""The state branch, without act: two checkouts of one repository."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actioncast.config import load_settings
from actioncast.database import copying
from actioncast.database.database import Database, open_database
from actioncast.database.schema import TABLES
from actioncast.errors import ActioncastError
from actioncast.github import state_branch
from actioncast.github.git import git
from actioncast.hours import Hours
from actioncast.times import to_seconds
from tests.support.clock import MIDNIGHT


@pytest.fixture
def checkouts(tmp_path: Path) -> list[Path]:
    """Two clones of an empty repository."""
    origin = tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        git(tmp_path, "clone", "--quiet", str(origin), str(folder))
    return folders


def hours(*samples: int, start: int = 0) -> Hours:
    """One hour per number of samples, its value that number."""
    first = to_seconds(MIDNIGHT) + 3600 * start
    starts = np.array([first + 3600 * i for i in range(len(samples))], dtype=np.int64)
    return Hours(starts, np.array(samples, dtype=np.float64), np.array(samples, dtype=np.int64))


def load(folder: Path, series_id: str, run_id: str, *samples: int) -> None:
    """What a run of the ETL does to the database of a checkout."""
    with copying.opened(folder / state_branch.FILE) as database:
        run: dict[str, Any] = {"run_id": run_id, "series_id": series_id, "message": ""}
        run |= {"started_at": MIDNIGHT, "finished_at": MIDNIGHT}
        run |= {"points_read": 0, "points_rejected": 0, "hours_missing": 0}
        database.load_hours(series_id, hours(*samples), MIDNIGHT, run)


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / state_branch.FILE)) as connection:
        return connection.execute(query).fetchall()


def test_first_save_then_restore_elsewhere(checkouts: list[Path]) -> None:
    one, two = checkouts
    assert "no branch state yet" in state_branch.restore(one)
    assert "nothing to save" in state_branch.save(one)
    load(one, "a", "r1", 4, 4)
    assert "saved" in state_branch.save(one)
    assert not list(one.glob("*.db-*")), "one file is enough"
    assert "restored" in state_branch.restore(two)
    assert rows(two, "select count(*) from reality") == [(2,)]


def test_lost_race_adds_to_the_newer_state_and_the_branch_stays_one_commit(checkouts: list[Path]) -> None:
    one, two = checkouts
    load(one, "a", "r1", 4)
    state_branch.save(one)
    state_branch.restore(two)
    load(two, "b", "r2", 3, 4)
    load(one, "a", "r3", 4, 4)
    state_branch.save(one)
    state_branch.save(two)
    state_branch.restore(one)
    assert rows(one, "select run_id from etl_runs order by run_id") == [("r1",), ("r2",), ("r3",)]
    assert rows(one, "select series_id, count(*) from reality group by 1") == [("a", 2), ("b", 2)]
    assert git(one, "rev-list", "--count", state_branch.SEEN) == "1"


def test_both_first_saves_survive(checkouts: list[Path]) -> None:
    one, two = checkouts
    load(one, "a", "r1", 4)
    load(two, "b", "r2", 4)
    state_branch.save(one)
    state_branch.save(two)
    assert rows(two, "select count(*) from etl_runs") == [(2,)]


def test_a_fuller_hour_wins_whoever_has_it(tmp_path: Path) -> None:
    for order in (("few", "many"), ("many", "few")):
        folders = [tmp_path / order[0] / name for name in order]
        for folder, name in zip(folders, order, strict=True):
            folder.mkdir(parents=True)
            load(folder, "a", name, 3 if name == "few" else 4)
        with (
            copying.opened(folders[0] / state_branch.FILE) as source,
            copying.opened(folders[1] / state_branch.FILE) as target,
        ):
            copying.copy_rows(source, target)
        assert rows(folders[1], "select value, samples from reality") == [(4.0, 4)]


def test_a_state_too_large_for_github_says_how_to_move(checkouts: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    load(checkouts[0], "a", "r1", 4)
    monkeypatch.setattr(state_branch, "LARGEST_BYTES", 1000)
    with pytest.raises(state_branch.StateError, match="state_branch move"):
        state_branch.save(checkouts[0])


def test_a_broken_database_is_not_saved(checkouts: list[Path]) -> None:
    (checkouts[0] / state_branch.FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(state_branch.StateError, match="not saved"):
        state_branch.save(checkouts[0])


def test_every_table_is_copied(database: Database) -> None:
    with database.engine.connect() as connection:
        query = "select name from sqlite_master where type = 'table'"
        if not database.is_sqlite:
            query = "select tablename from pg_tables where schemaname = current_schema()"
        stored = {row[0] for row in connection.exec_driver_sql(query)}
    assert stored == {table.name for table in TABLES} | {"schema_migrations"}


def test_one_command_moves_everything_to_postgresql(
    checkouts: list[Path], postgres: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = checkouts
    load(one, "a", "r1", *[4] * 1200)
    with copying.opened(one / state_branch.FILE) as database:
        vintage = {"series_id": "a", "issued_at": MIDNIGHT, "prediction": 1.0, "lower": 0.0, "upper": 2.0}
        dates = [MIDNIGHT + timedelta(hours=i) for i in range(5)]
        database.store_vintage([{**vintage, "prediction_date": d, "lead": 1, "model_version": "v"} for d in dates])
    state_branch.save(one)
    url = postgres.new_database()
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(state_branch, "ROOT", two)
    assert state_branch.main(["move"]) == 0
    assert "1200 rows of reality, 5 rows of predictions, 1 rows of etl_runs" in capsys.readouterr().out
    with open_database(load_settings(variables={"DATABASE_URL": url})) as target:
        stored = target.reality("a", until=MIDNIGHT + timedelta(days=90), newest=2000)
        assert stored is not None
        assert len(stored) == 1200
        assert len(target.newest_vintages("a")) == 1
    assert state_branch.main(["move"]) == 0, "twice does no harm"


def test_move_without_a_target_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert state_branch.main(["move"]) == 1
    assert "DATABASE_URL is not set" in capsys.readouterr().err


def test_an_unreachable_repository_is_an_error(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(ActioncastError, match="git ls-remote"):
        state_branch.restore(tmp_path)

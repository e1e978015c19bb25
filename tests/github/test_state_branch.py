"""The state branch, without act: two checkouts of one repository."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actioncast.config import load_settings
from actioncast.database import copying, migrations
from actioncast.database.database import Database, open_database
from actioncast.database.schema import TABLES
from actioncast.errors import ActioncastError
from actioncast.github import state_branch, state_commits
from actioncast.github.git import git
from actioncast.periods.grid import Periods
from actioncast.periods.timeline import UTC_HOURS
from actioncast.times import to_seconds
from tests.support.clock import MIDNIGHT
from tests.support.rows import vintage


@pytest.fixture
def checkouts(tmp_path: Path) -> list[Path]:
    """Two clones of an empty repository."""
    origin = tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        git(tmp_path, "clone", "--quiet", str(origin), str(folder))
    return folders


def hours(*samples: int, start: int = 0) -> Periods:
    """One hour per number of samples, its value that number."""
    first = to_seconds(MIDNIGHT) + 3600 * start
    starts = np.array([first + 3600 * i for i in range(len(samples))], dtype=np.int64)
    return Periods(starts, np.array(samples, dtype=np.float64), np.array(samples, dtype=np.int64))


def load(folder: Path, series_id: str, run_id: str, *samples: int) -> None:
    """What a run of the ETL does to the database of a checkout."""
    with copying.opened(folder / state_branch.FILE) as database:
        run: dict[str, Any] = {"run_id": run_id, "series_id": series_id, "message": ""}
        run |= {"started_at": MIDNIGHT, "finished_at": MIDNIGHT}
        run |= {"points_read": 0, "points_rejected": 0, "periods_missing": 0}
        database.load_periods(series_id, hours(*samples), MIDNIGHT, run)


def save(folder: Path, now: datetime = MIDNIGHT, vintage_days: float = 0) -> str:
    return state_branch.save(folder, now=now, vintage_days=vintage_days)


def files_on_the_branch(folder: Path) -> dict[str, str]:
    """Their names and the ids of their content."""
    state_commits.fetch(folder)
    return state_commits.blobs(folder)


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / state_branch.FILE)) as connection:
        return connection.execute(query).fetchall()


def test_first_save_then_restore_elsewhere(checkouts: list[Path]) -> None:
    one, two = checkouts
    assert "no branch state yet" in state_branch.restore(one)
    assert "nothing to save" in save(one)
    load(one, "a", "r1", 4, 4)
    assert "saved" in save(one)
    assert not list(one.glob("*.db-*")), "one file is enough"
    assert "restored" in state_branch.restore(two)
    assert rows(two, "select count(*) from reality") == [(2,)]


def test_lost_race_adds_to_the_newer_state_and_the_branch_stays_one_commit(checkouts: list[Path]) -> None:
    one, two = checkouts
    load(one, "a", "r1", 4)
    save(one)
    state_branch.restore(two)
    load(two, "b", "r2", 3, 4)
    load(one, "a", "r3", 4, 4)
    save(one)
    save(two)
    state_branch.restore(one)
    assert rows(one, "select run_id from etl_runs order by run_id") == [("r1",), ("r2",), ("r3",)]
    assert rows(one, "select series_id, count(*) from reality group by 1") == [("a", 2), ("b", 2)]
    assert git(one, "rev-list", "--count", state_commits.SEEN) == "1"


def test_both_first_saves_survive(checkouts: list[Path]) -> None:
    one, two = checkouts
    load(one, "a", "r1", 4)
    load(two, "b", "r2", 4)
    save(one)
    save(two)
    assert rows(two, "select count(*) from etl_runs") == [(2,)]


def test_two_jobs_that_change_the_same_file_both_keep_their_rows(checkouts: list[Path]) -> None:
    one, two = checkouts
    load(one, "a", "r1", 4)
    save(one)
    state_branch.restore(two)
    load(one, "a", "r2", 4, 4)
    load(two, "a", "r3", 5, 3, 4)
    save(one)
    save(two)
    assert rows(two, "select samples from reality order by reality_date") == [(5,), (4,), (4,)], "the fuller hours"
    state_branch.restore(one)
    assert rows(one, "select run_id from etl_runs order by run_id") == [("r1",), ("r2",), ("r3",)]


def test_a_save_sends_what_changed_and_nothing_without_a_change(checkouts: list[Path]) -> None:
    one, _ = checkouts
    load(one, "a", "r1", *[4] * 500)
    save(one)
    first = files_on_the_branch(one)
    assert "stays as it is" in save(one)
    load(one, "b", "r2", 4)
    assert "saved 2 of" in save(one)
    second = files_on_the_branch(one)
    assert {name for name in second if second[name] != first.get(name)} == {
        "reality/2022/03/04/b.csv",
        "etl_runs/2022/03/04/00.csv",
    }


def test_a_month_that_is_over_moves_into_one_file(checkouts: list[Path]) -> None:
    one, two = checkouts
    load(one, "a", "r1", *[4] * 48)
    save(one)
    assert "reality/2022/03/05/a.csv" in files_on_the_branch(one)
    save(one, now=MIDNIGHT + timedelta(days=60))
    names = set(files_on_the_branch(one))
    assert {name for name in names if name.startswith("reality")} == {"reality/2022/03/a.csv"}
    state_branch.restore(two)
    assert rows(two, "select count(*) from reality") == [(48,)]


def test_files_of_others_stay_on_the_branch(checkouts: list[Path]) -> None:
    one, two = checkouts
    load(one, "a", "r1", 4)
    save(one)
    others = {"README.md": b"mine", "notes.csv": b"a", "colours/2022/03/04/a.csv": b"of a later version"}
    commit = state_commits.commit(one, others, [])
    state_commits.push(one, commit)
    state_branch.restore(two)
    load(two, "a", "r2", 4, 4)
    save(two)
    assert set(others) <= set(files_on_the_branch(two))


@pytest.fixture
def first_form(tmp_path: Path) -> bytes:
    """A database as the first version of the schema left it."""
    path = tmp_path / "first.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table schema_migrations (name text not null primary key)")
        for name in ("0001_tables.sql", "0002_views.sqlite.sql"):
            connection.executescript((migrations.MIGRATIONS / name).read_text(encoding="utf-8"))
            connection.execute("insert into schema_migrations values (?)", (name,))
        connection.execute("insert into reality values ('a', '2022-03-04T00:00:00Z', 4.5, 4, '2022-03-04T01:00:00Z')")
    return path.read_bytes()


def save_first_form(folder: Path, database: bytes) -> None:
    """What a save of the first release leaves: the database is the one file of the branch."""
    state_commits.fetch(folder)
    held = list(state_commits.blobs(folder))
    state_commits.push(folder, state_commits.commit(folder, {state_branch.FILE: database}, held))


def test_a_database_of_the_first_form_is_restored_and_saved_as_files(checkouts: list[Path], first_form: bytes) -> None:
    one, two = checkouts
    save_first_form(one, first_form)
    state_branch.restore(two)
    assert rows(two, "select value from reality") == [(4.5,)]
    assert rows(two, "select * from series") == [], "later migrations are applied"
    load(two, "b", "r1", 4)
    save(two)
    assert state_branch.FILE not in files_on_the_branch(two)
    state_branch.restore(one)
    assert rows(one, "select series_id, value from reality order by 1") == [("a", 4.5), ("b", 4.0)]


def test_a_race_lost_to_a_job_of_the_first_form_keeps_both(checkouts: list[Path], first_form: bytes) -> None:
    one, two = checkouts
    load(two, "b", "r1", 4)
    save(two)
    load(two, "b", "r2", 4, 4)
    save_first_form(one, first_form)
    save(two)
    assert rows(two, "select series_id, count(*) from reality group by 1") == [("a", 1), ("b", 2)]
    assert state_branch.FILE not in files_on_the_branch(two)


def test_old_vintages_are_thinned_at_a_save_which_says_so(
    checkouts: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = checkouts
    with copying.opened(one / state_branch.FILE) as database:
        for issued in (0, 6, 12):
            database.store_vintage(vintage(issued, *[1.0] * 24))
    later = MIDNIGHT + timedelta(days=120)
    save(one, now=later)
    assert "dropped" not in capsys.readouterr().out
    save(one, now=later, vintage_days=60)
    assert "dropped 36 forecasts" in capsys.readouterr().out
    state_branch.restore(two)
    assert rows(two, "select count(*) from predictions") == [(36,)]
    names = [name for name in files_on_the_branch(two) if name.startswith("predictions")]
    assert names == ["predictions/2022/03/a.csv"]


def test_the_rule_comes_from_config_toml_and_a_broken_one_drops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = '[series.a]\nunit = "x"\nsource = { kind = "file", path = "a.csv" }\n'
    for text, days in ((source, 60), (f"{source}[state]\nvintage_days = 7.5\n", 7.5), ("[series", 0)):
        (tmp_path / "config.toml").write_text(text)
        assert state_branch.configured_vintage_days(tmp_path) == days
    assert "all forecasts are kept" in capsys.readouterr().out


def test_a_state_too_large_for_github_says_how_to_move(checkouts: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    load(checkouts[0], "a", "r1", 4)
    monkeypatch.setattr(state_branch, "LARGEST_FILE_BYTES", 50)
    with pytest.raises(state_branch.StateError, match="state_branch move"):
        save(checkouts[0])


def test_a_large_state_warns(
    checkouts: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load(checkouts[0], "a", "r1", 4)
    monkeypatch.setattr(state_branch, "LARGE_BYTES", 100)
    save(checkouts[0])
    assert "::warning title=The state branch grows large::" in capsys.readouterr().out


def test_a_broken_database_is_not_saved(checkouts: list[Path]) -> None:
    (checkouts[0] / state_branch.FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(state_branch.StateError, match="not saved"):
        save(checkouts[0])


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
    save(one)
    url = postgres.new_database()
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(state_branch, "ROOT", two)
    assert state_branch.main(["move"]) == 0
    assert "1200 rows of reality, 5 rows of predictions, 1 rows of etl_runs" in capsys.readouterr().out
    with open_database(load_settings(variables={"DATABASE_URL": url})) as target:
        stored = target.reality("a", until=MIDNIGHT + timedelta(days=90), newest=2000, timeline=UTC_HOURS)
        assert stored is not None
        assert len(stored) == 1200
        assert len(target.newest_vintages("a")) == 1
    assert state_branch.main(["move"]) == 0, "twice does no harm"


def test_move_without_a_target_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert state_branch.main(["move"]) == 1
    assert "DATABASE_URL is not set" in capsys.readouterr().err


RULESET = """error: GH013: Repository rule violations found for refs/heads/state.
Review all repository rules at https://github.example/o/r/rules?ref=refs%2Fheads%2Fstate

- Cannot force-push to this branch

- Commits must have verified signatures.
  Found 1 violation:

  881bbb3d511baa101fc127a2ad906e42ca7f80ed
"""
PROTECTION = """error: GH006: Protected branch update failed for refs/heads/state.
error: Cannot force-push to this protected branch
"""


@pytest.mark.parametrize(
    ("refusal", "rules"),
    [
        (RULESET, r"\(Cannot force-push to this branch; Commits must have verified signatures\)"),
        (PROTECTION, r"\(Cannot force-push to this protected branch\)"),
        ("error: GH003: Sorry, force-pushing to state is not allowed.", r"force-pushing to state is not allowed"),
    ],
)
def test_a_protected_branch_names_the_rules_and_the_two_ways_out(
    checkouts: list[Path], refusal: str, rules: str
) -> None:
    hook = checkouts[0].parent / "origin.git" / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{refusal}\nEND\nexit 1\n")
    hook.chmod(0o755)
    load(checkouts[0], "a", "r1", 4)
    with pytest.raises(state_branch.StateError, match=rf"{rules}.*exclude state from this rule.*DATABASE_URL"):
        save(checkouts[0])


def test_an_unreachable_repository_is_an_error(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(ActioncastError, match="git ls-remote"):
        state_branch.restore(tmp_path)

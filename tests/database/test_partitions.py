"""Rows as text files and back, on SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from actioncast.database import copying
from actioncast.database.schema import SERIES, TABLES
from actioncast.database.state import partitions
from actioncast.database.state.partitions import PartitionError, add_files, files_of
from tests.support.clock import MIDNIGHT, at
from tests.support.rows import hours, load, run_row, vintage

NOW = MIDNIGHT  # 2022-03-04T00:00:00Z
HEADER = "series_id,reality_date,value,samples,loaded_at\n"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """An empty, migrated file."""
    return empty(tmp_path / "stored.db")


def empty(path: Path) -> Path:
    with copying.opened(path):
        return path


def execute(path: Path, query: str, *rows: Any) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        if rows:
            connection.executemany(query, rows)
            return []
        return connection.execute(query).fetchall()


def rows_by_table(path: Path) -> dict[str, list[Any]]:
    return {table.name: sorted(execute(path, f"select * from {table.name}"), key=repr) for table in TABLES}


def test_every_table_but_the_series_says_how_it_is_spread() -> None:
    for table in TABLES:
        if table is not SERIES:
            layout = partitions.LAYOUTS[table.name]
            assert layout.time in table.c
            assert not layout.better or layout.better in table.c


def test_every_declared_type_is_one_that_a_file_gives_back(stored: Path) -> None:
    with closing(sqlite3.connect(stored)) as connection:
        columns = [column for table in TABLES for column in partitions.columns_of(connection, table.name)]
    assert {column.kind for column in columns} - {"text", "timestamptz"} <= set(partitions.NUMBERS)


def test_odd_values_come_back_exactly(stored: Path, tmp_path: Path) -> None:
    odd = ["", "\\N", "\\", 'a "quoted", text', "two\nlines\r\n", "ü✓", "name=value", "x" * 200_000]
    numbers = [0.1 + 0.2, -0.0, 5e-324, 1e300, 1 / 3, 12345678901234567.0, 0.0, -7.0]
    time = "2022-03-03T06:00:00Z"
    run = "insert into etl_runs values (?, ?, ?, ?, 0, 0, 0, 0, 'failed', ?)"
    execute(stored, run, *[(str(i), "a", time, time, text) for i, text in enumerate(odd)])
    check = "insert into checks values ('a', ?, 'good', ?, ?, ?, 3, ?, null, ?, ?)"
    checks = [(f"2022-03-0{1 + i}T06:00:00Z", i % 2, None, odd[i], x, -x, 1) for i, x in enumerate(numbers)]
    execute(stored, check, *checks)
    hour = "insert into reality values ('a', ?, ?, 4, ?)"
    execute(stored, hour, *[(f"2022-03-03T0{i}:00:00Z", x, time) for i, x in enumerate(numbers)])
    execute(stored, "insert into series values (?, ?)", *[(text, text) for text in odd])
    files = files_of(stored, NOW, 60)
    restored = empty(tmp_path / "restored.db")
    add_files(restored, files)
    assert repr(rows_by_table(restored)) == repr(rows_by_table(stored))
    assert files_of(restored, NOW, 60) == files


def test_open_months_lie_in_small_files_and_those_that_are_over_in_one_each(stored: Path) -> None:
    with copying.opened(stored) as database:
        load(database, hours(1, 2, start=-24), series_id="a", run_id="r1")
        load(database, hours(1, start=-24 * 31), series_id="a/ü", run_id="r2")
        database.store_vintage(vintage(-18, 1, 2))
        database.store_vintage(vintage(-24 * 100, 1, 2))
    names = set(files_of(stored, NOW - timedelta(hours=1), 60)) - {partitions.MIGRATIONS}
    assert names == {
        "reality/2022/03/03/a.csv",
        "reality/2022/02/01/a%2F%C3%BC.csv",
        "predictions/2022/03/03/06/a.csv",
        "predictions/2021/11/a.csv",
        "etl_runs/2022/03/04/00.csv",
    }
    later = set(files_of(stored, NOW, 0))
    assert "reality/2022/02/a%2F%C3%BC.csv" in later, "February has been over for three days"
    assert "predictions/2021/11/24/00/a.csv" in later, "without thinning a vintage never moves"


def test_a_file_can_be_read_by_a_person(stored: Path) -> None:
    with copying.opened(stored) as database:
        load(database, hours(1.5, 2, start=-24))
        database.store_vintage(vintage(-18, 1, 2))
    files = files_of(stored, NOW, 60)
    assert files["reality/2022/03/03/a.csv"].decode().splitlines() == [
        "series_id=a,reality_date,value,samples,loaded_at",
        "2022-03-03T00:00:00Z,1.5,4,2022-03-04T09:00:00Z",
        "2022-03-03T01:00:00Z,2.0,4,2022-03-04T09:00:00Z",
    ]
    assert files["predictions/2022/03/03/06/a.csv"].decode().splitlines() == [
        "series_id=a,prediction_date,issued_at=2022-03-03T06:00:00Z,prediction,lower,upper,lead,model_version=v1,naive,"
        "quantiles,width_below=\\N,width_above=\\N,fallback=\\N",
        "2022-03-03T07:00:00Z,1.0,0.0,2.0,1,\\N,\\N",
        "2022-03-03T08:00:00Z,2.0,1.0,3.0,2,\\N,\\N",
    ]


def test_a_new_hour_changes_its_day_and_the_ledger_alone(stored: Path) -> None:
    with copying.opened(stored) as database:
        load(database, hours(*range(40), start=-48), run_id="r1")
        before = files_of(stored, NOW, 60)
        database.load_periods("a", hours(7, start=-8), at(1), run_row("r2", started_at=at(1)))
    after = files_of(stored, NOW, 60)
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {"reality/2022/03/03/a.csv", "etl_runs/2022/03/04/01.csv"}


@pytest.mark.parametrize(("samples", "value"), [(3, 1.0), (4, 1.0), (5, 9.0)])
def test_a_row_that_is_stored_stays_unless_the_file_has_a_better_one(stored: Path, samples: int, value: float) -> None:
    with copying.opened(stored) as database:
        load(database, hours(1))
    text = HEADER + f"a,2022-03-04T00:00:00Z,9.0,{samples},2022-03-05T00:00:00Z\n"
    add_files(stored, {"reality/2022/03/04/a.csv": text.encode()})
    assert execute(stored, "select value from reality") == [(value,)]


def test_a_file_of_an_earlier_version_may_lack_columns(stored: Path) -> None:
    execute(stored, "alter table reality add column quality integer not null default 7")
    text = b"series_id=a,reality_date,value,samples,loaded_at\n2022-03-04T00:00:00Z,9.0,4,2022-03-05T00:00:00Z\n"
    add_files(stored, {"reality/2022/03/04/a.csv": text})
    assert execute(stored, "select value, quality from reality") == [(9.0, 7)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("series_id,settings,colour\na,{},red\n", "the table series has no column 'colour'"),
        ("series_id,settings\na\nb,c\n", r"expected rows of 2 fields, got \[1, 2\]"),
        ("series_id,settings\na,{},more\n", r"expected rows of 2 fields, got \[3\]"),
        ("series_id=a,settings\na,{}\n", r"expected rows of 1 fields, got \[2\]"),
        ("series_id,settings\na,\\N\n", "NOT NULL"),
        ("", r"expected rows of 0 fields, got \[\]"),
    ],
)
def test_a_file_that_does_not_fit_adds_nothing_and_is_named(stored: Path, text: str, message: str) -> None:
    hour = HEADER + "a,2022-03-04T00:00:00Z,9.0,4,2022-03-05T00:00:00Z\n"
    with pytest.raises(PartitionError, match=rf"^series\.csv: .*{message}"):
        add_files(stored, {"reality/2022/03/04/a.csv": hour.encode(), "series.csv": text.encode()})
    assert execute(stored, "select * from reality") == []


def test_a_number_that_is_none_is_an_error(stored: Path) -> None:
    text = HEADER + "a,2022-03-04T00:00:00Z,much,4,2022-03-05T00:00:00Z\n"
    with pytest.raises(PartitionError, match=r"reality/2022/03/04/a\.csv: .*'much'"):
        add_files(stored, {"reality/2022/03/04/a.csv": text.encode()})


def test_a_time_that_is_none_is_an_error(stored: Path) -> None:
    execute(stored, "insert into reality values ('a', 'yesterday', 1, 4, 'today')")
    with pytest.raises(PartitionError, match=r"reality: expected a time such as .*, got 'yesterday'"):
        files_of(stored, NOW, 60)


@pytest.mark.parametrize("name", ["README.md", "notes.csv", "reality/README.md", "colours/2022/03/04/a.csv"])
def test_a_file_of_no_table_is_left_out(stored: Path, name: str) -> None:
    add_files(stored, {name: b"hello"})
    assert {name: rows for name, rows in rows_by_table(stored).items() if rows} == {}


def test_a_table_of_the_users_own_migration_is_one_file(stored: Path, tmp_path: Path) -> None:
    restored = empty(tmp_path / "restored.db")
    for path in (stored, restored):
        execute(path, "create table my_notes2 (note text, weight real)")
    execute(stored, "insert into my_notes2 values (?, ?)", ("b", 0.1), ("a", None))
    files = files_of(stored, NOW, 60)
    assert files["my_notes2.csv"] == b"note,weight\nb,0.1\na,\\N\n"
    add_files(restored, files)
    assert execute(restored, "select * from my_notes2") == [("b", 0.1), ("a", None)]


def test_a_table_that_cannot_be_read_is_named(stored: Path) -> None:
    execute(stored, 'create table odd ("select" text)')
    with pytest.raises(PartitionError, match="the table odd: "):
        files_of(stored, NOW, 60)

"""Rows of a SQLite database as small text files, and back: what the branch `state` holds.

A file is CSV, with the names of its columns in the first line. It holds the rows of one table, of
an hour, a day or a month that is over, and of one series where a table has many rows:

    reality/2026/11/25/SERIES.csv           a day of the open month
    reality/2026/10/SERIES.csv              a month that is over
    predictions/2026/11/25/06/SERIES.csv    the vintages issued in an hour
    etl_runs/2026/11/25/06.csv              the runs of all series that began in an hour
    series.csv                              a table without a time

So a save changes few files, all small, in small folders: git stores each changed file and folder
anew, for good. `name=value` in the first line is a column with one value in all rows. NULL is
written \\N, and a text that begins with a backslash has one more before it. Standard library only.
"""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from actioncast.errors import ActioncastError
from actioncast.times import isoformat

MONTH = len("2026-11")  # characters of a time that the rows of a file share
DAY = len("2026-11-25")
HOUR = len("2026-11-25T06")
LATE_DAYS = 3  # so long a month is open after its end: the last 48 hours are read again
LONGEST_FIELD = 2**31 - 1  # characters; by itself the csv module refuses more than 131,072
SHARED_COLUMNS = ("series_id", "name", "issued_at", "model_version", "width_below", "width_above", "fallback")
NULL = "\\N"
MIGRATIONS = "schema_migrations.csv"
NUMBERS = {"double precision": float, "integer": int, "boolean": int}  # declared type -> Python's
_SPAN = re.compile(r"\d{4}-\d\d(-\d\d(T\d\d)?)?")
_NAME = re.compile(r"(?P<table>\w+)(/\d{4}/\d\d(/\d\d){0,2}(/[^/]+)?)?\.csv")


class PartitionError(ActioncastError):
    """A row that fits no file of the state, or a file that fits no table."""


@dataclass(frozen=True)
class Layout:
    """How the rows of a table are spread over files."""

    time: str  # the column that decides
    span: int  # DAY or HOUR: what a file holds of an open month
    by_series: bool = False
    better: str = ""  # of two rows with one key, the one with more here stays; "": the stored one


LAYOUTS = {
    "reality": Layout("reality_date", DAY, by_series=True, better="samples"),
    "revisions": Layout("replaced_at", DAY, by_series=True),
    "quarantine": Layout("reality_date", DAY, by_series=True, better="decided_at"),
    "exogenous": Layout("exogenous_date", DAY, by_series=True, better="loaded_at"),
    "predictions": Layout("issued_at", HOUR, by_series=True),
    "etl_runs": Layout("started_at", HOUR),
    "training_runs": Layout("started_at", HOUR),
    "checks": Layout("checked_at", HOUR),
    "annotations": Layout("noted_at", DAY),
}


@dataclass(frozen=True)
class Column:
    """A column as its table declares it."""

    name: str
    kind: str
    may_be_null: bool
    is_key: bool

    @property
    def as_text(self) -> str:
        """The SQL of the column with NULL and backslashes written as in a file."""
        if self.kind == "text":
            escaped = f"case when {self.name} like '\\%' then '\\' || {self.name} else {self.name} end"
        else:
            escaped = self.name
        return f"coalesce({escaped}, '{NULL}')" if self.may_be_null else escaped

    def values(self, fields: Sequence[str]) -> list[Any]:
        """The values of the fields of a file. Raises ValueError for a number that is none."""
        number = NUMBERS.get(self.kind)
        if number and not self.may_be_null:
            return list(map(number, fields))
        if number:
            return [None if field == NULL else number(field) for field in fields]
        return [_unescaped(field) for field in fields]


def _unescaped(field: str) -> str | None:
    if not field.startswith("\\"):
        return field
    return None if field == NULL else field[1:]


def first_open_month(now: datetime, days: float) -> str:
    """The month of `days` ago, such as 2026-11: all earlier ones ended longer ago than that."""
    return isoformat(now - timedelta(days=days))[:MONTH]


# --- rows -> files ----------------------------------------------------------------------------------------------------


def files_of(path: Path, now: datetime, vintage_days: float) -> dict[str, bytes]:
    """All rows of a database: name of a file -> its text.

    The vintages of a month share a file when the month ended `vintage_days` ago (0: never), which
    is when they are thinned. Raises PartitionError for a row without a proper time, and for a table
    that cannot be read.
    """
    files: dict[str, bytes] = {}
    with closing(sqlite3.connect(path)) as connection:
        for table in tables_of(connection):
            days = vintage_days if table == "predictions" else LATE_DAYS
            open_month = first_open_month(now, days) if days else ""
            try:
                files.update(_files_of_table(connection, table, open_month))
            except sqlite3.Error as error:
                raise PartitionError(f"the table {table}: {error}") from None
    return files


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """The names of the tables."""
    query = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    return sorted(name for (name,) in connection.execute(query))


def tables_in(path: Path) -> set[str]:
    """The names of the tables of a database."""
    with closing(sqlite3.connect(path)) as connection:
        return set(tables_of(connection))


def columns_of(connection: sqlite3.Connection, table: str) -> list[Column]:
    """The columns of a table, in their order."""
    columns = []
    for _, name, kind, not_null, _, key in connection.execute(f"pragma table_info({table})"):
        column = Column(name, kind.lower(), may_be_null=not not_null, is_key=bool(key))
        columns.append(column)
    return columns


def _files_of_table(
    connection: sqlite3.Connection,
    table: str,
    open_month: str,
) -> Iterator[tuple[str, bytes]]:
    """The files of a table, one for each month before `open_month`."""
    columns = columns_of(connection, table)
    names = [column.name for column in columns]
    keys = [column.name for column in columns if column.is_key]
    layout = LAYOUTS.get(table)
    if layout is None:
        rows = _rows(connection, table, columns, keys or ["rowid"])
        if rows:
            yield f"{table}.csv", _text(names, rows)
        return

    order = [layout.time, *keys]
    if layout.by_series:
        order.insert(0, "series_id")
    series = names.index("series_id")
    time = names.index(layout.time)

    def span_and_series(row: Sequence[str]) -> tuple[str, str]:
        moment = row[time]
        span = MONTH if moment[:MONTH] < open_month else layout.span
        return moment[:span], row[series] if layout.by_series else ""

    for (span, series_id), group in groupby(_rows(connection, table, columns, order), span_and_series):
        shared = SHARED_COLUMNS if layout.by_series else ()
        yield _name(table, span, series_id), _text(names, list(group), shared)


def _rows(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[Column],
    order: Sequence[str],
) -> list[Any]:
    fields = ", ".join(column.as_text for column in columns)
    query = f"select {fields} from {table} order by {', '.join(order)}"  # noqa: S608 - our own names
    return connection.execute(query).fetchall()


def _name(table: str, span: str, series_id: str) -> str:
    """The name of the file for a span such as 2026-11-25T06."""
    if not _SPAN.fullmatch(span):
        raise PartitionError(f"{table}: expected a time such as 2022-03-04T03:00:00Z, got {span!r}")
    folders = [table, *re.split("[-T]", span)]
    if series_id:
        folders.append(quote(series_id, safe=""))
    return "/".join(folders) + ".csv"


def _text(names: Sequence[str], rows: Sequence[Any], shared: Sequence[str] = ()) -> bytes:
    """A file of these rows; a column of `shared` with one value in all rows is written once."""
    header = []
    varying = []
    for name, fields in zip(names, zip(*rows, strict=True), strict=True):
        if name in shared and len(set(fields)) == 1:
            header.append(f"{name}={fields[0]}")
        else:
            header.append(name)
            varying.append(fields)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*varying, strict=True))
    return text.getvalue().encode()


# --- files -> rows ----------------------------------------------------------------------------------------------------


def migrations_in(files: Mapping[str, bytes]) -> set[str]:
    """The names of the migrations that the rows of these files have been through."""
    lines = files.get(MIGRATIONS, b"").decode().splitlines()
    return set(lines[1:])


def add_files(path: Path, files: Mapping[str, bytes]) -> None:
    """Add the rows of these files to a database. Files of a table that it does not have are left out.

    A row whose key is stored already is left out too, unless it is the better one (see Layout).
    Raises PartitionError for a file that does not fit its table; then no row is added.
    """
    name = path.name
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Nobody else has the file, and a job that dies starts from the branch again.
            connection.execute("pragma journal_mode = memory")
            connection.execute("pragma synchronous = off")
            tables = tables_of(connection)
            connection.execute("begin")
            for name, text in files.items():
                if table_of(name) in tables:
                    _add(connection, name, text.decode())
            connection.execute("commit")
    except (ValueError, sqlite3.Error) as error:
        raise PartitionError(f"{name}: {error}") from None


def _add(connection: sqlite3.Connection, name: str, text: str) -> None:
    """Add the rows of one file."""
    table = table_of(name)
    columns = {column.name: column for column in columns_of(connection, table)}
    header, rows = _lines(text)
    varying = iter(zip(*rows, strict=True))
    values = []
    for column_name, is_shared, field in header:
        if column_name not in columns:
            raise ValueError(f"the table {table} has no column {column_name!r}")
        column = columns[column_name]
        if is_shared:
            values.append(column.values([field]) * len(rows))
        else:
            values.append(column.values(next(varying)))
    names = [column_name for column_name, _, _ in header]
    keys = [column.name for column in columns.values() if column.is_key]
    connection.executemany(_insert(table, names, keys), zip(*values, strict=True))


def _lines(text: str) -> tuple[list[tuple[str, str, str]], list[list[str]]]:
    """The parts of the first line, (name, "=" or "", value) each, and the rows below it.

    Raises ValueError for a row of another length, or for no row at all.
    """
    usual_limit = csv.field_size_limit(LONGEST_FIELD)  # of the process: sources keep the usual one
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    finally:
        csv.field_size_limit(usual_limit)
    first, rows = lines[:1], lines[1:]
    header = [cell.partition("=") for line in first for cell in line]
    length = sum(not is_shared for _, is_shared, _ in header)
    lengths = {len(row) for row in rows}
    if lengths != {length}:
        raise ValueError(f"expected rows of {length} fields, got {sorted(lengths)}")
    return header, rows


def _insert(table: str, names: Sequence[str], keys: Sequence[str]) -> str:
    """The statement that adds a row with these columns."""
    marks = ", ".join("?" for _ in names)
    insert = f"insert into {table} ({', '.join(names)}) values ({marks})"  # noqa: S608
    better = LAYOUTS[table].better if table in LAYOUTS else ""
    if not better:
        return f"{insert} on conflict do nothing"
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    condition = f"excluded.{better} > {table}.{better}"
    return f"{insert} on conflict ({', '.join(keys)}) do update set {changes} where {condition}"


def table_of(name: str) -> str:
    """The table whose rows a file of this name would hold; "" for another file."""
    match = _NAME.fullmatch(name)
    return match["table"] if match else ""

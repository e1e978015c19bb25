"""Builds the SQLite database of a job from the text files of the branch `state`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

from sqlalchemy.engine import URL

from actioncast.database.database import Database
from actioncast.database.state import partitions


def build(path: Path, files: Mapping[str, bytes]) -> None:
    """Put these rows into the database at `path`, a new one or one of the old form, and migrate it.

    Raises PartitionError for a file that does not fit its table.
    """
    # The rows have been through these migrations. Later ones may change rows, so they come last.
    applied = partitions.migrations_in(files)
    _migrate(path, only=applied or None)
    partitions.add_files(path, files)
    _migrate(path, only=None)


def _migrate(path: Path, only: Container[str] | None) -> None:
    database = Database(URL.create("sqlite", database=str(path)))
    try:
        database.migrate(only)
    finally:
        database.close()

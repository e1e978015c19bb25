"""Makes a SQLite database one file that can be copied. Standard library only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from actioncast.errors import ActioncastError

BUSY_TIMEOUT_SECONDS = 30


class SqliteFileError(ActioncastError):
    """The file is no sound database, or somebody else uses it."""


def close_off(path: Path) -> None:
    """Bring all of the database into its one file, with nothing in a log beside it.

    Raises SqliteFileError.
    """
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            verdict = connection.execute("pragma quick_check").fetchone()[0]
            mode = connection.execute("pragma journal_mode = delete").fetchone()[0]
    except sqlite3.Error as error:
        raise SqliteFileError(str(error)) from None
    if verdict != "ok" or mode != "delete":
        raise SqliteFileError(f"expected it sound and unused, got {verdict}, journal {mode}")

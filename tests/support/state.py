"""The state branch of a repository, as a database that can be asked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from actioncast.database.state import state_file

BRANCH = "state"


class Repository(Protocol):
    def files(self, ref: str) -> list[str]: ...

    def read(self, path: str, ref: str) -> bytes: ...


def state_database(repository: Repository) -> bytes:
    """The SQLite database that a job would restore."""
    files = {name: repository.read(name, BRANCH) for name in repository.files(BRANCH)}
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "state.db"
        path.write_bytes(files.pop("actioncast.db", b""))
        state_file.build(path, files)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("pragma journal_mode = delete")
        return path.read_bytes()

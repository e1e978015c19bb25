"""Fixtures of the workflow tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .canaries import Canaries
from .clock import Clock
from .github_stand_in import GitHub


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub with one empty repository."""
    with GitHub(tmp_path / "github") as stand_in:
        yield stand_in


@pytest.fixture
def clock(github: GitHub) -> Clock:
    return Clock(github)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()

"""Programs that some tests need beside Python."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent  # where pip puts programs


def program(name: str, how_to_install: str) -> str:
    """Path of a program; skips the test without it."""
    path = shutil.which(name, path=f"{BIN}:{os.environ['PATH']}")
    if path is None:
        pytest.skip(f"{name} is not installed: {how_to_install}")
    return str(path)

"""The day on which the tests play, and waiting for what happens elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MIDNIGHT = datetime(2022, 3, 4, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after midnight of the tests' day."""
    return MIDNIGHT + timedelta(hours=hours)


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.02)

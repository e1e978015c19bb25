"""Two points as sources of every kind give them, and one call of a configured source."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from actioncast.config import load_settings
from actioncast.ingestion import sources
from actioncast.ingestion.documents import Rows, SourceError
from tests.support.clock import at
from tests.support.source import quarters

ROWS = quarters(1, 2)
T = ROWS[0][0]  # unix seconds of the first point
JSON_ROWS = b'[{"timestamp": "2022-03-04T00:00", "value": 1}, {"timestamp": "2022-03-04T00:15Z", "value": 2}]'
CSV_ROWS = b"timestamp,value\n2022-03-04T00:00,1\n2022-03-04 00:15:00+00:00,2\n"


def fetched(config: Path, since: datetime | None = None) -> Rows:
    """What the source of the series `demo` gives."""
    return sources.fetch(load_settings(config), "demo", since=since, until=at(1))


def error_of(config: Path, since: datetime | None = None) -> str:
    """Why the source of the series `demo` gives nothing."""
    with pytest.raises(SourceError) as caught:
        fetched(config, since)
    return str(caught.value)


def floats(rows: Rows) -> list[tuple[float, float]]:
    return [(float(str(time)), float(str(value))) for time, value in rows]

"""The public sources that stand ready in config.toml: without their "# " they load what those sources answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import update_real_data
from actioncast.config import load_settings
from actioncast.database.database import open_database
from tests.support.checkout import CONFIG, SERIES
from tests.support.json_server import JsonServer, Request

NOW = datetime(2026, 11, 26, 12, 17, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
STAMP = "%Y-%m-%dT%H:%MZ"


def uncommented() -> str:
    """config.toml with the tables that stand ready."""
    text = CONFIG.read_text(encoding="utf-8")
    paragraphs = text.split("\n\n")
    ready = [re.sub(r"(?m)^# ?", "", paragraph) for paragraph in paragraphs if paragraph.startswith("# [series.")]
    return "\n\n".join([text, *ready])


def test_two_public_series_stand_ready(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(uncommented(), encoding="utf-8")
    settings = load_settings(tmp_path / "config.toml", {})
    assert list(settings.series) == [SERIES, "gb_carbon_intensity", "mempool_inflow"]
    assert all(series.title for series in settings.series.values())


def answer(request: Request) -> tuple[int, Any]:
    """What the two sources answer, in the shapes recorded from them."""
    _, kind, *rest = request.path.split("/")
    if kind == "intensity":
        begin, end = (datetime.strptime(stamp, STAMP).replace(tzinfo=UTC) for stamp in rest)
        if end - begin > timedelta(days=14):
            return 400, {"error": {"code": "400 Bad Request", "message": "not more than 14 days"}}
        return 200, {"data": list(half_hours(begin, end))}
    assert request.path == "/api/v1/statistics/1m"
    return 200, list(minutes_of_mempool())


def half_hours(begin: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The half-hour that runs at NOW has a forecast, but nothing actual yet."""
    step = int(HALF_HOUR.total_seconds())
    moment = datetime.fromtimestamp(begin.timestamp() // step * step, UTC)
    while moment < end:
        over = moment + HALF_HOUR <= NOW
        intensity = {"forecast": 266, "actual": 100 + moment.hour if over else None, "index": "moderate"}
        yield {"from": moment.strftime(STAMP), "to": (moment + HALF_HOUR).strftime(STAMP), "intensity": intensity}
        moment += HALF_HOUR


def minutes_of_mempool() -> Iterator[dict[str, Any]]:
    """A month, the newest first."""
    for number in range(30 * 48):
        added = int((NOW - number * HALF_HOUR).timestamp())
        yield {"added": added, "count": 70455.5, "vbytes_per_second": 1492.5, "min_fee": 0.1, "vsizes": [0, 1]}


@pytest.mark.parametrize(
    ("series_id", "days", "requests"),
    [("gb_carbon_intensity", 365, 29), ("mempool_inflow", 30, 1)],
)
def test_a_public_series_loads_its_history(tmp_path: Path, series_id: str, days: int, requests: int) -> None:
    with JsonServer(answer) as server:
        text = re.sub(r"https://[a-z.]+", server.url, uncommented())
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        settings = load_settings(tmp_path / "config.toml", {})
        with open_database(settings) as database:
            first = update_real_data.run(settings, database, NOW, series_id=series_id)
            assert len(server.requests) == requests
            second = update_real_data.run(settings, database, NOW, series_id=series_id)
            assert len(server.requests) == requests + 1
    assert days * 24 - 2 <= first.periods_loaded <= days * 24
    assert first.periods_missing == 0
    assert len(first.rejections) <= 1
    assert (second.outcome, second.last_period) == ("nothing new", datetime(2026, 11, 26, 11, tzinfo=UTC))

"""The living sources of config.examples.toml load what they answer, on their bad days too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import update_real_data
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.ingestion.documents import SourceError
from actioncast.ingestion.report import IngestionReport
from actioncast.paths import ROOT
from actioncast.periods.frequency import HOURLY
from actioncast.periods.timeline import UTC_HOURS
from actioncast.settings import Settings
from actioncast.times import HOUR
from tests.support.public_apis import PublicApis

EXAMPLES = ROOT / "config.examples.toml"
NOW = datetime(2026, 11, 26, 12, 17, tzinfo=UTC)
AUTUMN = datetime(2026, 11, 3, 12, 17, tzinfo=UTC)  # New York's clocks changed on the 1st, London's on October 25th
LATE = {"german_load": 2, "wikipedia_views": 9}  # hours; of the others the one before this is there
SERIES = [
    "gb_demand",
    "german_load",
    "gb_carbon_intensity",
    "mempool_inflow",
    "wikipedia_views",
    "new_york_load",
]


@pytest.fixture
def apis(monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicApis]:
    monkeypatch.setenv("GITHUB_REPOSITORY", "ada/loads")
    with PublicApis(NOW) as server:
        yield server


def settings_of(folder: Path, apis: PublicApis, **replaced: str) -> Settings:
    """The examples, asked for at the stand-ins, for 40 days at most."""
    text = re.sub(r"https://[a-z.-]+", apis.url, EXAMPLES.read_text(encoding="utf-8"))
    text = re.sub(r'history = "\d\d\dD"', "history = '40D'", text)
    for old, new in replaced.items():
        text = re.sub(rf"(?m)^{old} = .*$", new, text)
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load_settings(folder / "config.toml")


def load(settings: Settings, now: datetime, series_id: str) -> tuple[IngestionReport, list[datetime]]:
    """One run, and the stored hours whose value is not the hour of the day."""
    with open_database(settings) as database:
        report = update_real_data.run(settings, database, now, series_id=series_id)
        stored = database.reality(series_id, until=now, newest=10_000, timeline=UTC_HOURS)
    assert stored is not None
    hours = np.arange(len(stored.values)) + stored.start.timestamp() // HOUR
    wrong = hours[~(stored.values == hours % 24)]
    return report, [datetime.fromtimestamp(hour * HOUR, UTC) for hour in wrong]


def newest(now: datetime, series_id: str) -> datetime:
    """The newest hour that can be known."""
    hours = LATE.get(series_id, 1)
    return now.replace(minute=0) - timedelta(hours=hours)


def test_the_examples_are_those_tested_here() -> None:
    settings = load_settings(EXAMPLES, {})
    assert list(settings.series) == SERIES
    assert all(series.title for series in settings.series.values())


@pytest.mark.parametrize("now", [NOW, AUTUMN], ids=["winter", "clocks have changed"])
@pytest.mark.parametrize("series_id", SERIES)
def test_a_living_series_loads_its_history_and_then_what_is_new(
    tmp_path: Path, apis: PublicApis, series_id: str, now: datetime
) -> None:
    apis.now = now
    settings = settings_of(tmp_path, apis)
    report, wrong = load(settings, now, series_id)
    history = settings.series[series_id].history
    assert history is not None
    days = history.duration(HOURLY).days
    assert days * 24 - 12 <= report.periods_loaded <= days * 24 + 1
    assert (wrong, report.rejections, report.periods_missing) == ([], [], 0)
    assert report.last_period == newest(now, series_id)

    apis.now = now + timedelta(hours=1)
    report, wrong = load(settings, apis.now, series_id)
    assert (wrong, report.rejections) == ([], [])
    assert (report.periods_loaded, report.last_period) == (1, newest(apis.now, series_id))


def test_a_hurried_source_is_asked_again(tmp_path: Path, apis: PublicApis) -> None:
    apis.busy = 2
    report, wrong = load(settings_of(tmp_path, apis), NOW, "german_load")
    assert (report.periods_loaded > 900, wrong) == (True, [])


@pytest.mark.parametrize("series_id", ["gb_demand", "gb_carbon_intensity"])
def test_a_span_that_is_too_long_is_met_with_advice(tmp_path: Path, apis: PublicApis, series_id: str) -> None:
    settings = settings_of(tmp_path, apis, days_per_request="")
    with pytest.raises(SourceError, match="set days_per_request of the source to what it allows"):
        load(settings, NOW, series_id)


def test_new_york_has_no_file_just_after_its_midnight(tmp_path: Path, apis: PublicApis) -> None:
    apis.now = datetime(2026, 11, 26, 5, 3, tzinfo=UTC)
    report, wrong = load(settings_of(tmp_path, apis), apis.now, "new_york_load")
    assert (report.last_period, wrong) == (datetime(2026, 11, 26, 4, tzinfo=UTC), [])
    assert apis.requests[-1].path == "/public/csv/pal/20261126pal.csv"


def test_wikimedia_refuses_who_does_not_say_who_it_is(
    tmp_path: Path, apis: PublicApis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY")
    with pytest.raises(SourceError, match="HTTP 429"):
        load(settings_of(tmp_path, apis), NOW, "wikipedia_views")

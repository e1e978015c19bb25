"""Which recording is replayed, and with which settings."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actioncast.config import load_settings
from actioncast.ingestion.documents import SourceError
from actioncast.periods.points import Points
from actioncast.rehearsal import flags
from actioncast.rehearsal.world import replay
from actioncast.settings import Settings
from actioncast.times import isoformat

CONFIG = """
[series.demo]
unit = "MWh"
source = {source}
points_per_period = 12
minimum_points_per_period = 9
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def recording_of(folder: Path, source: str) -> tuple[Settings, Points]:
    """What `rehearse.py --own --days 1` replays of a series with this source."""
    config = folder / "config.toml"
    config.write_text(CONFIG.format(source=source))
    parser = argparse.ArgumentParser()
    flags.add_flags(parser)
    arguments = parser.parse_args(["--own", "--days", "1"])
    arguments.series = "demo"
    arguments.now = NOW
    return flags.recording_of(arguments, load_settings(config, {}))


def write_hours(path: Path, count: int) -> None:
    """So many hours, the last of them a year before NOW: a file may be a finished recording."""
    start = NOW - timedelta(days=365, hours=count)
    lines = [f"{isoformat(start + timedelta(hours=hour))},{hour % 24}" for hour in range(count)]
    path.write_text("\n".join(["timestamp,value", *lines]))


def test_a_file_of_ones_own_is_replayed_as_config_toml_reads_it(tmp_path: Path) -> None:
    write_hours(tmp_path / "load.csv", 300)
    settings, points = recording_of(tmp_path, '{ kind = "file", path = "load.csv" }')
    assert points.values.tolist() == [hour % 24 for hour in range(300)]
    assert settings.series["demo"].points_per_period == 12


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('{ kind = "file", path = "load.csv" }', "load.csv spans less than 9.33 days"),
        ('{ kind = "csv", url = "http://127.0.0.1:9/load.csv" }', "demo has no file of its own"),
        ('{ kind = "python", function = "my_meter:read" }', "demo has no file of its own"),
    ],
)
def test_the_bundled_recording_stands_in_and_is_read_as_it_was_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, reason: str
) -> None:
    write_hours(tmp_path / "load.csv", 200)
    settings, points = recording_of(tmp_path, source)
    assert len(points) == len(replay.read_recording())
    series = settings.series["demo"]
    assert (series.points_per_period, series.minimum_points_per_period, series.unit) == (4, 3, "units")
    assert f"{reason}: the bundled recording is replayed" in capsys.readouterr().err.replace(str(tmp_path), "")


def test_the_recorded_series_keeps_its_own_settings(tmp_path: Path) -> None:
    settings, _ = recording_of(tmp_path, '{ kind = "blockchain" }')
    assert settings.series["demo"].unit == "MWh"


def test_a_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"load\.csv"):
        recording_of(tmp_path, '{ kind = "file", path = "load.csv" }')

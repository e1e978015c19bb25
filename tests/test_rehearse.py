"""The whole loop, as `make demo` runs it, on a short recording and few candidates."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import rehearse
from pipeline import rehearsal, replay
from pipeline.database import open_database
from pipeline.series import HOUR, Points, to_seconds
from pipeline.settings import Settings, load_settings

CONFIG = """
[series.demo]
unit = "transactions/h"
source = { kind = "blockchain" }
scale = 3600
points_per_hour = 4
minimum_points_per_hour = 3

[train]
candidates = ["seasonal_naive"]
"""


def settings_in(folder: Path) -> Settings:
    (folder / "config.toml").write_text(CONFIG)
    return load_settings(folder / "config.toml", {})


def daily_wave(days: int) -> Points:
    """Four points an hour; the value depends on the hour of the day only, so that a daily forecast is exact."""
    start = to_seconds(datetime(2022, 1, 3, tzinfo=UTC))
    times = start + np.arange(days * 96) * (HOUR // 4)
    return Points(times, 2.0 + (times // HOUR % 24) / 24)


def test_every_hour_that_was_shown_is_stored_and_every_forecast_of_a_periodic_series_is_right(tmp_path: Path) -> None:
    report = rehearse.run(settings_in(tmp_path), daily_wave(17), series_id="demo", days=2, folder=tmp_path / "demo")
    assert report.violations == []
    assert not report.failed
    assert report.live.hours >= 40
    assert report.live.mae < 1e-9
    assert report.tally.verdict == "good"
    assert report.tally.trainings == [True]


def test_a_doubled_level_is_answered_by_a_retrain(tmp_path: Path) -> None:
    wave = daily_wave(20)
    doubled = Points(wave.times, np.where(np.arange(len(wave)) >= 16 * 96, 2, 1) * wave.values)
    report = rehearse.run(settings_in(tmp_path), doubled, series_id="demo", days=4, folder=tmp_path / "demo")
    assert report.tally.checks["retrain"] <= 2  # the cooldown holds
    assert report.tally.trainings[-1], "a challenger that has seen the new level is promoted"
    assert report.tally.verdict == "good"


def test_the_json_names_what_others_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings_in(tmp_path)
    wave = daily_wave(16)
    recording = tmp_path / "recording.json"
    values = [{"x": int(x), "y": float(y)} for x, y in zip(wave.times, wave.values, strict=True)]
    recording.write_text(json.dumps({"status": "ok", "values": values}))
    flags = [
        "--config",
        str(tmp_path / "config.toml"),
        "--recording",
        str(recording),
        "--output",
        str(tmp_path / "out"),
    ]
    assert rehearse.main([*flags, "--days", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["violations"] == []
    assert told["ticks"] == 26
    assert {"name", "live_mae", "naive_mae", "retrains", "promoted"} <= set(told["policies"][0])
    assert load_settings(tmp_path / "out" / "config.toml", {}).folder == tmp_path / "out"


def test_the_text_shows_leaderboard_error_verdict_and_where_to_look(tmp_path: Path) -> None:
    text = rehearse.run(
        settings_in(tmp_path), daily_wave(16), series_id="demo", days=1, folder=tmp_path / "demo"
    ).as_text()
    for part in ("seasonal_naive_168", "weekly naive", "good", "make serve DEMO=1", "promoted"):
        assert part in text


def test_a_recording_too_short_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(replay.RecordingError, match="spans 9 days; 7 live leave less than 14 to learn"):
        rehearse.run(settings_in(tmp_path), daily_wave(10), series_id="demo", days=7, folder=tmp_path / "demo")


def test_an_hour_that_is_stored_wrong_is_a_violation(tmp_path: Path) -> None:
    settings, wave = settings_in(tmp_path), daily_wave(16)
    report = rehearse.run(settings, wave, series_id="demo", days=1, folder=tmp_path / "demo")
    staged = rehearsal.staged(settings, "demo", "http://127.0.0.1:1/charts", tmp_path / "demo")
    spoiled = Points(wave.times, np.where(wave.times == wave.times[400], 9.0, wave.values))
    with open_database(staged) as database:
        assert len(rehearsal.violations(staged, database, spoiled, "demo", report.end)) == 1
        assert len(rehearsal.violations(staged, database, wave, "demo", report.end)) == 0
        assert "hours are stored" in rehearsal.violations(staged, database, daily_wave(15), "demo", report.end)[0]


def test_a_dead_live_api_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(
        CONFIG.replace('kind = "blockchain"', 'kind = "blockchain", url = "http://127.0.0.1:9/charts"')
    )
    assert rehearse.main(["--config", str(tmp_path / "config.toml"), "--live"]) == 1
    assert "the live API is dead or out of reach" in capsys.readouterr().err


def test_the_live_api_is_recorded_and_rehearsed(tmp_path: Path) -> None:
    wave = daily_wave(17)
    now = datetime(2022, 1, 20, 1, tzinfo=UTC)
    with replay.ReplayServer(wave, now) as server:
        (tmp_path / "config.toml").write_text(
            CONFIG.replace('kind = "blockchain"', f'kind = "blockchain", url = "{server.url}"')
        )
        flags = ["--config", str(tmp_path / "config.toml"), "--output", str(tmp_path / "out")]
        assert rehearse.main([*flags, "--live", "--now", now.isoformat(), "--days", "1"]) == 0

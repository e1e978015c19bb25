"""The demo source: the bundled recording, replayed for ever."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import check_retrain
import make_predictions
import train
import update_real_data
from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.ingestion import recording, sources
from actioncast.ingestion.documents import Rows, SourceError
from actioncast.periods.grid import Grid
from actioncast.periods.lengths import parse_length
from actioncast.periods.timeline import UTC_HOURS
from actioncast.rehearsal.world import replay
from actioncast.settings import Settings
from actioncast.times import HOUR, to_seconds

SERIES = "demo"
CONFIG = """
[series.demo]
source = { kind = "demo" }
unit = "transactions/h"
scale = 3600
points_per_period = 4
minimum_points_per_period = 3
history = '730D'
"""
NOW = datetime(2026, 11, 26, 12, 17, tzinfo=UTC)
DAYS_OF_A_ROUND = 42


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    return load_settings(tmp_path / "config.toml", {})


def rows(settings: Settings, *, since: datetime | None = None, until: datetime = NOW) -> Rows:
    return sources.fetch(settings, SERIES, since=since, until=until)


def stored(settings: Settings, now: datetime, backfill: datetime | bool = False) -> Grid:
    """The hours that a run at this moment leaves in an empty database."""
    with open_database(settings) as database:
        update_real_data.run(settings, database, now, series_id=SERIES, backfill=backfill)
        return all_hours(database, now)


def all_hours(database: Database, now: datetime) -> Grid:
    hours = database.reality(SERIES, until=now, newest=10_000, timeline=UTC_HOURS)
    assert hours is not None
    return hours


@pytest.mark.parametrize("now", [datetime(2019, 2, 3, 4, 5, tzinfo=UTC), NOW, datetime(2030, 6, 1, tzinfo=UTC)])
@pytest.mark.parametrize("backfill", [False, True, datetime(2001, 1, 1, tzinfo=UTC)])
def test_the_first_run_loads_six_complete_weeks_up_to_now(
    settings: Settings, now: datetime, backfill: datetime | bool
) -> None:
    hours = stored(settings, now, backfill)
    assert len(hours) == 24 * DAYS_OF_A_ROUND
    assert not np.isnan(hours.values).any()
    assert timedelta(hours=1) <= now - hours.end < timedelta(hours=2)


def test_an_hour_keeps_its_value_whenever_it_is_asked_for(settings: Settings) -> None:
    earlier = dict(rows(settings))
    later = dict(rows(settings, until=NOW + timedelta(days=20)))
    both = earlier.keys() & later.keys()
    assert len(both) > 22 * 96
    assert all(earlier[moment] == later[moment] for moment in both)


def test_values_are_recorded_ones_of_the_same_hour_and_weekday(settings: Settings) -> None:
    points = replay.read_recording()
    recorded = dict(zip(points.times.tolist(), points.values.tolist(), strict=True))
    week = 168 * HOUR
    for moment, value in rows(settings):
        assert isinstance(moment, int)
        same_hours = range(moment % week, to_seconds(datetime(2022, 3, 5, tzinfo=UTC)), week)
        assert value in [recorded[same] for same in same_hours if same in recorded]


def test_it_answers_with_what_it_was_asked_for(settings: Settings) -> None:
    since = datetime(2026, 11, 26, 10, 50, tzinfo=UTC)
    moments = [moment for moment, _ in rows(settings, since=since)]
    first = to_seconds(datetime(2026, 11, 26, 11, tzinfo=UTC))
    assert moments == [first + recording.STEP * i for i in range(6)]


def test_every_moment_of_a_round_is_in_the_recording(settings: Settings) -> None:
    of_the_hour_that_runs = 2  # 12:00 and 12:15
    assert len(rows(settings)) == DAYS_OF_A_ROUND * 96 + of_the_hour_that_runs


def test_one_round_follows_the_other_without_a_jump(settings: Settings) -> None:
    """The step from the last hour of a round to the first of the next is no larger than steps are."""
    seam = recording.FIRST + recording.ROUND
    values = stored(settings, seam + timedelta(days=7)).values
    steps = np.abs(np.diff(values))
    position = len(values) - 7 * 24 - 1
    assert steps[position] < np.median(steps)
    before, after = values[position - 23 : position + 1], values[position + 1 : position + 25]
    assert abs(before.mean() / after.mean() - 1) < 0.1


def test_a_recording_with_a_hole_is_replayed_with_the_hole() -> None:
    first = to_seconds(recording.FIRST)
    recorded: Rows = [(first, 1.0), (first + 2 * recording.STEP, 3.0)]
    until = recording.FIRST + recording.ROUND + timedelta(hours=1)
    replayed = recording.replayed(recorded, recording.FIRST + recording.ROUND, until)
    start = to_seconds(recording.FIRST + recording.ROUND)
    assert replayed == [(start, 1.0), (start + 2 * recording.STEP, 3.0)]


def test_a_copy_without_the_recording_says_what_to_do(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RECORDING", tmp_path / "none.gz")
    with pytest.raises(SourceError, match=r"none.gz: No such file or directory; name a source of your own in config"):
        rows(settings)


def test_the_loop_stays_calm_on_it_for_sixty_days(settings: Settings) -> None:
    """More than a round: nothing is an alarm, and a retrain comes now and then, as on any living series."""
    start = datetime(2030, 6, 5, 20, tzinfo=UTC)
    settings = _small(settings)
    verdicts: Counter[str] = Counter()
    with open_database(settings) as database:
        update_real_data.run(settings, database, start, series_id=SERIES)
        train.run(settings, database, start, series_id=SERIES)
        for day in range(60):
            now = start + timedelta(days=day)
            update_real_data.run(settings, database, now, series_id=SERIES)
            make_predictions.run(settings, database, now, series_id=SERIES)
            verdict = check_retrain.run(settings, database, now, series_id=SERIES).verdict.name
            verdicts[verdict] += 1
            if verdict == "retrain":
                train.run(settings, database, now, series_id=SERIES)
        hours = all_hours(database, now)
    assert verdicts["alarm"] == 0
    assert verdicts["retrain"] <= 4
    assert verdicts["good"] > 45
    assert not np.isnan(hours.values).any()


def _small(settings: Settings) -> Settings:
    """The same settings with trainings and forecasts that take a moment."""
    candidates = {"candidates": ("seasonal_naive", "ridge"), "backtest_days": 6}
    series = settings.series[SERIES].model_copy(update={"horizon": parse_length(48)})
    return settings.model_copy(
        update={"train": settings.train.model_copy(update=candidates), "series": {SERIES: series}},
    )

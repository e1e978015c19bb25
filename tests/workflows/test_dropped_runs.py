"""GitHub drops runs. With any two thirds dropped, the stored hours are the same and no hour lacks a forecast."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

import check_retrain
import make_predictions
import train
import update_real_data
from actioncast import times
from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.monitoring.due import due_series
from actioncast.periods.grid import to_periods
from actioncast.periods.points import Points
from actioncast.rehearsal.world import replay
from actioncast.settings import Settings
from actioncast.source_settings import BlockchainSource

SERIES = "bitcoin_transactions"
LEARNED_DAYS = 21


def load(settings: Settings, database: Database, now: datetime, *, series_id: str) -> None:
    """What update_real_data.yml does: new hours, then the look at the live error when it is due."""
    update_real_data.run(settings, database, now, series_id=series_id)
    check_hours = settings.retrain.check_hours
    newest_checks = database.newest_checks(since=now - timedelta(hours=check_hours))
    if due_series([series_id], newest_checks, check_hours, now):
        check_retrain.run(settings, database, now, series_id=series_id)


SCHEDULE: tuple[tuple[int, Callable[..., object]], ...] = (
    (1, load),
    (6, make_predictions.run),
)  # every so many hours, as the workflows do


def run_loop(folder: Path, takes_place: Callable[[], bool]) -> tuple[list[str], list[datetime], float]:
    """The recording from the third week on; `takes_place` decides for each scheduled run whether it is run.

    Returns hours that are not stored as recorded, hours without a forecast, and the share of runs that took place.
    """
    recording = replay.read_recording()
    first, last = replay.first_and_last(recording)
    start = times.floor_hour(first) + timedelta(days=LEARNED_DAYS, minutes=17)
    hours = int((last - start) / timedelta(hours=1))
    with replay.ReplayServer(recording, start) as server:
        settings = settings_for(folder, server.url)
        with open_database(settings) as database:
            update_real_data.run(settings, database, start, series_id=SERIES, backfill=True)
            train.run(settings, database, start, series_id=SERIES)
            make_predictions.run(settings, database, start, series_id=SERIES)
            share = run_schedule(settings, database, server, start, hours, takes_place)
            server.now = last + timedelta(hours=3)
            update_real_data.run(settings, database, server.now, series_id=SERIES)  # the next run that is not dropped
            wrong = wrong_hours(database, recording, server.now)
            forecast = {row["prediction_date"] for row in database.performance(SERIES, since=start, until=last)}
    expected = {times.floor_hour(start) + timedelta(hours=i) for i in range(1, hours)}
    return wrong, sorted(expected - forecast), share


def run_schedule(
    settings: Settings,
    database: Database,
    server: replay.ReplayServer,
    start: datetime,
    hours: int,
    takes_place: Callable[[], bool],
) -> float:
    """The clock of the workflows; returns the share of scheduled runs that took place."""
    scheduled = 0
    ran = 0
    for hour in range(1, hours):
        now = start + timedelta(hours=hour)
        server.now = now
        for every, run in SCHEDULE:
            if hour % every == 0:
                scheduled += 1
                if takes_place():
                    run(settings, database, now, series_id=SERIES)
                    ran += 1
    return ran / scheduled


def settings_for(folder: Path, url: str) -> Settings:
    """The shipped series with this source, and a short training: which model forecasts does not matter here."""
    settings = load_settings(variables={"DATABASE_URL": f"sqlite:///{folder / 'actioncast.db'}"})
    source = BlockchainSource(kind="blockchain", url=url)
    series = settings.series[SERIES].model_copy(update={"source": source})
    quick = settings.train.model_copy(update={"candidates": ("seasonal_naive",), "backtest_days": 5})
    return settings.model_copy(update={"series": {SERIES: series}, "train": quick, "folder": folder})


def wrong_hours(database: Database, recording: Points, until: datetime) -> list[str]:
    """Periods of `reality` that are not those of the recording: missing, too many, other values or samples."""
    shown = replay.shown_at(recording, until)
    truth = to_periods(shown, minimum_points=3, scale=3600, since=None, now=until)
    expected = set(zip(truth.starts.tolist(), truth.values.tolist(), truth.samples.tolist(), strict=True))
    with database.engine.connect() as connection:
        rows = connection.execute(text("select reality_date, value, samples from reality")).all()
    stored = {(times.to_seconds(datetime.fromisoformat(date)), value, samples) for date, value, samples in rows}
    return [str(hour) for hour in sorted(stored ^ expected)]


@pytest.mark.parametrize("seed", [1, 2])
def test_two_thirds_of_the_runs_dropped_leave_the_same_hours_and_no_hour_without_a_forecast(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    wrong, missing, share = run_loop(tmp_path, lambda: draw.random() < 0.33)
    assert (wrong, missing) == ([], [])
    assert share < 0.36


def test_two_days_of_dropped_runs_in_a_row_are_made_up_for(tmp_path: Path) -> None:
    count = iter(range(10_000))
    wrong, missing, share = run_loop(tmp_path, lambda: next(count) % 120 >= 81)
    assert (wrong, missing) == ([], [])
    assert share < 0.36

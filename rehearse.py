"""Rehearse: replay a recorded series through the real scripts, hour by hour, under a virtual clock.

The same `run` that the workflows call ingests each hour from a replay of the charts API, forecasts every 6 h, checks
every 2 h and retrains when a check asks for it. At the end the stored hours are compared with the recording, and the
live error with that of a weekly naive forecast. `make demo` is the smallest rehearsal: the bundled recording, one week.

    python rehearse.py                  # bundled recording, the last 7 days live
    python rehearse.py --days 14
    python rehearse.py --live           # the newest weeks of the real source, recorded first

Writes everything below --output (default: demo/, replaced): the database, the model and a copy of config.toml.
Exit codes: 0 rehearsed; 1 the recording cannot be replayed, the live source is dead, or a stored hour differs from the
recording; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import check_retrain
import make_predictions
import train
import update_real_data
from pipeline import rehearsal, replay, series, source
from pipeline.database import Database, open_database
from pipeline.rehearsal import Report, Tally
from pipeline.script import run_without_database
from pipeline.series import Points
from pipeline.settings import Settings
from pipeline.terminal import progress

FORECAST_EVERY, CHECK_EVERY = 6, 2  # hours, as the workflows do
MINUTE = 17  # of the hour at which the jobs run
LEAST_DAYS = 14  # to learn from


def run(settings: Settings, recording: Points, *, series_id: str, days: int, folder: Path) -> Report:
    """Load all but the last `days` of the recording, train, then let the rest arrive hour by hour."""
    begun = time.monotonic()
    first, last = replay.first_and_last(recording)
    start = series.floor_hour(last) - timedelta(days=days) + timedelta(minutes=MINUTE)
    end = series.floor_hour(last) + timedelta(hours=2, minutes=MINUTE)
    if start - first < timedelta(days=LEAST_DAYS):
        spanned = (last - first).days
        raise replay.RecordingError(
            f"the recording spans {spanned} days; {days} live leave less than {LEAST_DAYS} to learn"
        )
    shutil.rmtree(folder, ignore_errors=True)
    tally = Tally()
    with replay.ReplayServer(recording, start) as server:
        staged = rehearsal.staged(settings, series_id, server.url, folder)
        with open_database(staged) as database:
            _set_up(staged, database, start, series_id, tally)
            _live(staged, database, server, start, end, series_id, tally)
            live = rehearsal.live_error(database, series_id, start, end)
            violations = rehearsal.violations(staged, database, recording, series_id, end)
    unit = settings.series[series_id].unit
    return Report(unit, start, end, tally, live, violations, time.monotonic() - begun, folder)


def _set_up(settings: Settings, database: Database, now: datetime, series_id: str, tally: Tally) -> None:
    """What a user does once: load the history, train, forecast."""
    update_real_data.run(settings, database, now, series_id=series_id, backfill=True)
    _train(settings, database, now, series_id, tally)


def _train(settings: Settings, database: Database, now: datetime, series_id: str, tally: Tally) -> None:
    """The retrain workflow: train, and forecast with whoever serves then."""
    report = train.run(settings, database, now, series_id=series_id)
    tally.first_training = tally.first_training or report.as_text()
    tally.trainings.append(report.gate.promoted)
    _forecast(settings, database, now, series_id, tally)


def _forecast(settings: Settings, database: Database, now: datetime, series_id: str, tally: Tally) -> None:
    make_predictions.run(settings, database, now, series_id=series_id)
    tally.forecasts += 1


def _check(settings: Settings, database: Database, now: datetime, series_id: str, tally: Tally) -> None:
    """One check; where GitHub would start the retrain workflow, the training runs here."""
    report = check_retrain.run(settings, database, now, series_id=series_id)
    tally.verdict, tally.last_check = report.verdict.name, report.as_text()
    tally.checks[tally.verdict] = tally.checks.get(tally.verdict, 0) + 1
    if tally.verdict == "retrain" and settings.retrain.mode == "dispatch":
        _train(settings, database, now, series_id, tally)


def _live(
    settings: Settings,
    database: Database,
    server: replay.ReplayServer,
    start: datetime,
    end: datetime,
    series_id: str,
    tally: Tally,
) -> None:
    """The clock of the workflows, one tick an hour, and a check at the very end."""
    hours = int((end - start) / timedelta(hours=1))
    with progress("simulated hours", hours, "h") as advance:
        for hour in range(1, hours + 1):
            now = server.now = start + timedelta(hours=hour)
            update_real_data.run(settings, database, now, series_id=series_id)
            if hour % FORECAST_EVERY == 0:
                _forecast(settings, database, now, series_id, tally)
            if hour % CHECK_EVERY == 0 or hour == hours:
                _check(settings, database, now, series_id, tally)
            tally.ticks += 1
            advance(1)


def _recording(arguments: argparse.Namespace, settings: Settings) -> Points:
    """The bundled recording, or what the real source has answered just now."""
    if not arguments.live:
        return replay.read_recording(arguments.recording)
    now, wanted = arguments.now, settings.series[arguments.series]
    name = source.name_of(settings, arguments.series)
    print(f"asking {name} for 8 weeks ...", file=sys.stderr)
    try:
        rows = source.fetch(settings, arguments.series, now - timedelta(days=56), now)
        points, _ = series.check_points(series.read_points(rows)[0], now, wanted.minimum_value)
        update_real_data.refuse_old(points, now, settings.freshness.source_hours, name)
    except source.SourceError as error:
        raise source.SourceError(
            f"the live API is dead or out of reach: {error}. The recording works: make demo"
        ) from None
    return points


def _story(arguments: argparse.Namespace, settings: Settings) -> Report:
    folder = arguments.output.resolve()
    recording = _recording(arguments, settings)
    report = run(settings, recording, series_id=arguments.series, days=arguments.days, folder=folder)
    shutil.copy(arguments.config, folder / "config.toml")  # so that every script and the API can look at what is there
    return report


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, default=7, help="days at the end that arrive live (default: 7)")
    parser.add_argument("--live", action="store_true", help="record the newest weeks of the real source first")
    parser.add_argument("--recording", type=Path, default=replay.BUNDLED, help="a recorded body of the charts API")
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for what it writes (replaced)")


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(argv, __doc__, _story, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

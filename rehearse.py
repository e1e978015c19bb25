"""Rehearse: replay a recorded series through the real scripts, hour by hour, under a virtual clock.

The same `run` that the workflows call ingests each hour from a replay of the charts API, forecasts every 6 h, checks
every 2 h and retrains when a check asks for it. At the end the stored hours are compared with the recording and the
live error with that of a weekly naive forecast. `make demo` is the smallest rehearsal: the bundled recording, one week.

    python rehearse.py                  # bundled recording, the last 7 days live
    python rehearse.py --days 14
    python rehearse.py --live           # the newest weeks of the real source, recorded first

Everything is written below --output (default: demo/): the database, the model, config.toml stays as it is.
Exit codes: 0 rehearsed; 1 the recording cannot be replayed, the live source is dead, or a stored hour differs from the
recording; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from pydantic import SecretStr

import check_retrain
import make_predictions
import train
import update_real_data
from pipeline import replay, series, source
from pipeline.database import Database, open_database
from pipeline.script import run_without_database
from pipeline.series import Points, isoformat
from pipeline.settings import BlockchainSource, Settings
from pipeline.terminal import progress, table

FORECAST_EVERY, CHECK_EVERY = 6, 2  # hours, as the workflows do
MINUTE = 17  # of the hour at which the jobs run


@dataclass
class Tally:
    """What happened on the way."""

    ticks: int = 0
    forecasts: int = 0
    checks: dict[str, int] = field(default_factory=dict)  # verdict -> how often
    trainings: list[train.Report] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """The rehearsal's figures. Errors in the series' unit, over the hours that were forecast before they began."""

    series: str
    unit: str
    start: datetime
    end: datetime
    tally: Tally
    scored_hours: int
    live_mae: float
    naive_mae: float
    coverage: float
    last_check: check_retrain.Report
    violations: list[str]
    seconds: float
    folder: Path

    @property
    def failed(self) -> bool:
        return bool(self.violations)

    @property
    def retrains(self) -> int:
        """Trainings after the first one."""
        return len(self.tally.trainings) - 1

    def as_json(self) -> dict[str, Any]:
        promoted = sum(report.gate.promoted for report in self.tally.trainings[1:])
        policy = {
            "name": "config.toml",
            "live_mae": self.live_mae,
            "naive_mae": self.naive_mae,
            "coverage": self.coverage,
            "scored_hours": self.scored_hours,
            "retrains": self.retrains,
            "promoted": promoted,
        }
        return {
            "ticks": self.tally.ticks,
            "seconds": round(self.seconds, 2),
            "violations": self.violations,
            "verdict": self.last_check.verdict.name,
            "policies": [policy],
        }

    def as_text(self) -> str:
        checks = ", ".join(f"{count} x {name}" for name, count in self.tally.checks.items())
        rows = [
            ["live, champion", self.live_mae, self.live_mae / self.naive_mae],
            ["weekly naive", self.naive_mae, 1.0],
        ]
        return "\n".join(
            [
                "First training:",
                self.tally.trainings[0].as_text(),
                "",
                f"Then live from {isoformat(self.start)} to {isoformat(self.end)}: {self.tally.ticks} hourly runs, "
                f"{self.tally.forecasts} forecasts, {self.retrains} retrains",
                f"checks: {checks}",
                "",
                f"Forecasts against what happened, {self.scored_hours} hours:",
                table(["", f"MAE, {self.unit}", "ratio"], rows),
                f"{self.coverage:.0%} of the hours fell inside lower..upper",
                "",
                f"Verdict: {self.last_check.as_text()}",
                *(f"VIOLATION: {violation}" for violation in self.violations),
                "",
                f"Stored in {self.folder}/ in {self.seconds:.0f} s. Look at it: make serve DEMO=1, then "
                "http://127.0.0.1:8000/",
            ]
        )


def run(settings: Settings, recording: Points, *, series_id: str, days: int, folder: Path) -> Report:
    """Load all but the last `days` of the recording, train, then let the rest arrive hour by hour."""
    begun = time.monotonic()
    first, last = replay.first_and_last(recording)
    start = series.floor_hour(last) - timedelta(days=days) + timedelta(minutes=MINUTE)
    end = series.floor_hour(last) + timedelta(hours=2, minutes=MINUTE)
    if start - first < timedelta(days=14):
        raise replay.RecordingError(
            f"the recording spans {(last - first).days} days; --days {days} leaves less than two weeks to learn from"
        )
    shutil.rmtree(folder, ignore_errors=True)
    tally = Tally()
    with replay.ReplayServer(recording, start) as server:
        staged = _staged(settings, series_id, server.url, folder)
        with open_database(staged) as database:
            _set_up(staged, database, start, series_id, tally)
            check = _live(staged, database, server, start, end, series_id, tally)
            rows = [
                row for row in database.performance(series_id, since=start, until=end) if row["reality"] is not None
            ]
            violations = _violations(staged, database, recording, series_id, end)
    return Report(
        series=series_id,
        unit=settings.series[series_id].unit,
        start=start,
        end=end,
        tally=tally,
        scored_hours=len(rows),
        live_mae=fmean(row["absolute_error"] for row in rows),
        naive_mae=fmean(row["naive_error"] for row in rows if row["naive_error"] is not None),
        coverage=fmean(bool(row["covered"]) for row in rows),
        last_check=check,
        violations=violations,
        seconds=time.monotonic() - begun,
        folder=folder,
    )


def _staged(settings: Settings, series_id: str, url: str, folder: Path) -> Settings:
    """The user's settings, with the replay as the source, and database and model below `folder`; no repository."""
    chart = BlockchainSource(kind="blockchain", url=url)
    wanted = settings.series[series_id].model_copy(update={"source": chart})
    environment = settings.environment.model_copy(
        update={"database_url": SecretStr(f"sqlite:///{folder / 'actioncast.db'}"), "github_repository": None}
    )
    update = {"series": {series_id: wanted}, "environment": environment, "folder": folder}
    return settings.model_copy(update=update)


def _set_up(settings: Settings, database: Database, now: datetime, series_id: str, tally: Tally) -> None:
    """What a user does once: load the history, train, forecast."""
    update_real_data.run(settings, database, now, series_id=series_id, backfill=True)
    tally.trainings.append(train.run(settings, database, now, series_id=series_id))
    make_predictions.run(settings, database, now, series_id=series_id)
    tally.forecasts += 1


def _live(
    settings: Settings,
    database: Database,
    server: replay.ReplayServer,
    start: datetime,
    end: datetime,
    series_id: str,
    tally: Tally,
) -> check_retrain.Report:
    """The clock of the workflows, one tick an hour. Returns the last check."""
    hours = int((end - start) / timedelta(hours=1))
    with progress("simulated hours", hours, "h") as advance:
        for hour in range(1, hours + 1):
            now = server.now = start + timedelta(hours=hour)
            update_real_data.run(settings, database, now, series_id=series_id)
            if hour % FORECAST_EVERY == 0:
                make_predictions.run(settings, database, now, series_id=series_id)
                tally.forecasts += 1
            if hour % CHECK_EVERY == 0:
                _check(settings, database, now, series_id, tally)
            tally.ticks += 1
            advance(1)
    return _check(settings, database, end, series_id, tally)


def _check(settings: Settings, database: Database, now: datetime, series_id: str, tally: Tally) -> check_retrain.Report:
    """One check; where GitHub would start the retrain workflow, the training runs here."""
    report = check_retrain.run(settings, database, now, series_id=series_id)
    tally.checks[report.verdict.name] = tally.checks.get(report.verdict.name, 0) + 1
    if report.verdict.name == "retrain" and settings.retrain.mode == "dispatch":
        tally.trainings.append(train.run(settings, database, now, series_id=series_id))
        make_predictions.run(settings, database, now, series_id=series_id)
        tally.forecasts += 1
    return report


def _violations(settings: Settings, database: Database, recording: Points, series_id: str, end: datetime) -> list[str]:
    """Hours of the recording that are not stored as they should be."""
    wanted = settings.series[series_id]
    shown = replay.shown_at(recording, end)
    hours = series.to_hours(
        shown, minimum_points=wanted.minimum_points_per_hour, scale=wanted.scale, since=None, now=end
    )
    truth = series.to_grid(hours.starts, hours.values)
    stored = database.reality(series_id, until=end, newest=len(truth) + 1)
    if stored is None or stored.start != truth.start or len(stored) != len(truth):
        return [
            f"stored hours {stored and (stored.start, stored.end)} are not those of the recording {truth.start, truth.end}"
        ]
    wrong = np.flatnonzero(~np.isclose(stored.values, truth.values, rtol=1e-12, atol=0, equal_nan=True))
    return [
        f"{truth.start + timedelta(hours=int(i))}: stored {stored.values[i]}, recorded {truth.values[i]}" for i in wrong
    ]


def _recording(arguments: argparse.Namespace, settings: Settings) -> Points:
    """The bundled recording, or what the real source has answered just now."""
    if not arguments.live:
        return replay.read_recording(arguments.recording)
    since = arguments.now - timedelta(days=56)
    print(f"asking {source.name_of(settings, arguments.series)} for 8 weeks ...", file=sys.stderr)
    try:
        rows = source.fetch(settings, arguments.series, since, arguments.now)
        points, _ = series.read_points(rows)
        points, _ = series.check_points(points, arguments.now, settings.series[arguments.series].minimum_value)
        update_real_data.refuse_old(points, arguments.now, settings.freshness.source_hours, "the live API")
    except source.SourceError as error:
        raise source.SourceError(
            f"the live API is dead or out of reach: {error}. The recording works: make demo"
        ) from None
    return points


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, default=7, help="days at the end that arrive live (default: 7)")
    parser.add_argument("--live", action="store_true", help="record the newest weeks of the real source first")
    parser.add_argument("--recording", type=Path, default=replay.BUNDLED, help="a recorded body of the charts API")
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for database and model (replaced)")


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(
        argv,
        __doc__,
        lambda arguments, settings: run(
            settings,
            _recording(arguments, settings),
            series_id=arguments.series,
            days=arguments.days,
            folder=arguments.output.resolve(),
        ),
        _add_flags,
    )


if __name__ == "__main__":
    sys.exit(main())

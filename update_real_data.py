"""ETL: read the newest points of a series from its source and store complete hours in the table `reality`.

Reads from the last stored hour on, and the hours just before it again, and from the first hole of the last two weeks:
late points complete them. Safe to run at any time, twice, or after days of silence: it catches up. A source that is
dead, old or broken changes nothing and fails. The columns of `exogenous` are read up to the horizon ahead; one that
fails is listed and fails the run, after the series itself and the other columns have been stored.

    python update_real_data.py                      # what is new
    python update_real_data.py --backfill           # all the source has
    python update_real_data.py --backfill 2024-01-01
    python update_real_data.py --all

Writes `reality`, `exogenous` and one row of `etl_runs` per run, failures included.
Exit codes: 0 loaded, or nothing new (it says which); 1 the source or the database failed, nothing was loaded;
2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from actioncast.cli import many_series
from actioncast.cli.script import log, run_script
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.hours import FUTURE, Hours, Points, Rejection, describe, missing_hours, refuse_too_many, to_hours
from actioncast.ingestion import ingestion, sources
from actioncast.ingestion.ingestion import IngestionReport
from actioncast.settings import SeriesSettings, Settings
from actioncast.times import from_seconds, isoformat, parse_time


def run(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    backfill: datetime | bool = False,
    time_travel: bool = False,
) -> IngestionReport:
    """Fetch, check, aggregate, store. `backfill` is a start, or True for all the source has.

    Raises ActioncastError, after recording why in `etl_runs`.
    """
    begun = time.monotonic()
    counts = {"points_read": 0, "points_rejected": 0, "hours_missing": 0}

    def record(message: str) -> dict[str, Any]:
        finished = now + timedelta(seconds=time.monotonic() - begun)
        identity = {"run_id": uuid.uuid4().hex, "series_id": series_id, "started_at": now, "finished_at": finished}
        return {**identity, **counts, "message": message}

    try:
        since = ingestion.first_hour(settings, database, now, series_id, backfill)
        rows = sources.fetch(settings, series_id, since, now)
        points, rejections = ingestion.checked(rows, now, settings.series[series_id].minimum_value)
        counts |= {"points_read": len(rows), "points_rejected": len(rejections)}
        _refuse_doubtful(settings, series_id, points, rejections, len(rows), now, time_travel)
        hours = _hours(settings.series[series_id], points, since, now)
        counts["hours_missing"] = missing_hours(hours)
        columns, lost = ingestion.columns(settings, database, now, series_id, since)
        said = [describe(rejections)] if rejections else []
        message = "; ".join([*said, *(f"{name}: {why}" for name, why in lost.items())])
        loaded = database.load_hours(series_id, hours, now, record(message), columns)
        last_hour = database.last_hour(series_id)
    except ActioncastError as error:
        _record_failure(database, record(str(error)))
        raise
    outcome = "loaded" if loaded else "nothing new"
    states = {name: f"known until {isoformat(from_seconds(c.starts[-1]))}" for name, c in columns.items()} | lost
    missing = counts["hours_missing"]
    return IngestionReport(
        series_id, loaded, missing, len(rows), rejections, last_hour, outcome, states, failed=bool(lost)
    )


def _record_failure(database: Database, row: dict[str, Any]) -> None:
    """A database that cannot even take this row must not hide why the run failed."""
    try:
        database.record_etl_failure(row)
    except ActioncastError as error:
        log.warning("the failure could not be recorded in etl_runs: %s", error)


def _refuse_doubtful(
    settings: Settings,
    series_id: str,
    points: Points,
    rejections: list[Rejection],
    read: int,
    now: datetime,
    time_travel: bool,
) -> None:
    """Raise when the answer as a whole cannot be trusted: too much of it rejected, or too old."""
    # A recording replayed at an earlier moment has a future; that says nothing about its quality.
    held_against = [r for r in rejections if not (time_travel and r.reason.startswith(FUTURE))]
    refuse_too_many(held_against, read, settings.series[series_id].maximum_rejected_share)
    sources.refuse_old(points, now, settings.freshness.source_hours, sources.name_of(settings, series_id))


def _hours(wanted: SeriesSettings, points: Points, since: datetime | None, now: datetime) -> Hours:
    return to_hours(points, minimum_points=wanted.minimum_points_per_hour, scale=wanted.scale, since=since, now=now)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backfill",
        nargs="?",
        const=True,
        default=False,
        metavar="START",
        type=parse_time,
        help="read from START on, or all there is",
    )
    many_series.add_flags(parser)


def _story(
    arguments: argparse.Namespace, settings: Settings, database: Database
) -> IngestionReport | many_series.FleetReport:
    options = {"backfill": arguments.backfill, "time_travel": arguments.time_travel}
    if many_series.are_asked_for(arguments):
        return many_series.run("update_real_data", arguments, settings, options)
    return run(settings, database, arguments.now, series_id=arguments.series, **options)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _story, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

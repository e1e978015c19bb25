"""ETL: read the newest points of a series from its source and store complete hours in the table
`reality`.

Reads from the last stored hour on. The hours just before it, and those since the first hole of the
last two weeks, are read again: late points complete them. Safe to run at any time, twice, or after
days of silence: it catches up. A source that is dead, old or broken changes nothing and fails the
run. Values that a source has not yet, and those of hours to come, are awaited and no fault. The columns
of `exogenous` are read up to the horizon ahead; one that fails is listed and fails the run, after the
series itself and the other columns have been stored. What a newer value of an hour replaces is kept in
`revisions`. What looks wrong in the newest hours (see check_data.py) is a warning.

    python update_real_data.py                      # what is new
    python update_real_data.py --backfill           # all the source has
    python update_real_data.py --backfill 2024-01-01
    python update_real_data.py --all

Writes `reality`, `revisions`, `exogenous` and one row of `etl_runs` per run, failures included.
Exit codes: 0 loaded, or nothing new (it says which); 1 the source or the database failed, nothing
was loaded; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from actioncast.cli import many_series
from actioncast.cli.script import log, run_script
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.ingestion import ingestion
from actioncast.ingestion.report import EtlRun, IngestionReport
from actioncast.periods.grid import Periods, missing_periods
from actioncast.periods.points import Rejection, describe
from actioncast.redaction import masked
from actioncast.settings import Settings
from actioncast.times import from_seconds, isoformat, parse_time


def run(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    backfill: datetime | bool = False,
) -> IngestionReport:
    """Fetch, check, aggregate, store. `backfill` is a start, or True for all the source has.

    Raises ActioncastError, after recording why in `etl_runs`.
    """
    etl_run = EtlRun(series_id, started_at=now)
    secrets = settings.environment.secrets()
    try:
        since = ingestion.first_period(settings, database, series_id, now=now, backfill=backfill)
        reading = ingestion.read_series(
            settings,
            series_id,
            since=since,
            now=now,
        )
        etl_run.points_read = reading.points_read
        etl_run.points_rejected = len(reading.rejections)
        hours = reading.periods()
        etl_run.periods_missing = missing_periods(hours, settings.series[series_id].timeline)
        columns, failures = ingestion.read_columns(settings, database, series_id, since=since, now=now)
        row = etl_run.row(masked(_message(reading.rejections, failures), secrets))
        restates = settings.series[series_id].revisions == "last"
        periods_loaded = database.load_periods(series_id, hours, now, row, columns, restates=restates)
        last_period = database.last_period(series_id)
        warnings = ingestion.doubtful_periods(settings, database, series_id, now=now) if periods_loaded else []
    except ActioncastError as error:
        _record_failure(database, etl_run.row(masked(str(error), secrets)))
        raise
    return IngestionReport(
        series=series_id,
        periods_loaded=periods_loaded,
        periods_missing=etl_run.periods_missing,
        reading=reading,
        last_period=last_period,
        outcome="loaded" if periods_loaded else "nothing new",
        columns=_last_known_periods(columns),
        column_failures=failures,
        warnings=warnings,
    )


def _message(rejections: Sequence[Rejection], failures: Mapping[str, str]) -> str:
    """What `etl_runs` says about a run that loaded its hours; empty when all went well."""
    parts = []
    if rejections:
        parts.append(describe(rejections))
    for column, reason in failures.items():
        parts.append(f"{column}: {reason}")
    return "; ".join(parts)


def _last_known_periods(columns: Mapping[str, Periods]) -> dict[str, str]:
    """How far each column is known, in words."""
    states = {}
    for column, hours in columns.items():
        last_period = from_seconds(hours.starts[-1])
        states[column] = f"known until {isoformat(last_period)}"
    return states


def _record_failure(database: Database, row: Mapping[str, Any]) -> None:
    """Record the failed run; a database that cannot take the row must not hide why the run failed."""
    try:
        database.record_etl_failure(row)
    except ActioncastError as error:
        log.warning("the failure could not be recorded in etl_runs: %s", error)


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


def _run(
    arguments: argparse.Namespace,
    settings: Settings,
    database: Database,
) -> IngestionReport | many_series.FleetReport:
    options = {"backfill": arguments.backfill}
    if many_series.are_asked_for(arguments):
        return many_series.run("update_real_data", arguments, settings, options)
    return run(settings, database, arguments.now, series_id=arguments.series, **options)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

"""Check the data: is what the source of a series gives healthy?

Looks at all stored hours, week by week, as they would have been judged at the time: gaps, zeros
instead of an outage, one value for ever, another unit (x 1000, x 1/60), a daily profile that moved
by one hour or changed, hours in the future or none for long, rejected points. Each finding names its hours, the
evidence and what to do. Findings are warnings: nothing is changed.

    python check_data.py --series demo
    python check_data.py --all --json

Reads `reality` and `etl_runs`. Writes nothing.
Exit codes: 0 looked, healthy or with findings; 1 nothing is stored, or the database failed;
2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

from actioncast.cli import many_series
from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.ingestion.health import gaps, loads, look
from actioncast.ingestion.health.report import HealthReport
from actioncast.settings import Settings
from actioncast.times import ONE_HOUR

ALL_HOURS = 24 * 366 * 50


class NothingStoredError(ActioncastError):
    """There is no hour to look at."""


def run(settings: Settings, database: Database, now: datetime, *, series_id: str) -> HealthReport:
    """Look at all stored hours of a series. Raises NothingStoredError."""
    last_hour = database.last_hour(series_id)
    history = None
    if last_hour is not None:
        # Hours after `now` are read too: they are a finding.
        until = max(now, last_hour + ONE_HOUR)
        history = database.reality(series_id, until=until, newest=ALL_HOURS)
    if history is None:
        raise NothingStoredError(
            f"no hour of {series_id} is stored; run: python update_real_data.py --series {series_id}"
        )
    runs = database.etl_runs(series_id, since=now - timedelta(days=loads.DAYS))
    findings = [
        *look.whole(history),
        *gaps.future(history, now),
        *gaps.silent(history, now, settings.freshness.actual_hours),
        *loads.rejected(runs),
    ]
    return HealthReport(
        series=series_id,
        history=history,
        rejected_share=loads.rejected_share(runs),
        findings=findings,
    )


def _run(
    arguments: argparse.Namespace,
    settings: Settings,
    database: Database,
) -> HealthReport | many_series.FleetReport:
    if many_series.are_asked_for(arguments):
        return many_series.run("check_data", arguments, settings)
    return run(settings, database, arguments.now, series_id=arguments.series)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run, many_series.add_flags)


if __name__ == "__main__":
    sys.exit(main())

"""Check the data: is what the source of a series gives healthy?

Looks at all stored hours, week by week, as they would have been judged at the time: gaps, zeros
instead of an outage, one value for ever, another unit (x 1000, x 1/60), a daily profile that moved
by one hour or changed, hours in the future or none for long, rejected points, and values that
the source restates. Findings are warnings and name their hours, the evidence and what to do.
Zeros, stuck values and units 20 times off are set aside by the load that brings them, a day of them
at most: they stay stored, but no training, forecast or score sees them until a person releases
them. A value that the source corrects counts again by itself.

    python check_data.py --series demo
    python check_data.py --all --json
    python check_data.py --quarantine 2022-03-04T03:00..2022-03-04T09:00   # set hours aside
    python check_data.py --release 2022-03-04T03:00..2022-03-04T09:00      # and let them count again

Reads `reality`, `revisions`, `quarantine` and `etl_runs`; writes `quarantine` when told to.
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
from actioncast.settings import Settings, SettingsError
from actioncast.times import isoformat, parse_time

ALL_PERIODS = 24 * 366 * 50


class NothingStoredError(ActioncastError):
    """There is no hour to look at."""


Span = tuple[datetime, datetime]  # first hour, and the one after the last


def run(settings: Settings, database: Database, now: datetime, *, series_id: str) -> HealthReport:
    """Look at all stored hours of a series. Raises NothingStoredError."""
    last_period = database.last_period(series_id)
    history = None
    if last_period is not None:
        # Periods after `now` are read too: they are a finding.
        timeline = settings.series[series_id].timeline
        until = max(now, timeline.end_of(timeline.number_of(last_period)))
        history = database.reality(series_id, until=until, newest=ALL_PERIODS, timeline=timeline, quarantined=True)
    if history is None:
        raise NothingStoredError(
            f"nothing of {series_id} is stored; run: python update_real_data.py --series {series_id}"
        )
    since = now - timedelta(days=loads.DAYS)
    runs = database.etl_runs(series_id, since=since)
    revisions = database.revisions(series_id, since=since)
    findings = [
        *look.whole(history),
        *gaps.future(history, now),
        *gaps.silent(history, now, settings.freshness_of(series_id).actual),
        *loads.rejected(runs),
        *loads.revised(revisions, timeline, points_per_period=settings.series[series_id].points_per_period),
    ]
    return HealthReport(
        series=series_id,
        history=history,
        rejected_share=loads.rejected_share(runs),
        set_aside=len(database.quarantined(series_id, since=history.start)),
        findings=findings,
    )


def decide(database: Database, now: datetime, *, series_id: str, span: Span, set_aside: bool) -> None:
    """Set the stored hours of a span aside, or release them. Raises NothingStoredError."""
    since, until = span
    hours = database.decide(
        series_id,
        first=since,
        last=until - timedelta(seconds=1),
        set_aside=set_aside,
        decided_at=now,
    )
    if not hours:
        raise NothingStoredError(f"nothing of {series_id} is stored from {isoformat(since)} to {isoformat(until)}")


def _span(text: str) -> Span:
    """ "2022-03-04T03:00..2022-03-04T09:00" -> the two moments; the second is not included."""
    first, _, second = text.partition("..")
    since = parse_time(first)
    until = parse_time(second)
    if since >= until:
        raise argparse.ArgumentTypeError(f"expected FROM..UNTIL with FROM before UNTIL, got {text!r}")
    return since, until


def _add_flags(parser: argparse.ArgumentParser) -> None:
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--quarantine", type=_span, metavar="FROM..UNTIL", help="set these periods aside")
    decision.add_argument("--release", type=_span, metavar="FROM..UNTIL", help="let these periods count again")
    many_series.add_flags(parser)


def _run(
    arguments: argparse.Namespace,
    settings: Settings,
    database: Database,
) -> HealthReport | many_series.FleetReport:
    span = arguments.quarantine or arguments.release
    if many_series.are_asked_for(arguments):
        if span:
            raise SettingsError("--quarantine and --release are for one series: name it by --series")
        return many_series.run("check_data", arguments, settings)
    if span:
        set_aside = arguments.quarantine is not None
        decide(database, arguments.now, series_id=arguments.series, span=span, set_aside=set_aside)
    return run(settings, database, arguments.now, series_id=arguments.series)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

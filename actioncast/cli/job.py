"""Job: what a scheduled workflow calls: one script for every series of config.toml and of the table `series`.

The scripts run as they would by hand, one process a series, so that one that fails stops no other; from FLEET_FROM
series on as one `--all`, which spreads them over the cores. Writes the step summary with tables and charts when it
runs on GitHub, and a notice that says what is still to be set up, if anything.

    python -m actioncast.cli.job update_real_data
    python -m actioncast.cli.job train --series bitcoin_transactions
    python -m actioncast.cli.job train --shard 1/4

Verbs: update_real_data, make_predictions (POST to $API_URL/forecast when that is set), check_retrain, train.
Reads config.toml and the environment; reads and writes what the script does.
Exit codes: 0 done; 1 a series failed, or the database cannot be reached; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from actioncast.api import client
from actioncast.cli import many_series
from actioncast.cli.script import report_of
from actioncast.config import load_settings, with_rows
from actioncast.database.database import Database, open_database
from actioncast.errors import ActioncastError
from actioncast.forecasting.card import read_card
from actioncast.github import summary
from actioncast.redaction import masked
from actioncast.settings import Settings, SettingsError
from actioncast.text import table
from actioncast.times import isoformat

CHART_DAYS = 14
FLEET_FROM = 8  # series; a script's start takes a second, which hundreds of series should not pay for each


def _tell(verb: str, settings: Settings, now: datetime, series_id: str) -> bool:
    """Run the script of the verb on one series and write what it reports into the summary."""
    with open_database(settings) as database:
        if verb == "make_predictions" and read_card(settings.model_directory(series_id)) is None:
            summary.notice("No champion yet", f"{series_id}: the first training follows the data by itself")
            return True
        succeeded, report = report_of(verb, settings, now, "--series", series_id)
        print(_said(report))
        summary.write(_summary(verb, report, settings, database, now))
    return succeeded


def _tell_fleet(verb: str, settings: Settings, now: datetime, shard: str) -> list[str]:
    """Run the script on every series of the shard at once. Returns those that failed; one without a champion yet has
    nothing to forecast with, which is no failure."""
    _, report = report_of(verb, settings, now, *(["--shard", shard] if shard else ["--all"]))
    failed = []
    for result in report["results"]:
        name, error = result["series"], result.get("error")
        if error and verb == "make_predictions" and read_card(settings.model_directory(name)) is None:
            summary.notice("No champion yet", f"{name}: the first training follows the data by itself")
        elif error:
            summary.failure(f"{verb} {name}", error)
            failed.append(name)
        else:
            print(_said(result))
    rows = [["series", len(report["results"])], ["failed", len(failed)]]
    summary.write(table(["", verb], rows))
    return failed


def _said(report: dict[str, Any]) -> str:
    """The report in the words of a log."""
    word = report.get("verdict") or report.get("outcome") or f"{len(report['predictions'])} hours forecast"
    reasons = report.get("reasons", [report["reason"]] if "reason" in report else [])
    return "\n".join([f"{report['series']}: {word}", *(f"- {reason}" for reason in reasons)])


def _summary(verb: str, report: dict[str, Any], settings: Settings, database: Database, now: datetime) -> str:
    series_id = report["series"]
    unit = settings.series[series_id].unit
    if verb == "update_real_data":
        known = database.reality(series_id, until=now, newest=summary.SHOWN_HOURS)
        values = [] if known is None else [None if value != value else float(value) for value in known.values]
        return summary.etl(report, unit, values)
    if verb == "check_retrain":
        rows = database.performance(series_id, since=now - timedelta(days=CHART_DAYS), until=now)
        return summary.check(report, unit, rows)
    return (summary.training if verb == "train" else summary.forecast)(report, unit)


def _forecast_by_service(settings: Settings, url: str, series_id: str) -> bool:
    report = client.forecast(url, series_id, settings.environment.api_key)
    print(f"{series_id}: {len(report['predictions'])} hours forecast and stored by {url}")
    summary.write(summary.forecast(report, settings.series[series_id].unit))
    return True


def _succeeds(verb: str, series_id: str, secrets: Sequence[str], story: Callable[[str], bool]) -> bool:
    """Tell the story of one series; a failure is said, and stops no other."""
    try:
        return story(series_id)
    except ActioncastError as error:
        summary.failure(f"{verb} {series_id}", masked(str(error), secrets))
        return False


def run(settings: Settings, verb: str, now: datetime, wanted: Sequence[str], shard: str = "") -> list[str]:
    """Do it for each series; `shard` says which of all series `wanted` are. Returns those that failed."""
    succeeds = partial(_succeeds, verb, secrets=settings.environment.secrets())
    summary.write(f"## {verb}, {isoformat(now)}")
    url = os.environ.get("API_URL") if verb == "make_predictions" else None
    if url:
        by_service = partial(_forecast_by_service, settings, url)
        return [series_id for series_id in wanted if not succeeds(series_id, story=by_service)]
    if len(wanted) >= FLEET_FROM:
        return _tell_fleet(verb, settings, now, shard)
    story = partial(_tell, verb, settings, now)
    return [series_id for series_id in wanted if not succeeds(series_id, story=story)]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=many_series.VERBS)
    parser.add_argument("--series", default="", help="name of one [series.NAME] table (default, or empty: all)")
    parser.add_argument("--shard", default="", metavar="I/N", help="every N-th series, from the I-th on (default: all)")
    arguments = parser.parse_args(argv)
    secrets: list[str] = []
    try:
        settings = load_settings()
        secrets = settings.environment.secrets()
        with open_database(settings) as database:
            settings = with_rows(settings, database.series())
        wanted = [settings.series_id(arguments.series)] if arguments.series else list(settings.series)
        first, count = many_series.shard_flag(arguments.shard or "1/1")
        wanted = wanted[first - 1 :: count]
        now = datetime.now(UTC).replace(microsecond=0)
        return int(bool(run(settings, arguments.verb, now, wanted, arguments.shard)))
    except ActioncastError as error:
        summary.failure(arguments.verb, masked(str(error), secrets))
        return 2 if isinstance(error, SettingsError) else 1


if __name__ == "__main__":
    sys.exit(main())

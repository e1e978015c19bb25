"""The job of a scheduled workflow: one script for every series of config.toml and of the table
`series`.

The scripts run as they would by hand, one process a series, so that one that fails stops no other;
from FLEET_FROM series on as one `--all`, which spreads them over the cores. On GitHub it writes the
step summary with tables and charts, and a notice that says what is still to be set up, if anything.

    python -m actioncast.cli.job update_real_data
    python -m actioncast.cli.job train --series bitcoin_transactions
    python -m actioncast.cli.job train --shard 1/4

Scripts: update_real_data, make_predictions (POST to $API_URL/forecast when that is set),
check_retrain, train.
Reads config.toml and the environment; reads and writes what the script does.
Exit codes: 0 done; 1 a series failed, or the database cannot be reached; 2 wrong flags, config.toml
or environment.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from actioncast.api import client
from actioncast.cli import many_series
from actioncast.cli.script import parser, report_of
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


def run(
    settings: Settings,
    script: str,
    now: datetime,
    series_ids: Sequence[str],
    shard: str = "",
) -> list[str]:
    """Run the script for each series; returns those that failed.

    `shard` says which part of all series these are, "I/N", or empty for all.
    """
    summary.write(f"## {script}, {isoformat(now)}")
    api_url = os.environ.get("API_URL")
    if api_url and script == "make_predictions":
        return _run_each(settings, script, series_ids, partial(_forecast_by_api, settings, api_url))
    if len(series_ids) >= FLEET_FROM:
        return _run_together(settings, script, now, shard)
    return _run_each(settings, script, series_ids, partial(_run_script, settings, script, now))


def _run_each(
    settings: Settings,
    script: str,
    series_ids: Sequence[str],
    run_one: Callable[[str], bool],
) -> list[str]:
    """Run one series after another; a failure is reported, and stops no other.

    Returns those that failed.
    """
    failed = []
    for series_id in series_ids:
        try:
            succeeded = run_one(series_id)
        except ActioncastError as error:
            summary.failure(f"{script} {series_id}", masked(str(error), settings.environment.secrets()))
            succeeded = False
        if not succeeded:
            failed.append(series_id)
    return failed


def _run_script(settings: Settings, script: str, now: datetime, series_id: str) -> bool:
    """Run the script on one series and write what it reports into the summary.

    Returns whether it succeeded.
    """
    with open_database(settings) as database:
        if script == "make_predictions" and read_card(settings.model_directory(series_id)) is None:
            _note_missing_champion(series_id)
            return True
        succeeded, report = report_of(script, settings, now, "--series", series_id)
        print(_log_text(script, report))
        summary.write(_section(script, report, settings, database, now))
    return succeeded


def _run_together(settings: Settings, script: str, now: datetime, shard: str) -> list[str]:
    """Run the script once for every series of the shard. Returns those that failed.

    A series without a champion yet has nothing to forecast with, which is no failure.
    """
    flags = ["--shard", shard] if shard else ["--all"]
    _, report = report_of(script, settings, now, *flags)
    failed = []
    for result in report["results"]:
        series_id = result["series"]
        error = result.get("error")
        if not error:
            print(_log_text(script, result))
        elif script == "make_predictions" and read_card(settings.model_directory(series_id)) is None:
            _note_missing_champion(series_id)
        else:
            summary.failure(f"{script} {series_id}", error)
            failed.append(series_id)
    rows = [["series", len(report["results"])], ["failed", len(failed)]]
    summary.write(table(["", script], rows))
    return failed


def _forecast_by_api(settings: Settings, api_url: str, series_id: str) -> bool:
    """Let the deployed API forecast, and write what it answers into the summary."""
    report = client.forecast(api_url, series_id, settings.environment.api_key)
    print(f"{series_id}: {len(report['predictions'])} hours forecast and stored by {api_url}")
    summary.write(summary.forecast(report, settings.series[series_id].unit))
    return True


def _note_missing_champion(series_id: str) -> None:
    summary.notice("No champion yet", f"{series_id}: the first training follows the data by itself")


def _log_text(script: str, report: dict[str, Any]) -> str:
    """The report of one series in the words of a log."""
    match script:
        case "update_real_data":
            lines = [report["outcome"]]
        case "make_predictions":
            lines = [f"{len(report['predictions'])} hours forecast"]
        case "check_retrain":
            lines = [report["verdict"], *report["reasons"]]
        case _:
            lines = [report["verdict"], report["reason"]]
    return "\n- ".join([f"{report['series']}: {lines[0]}", *lines[1:]])


def _section(script: str, report: dict[str, Any], settings: Settings, database: Database, now: datetime) -> str:
    """The section of one series in the step summary."""
    series_id = report["series"]
    unit = settings.series[series_id].unit
    match script:
        case "update_real_data":
            newest_hours = _newest_hours(database, series_id, now)
            return summary.etl(report, unit, newest_hours)
        case "make_predictions":
            return summary.forecast(report, unit)
        case "check_retrain":
            rows = database.performance(series_id, since=now - timedelta(days=CHART_DAYS), until=now)
            return summary.check(report, unit, rows)
        case _:
            return summary.training(report, unit)


def _newest_hours(database: Database, series_id: str, now: datetime) -> list[float | None]:
    """The newest stored hours, None where one is missing."""
    history = database.reality(series_id, until=now, newest=summary.SHOWN_HOURS)
    if history is None:
        return []
    return [None if math.isnan(value) else float(value) for value in history.values]


def main(argv: Sequence[str] | None = None) -> int:
    flags = parser(__doc__)
    flags.add_argument("script", choices=many_series.SCRIPTS)
    flags.add_argument("--series", default="", help="name of one [series.NAME] table (default, or empty: all)")
    flags.add_argument(
        "--shard",
        default="",
        metavar="I/N",
        help="every N-th series, from the I-th on (default: all)",
    )
    arguments = flags.parse_args(argv)
    secrets: list[str] = []
    try:
        settings = load_settings()
        secrets = settings.environment.secrets()
        with open_database(settings) as database:
            settings = with_rows(settings, database.series())
        series_ids = [settings.series_id(arguments.series)] if arguments.series else list(settings.series)
        first, count = many_series.shard_flag(arguments.shard or "1/1")
        now = datetime.now(UTC).replace(microsecond=0)
        failed = run(settings, arguments.script, now, series_ids[first - 1 :: count], arguments.shard)
    except ActioncastError as error:
        summary.failure(arguments.script, masked(str(error), secrets))
        return 2 if isinstance(error, SettingsError) else 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The job of a scheduled workflow: one script for every series of config.toml and of the table
`series`.

The scripts run as they would by hand, one process a series, so that one that fails stops no other;
from FLEET_FROM series on as one process, which spreads them over the cores. A check is always one
process: it sends one dispatch for all series that are due. On GitHub the job writes the step summary
with tables and charts, and a notice that says what is still to be set up, if anything.

    python -m actioncast.cli.job update_real_data
    python -m actioncast.cli.job train --series bitcoin_transactions,load
    python -m actioncast.cli.job train --shard 1/4
    python -m actioncast.cli.job check_retrain --due

Scripts: update_real_data, make_predictions (POST to $API_URL/forecast when that is set),
check_retrain, train.
Reads config.toml and the environment; reads and writes what the script does.
Exit codes: 0 done; 1 a series failed, or the database cannot be reached; 2 wrong flags, config.toml
or environment, or a name that no series has (the others are done all the same).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from actioncast.api import client
from actioncast.cli import many_series
from actioncast.cli.many_series import Result
from actioncast.cli.script import parser, report_of
from actioncast.config import load_settings, with_rows
from actioncast.database.database import Database, open_database
from actioncast.errors import ActioncastError
from actioncast.forecasting.card import ModelError, read_card
from actioncast.github import summary
from actioncast.monitoring.due import due_series
from actioncast.redaction import masked
from actioncast.settings import Settings, SettingsError
from actioncast.text import table
from actioncast.times import HOUR, isoformat

CHART_DAYS = 14
FLEET_FROM = 8  # series; a script's start takes a second, which hundreds of series should not pay for each


def run(
    settings: Settings,
    script: str,
    now: datetime,
    series_ids: Sequence[str],
    flags: Sequence[str] = (),
) -> list[str]:
    """Run the script for each series; returns what failed.

    `flags` let one process of the script go over the same series; without them it gets their names.
    """
    summary.write(f"## {script}, {isoformat(now)}")
    waiting = not_due_yet(settings, script, series_ids, now)
    if waiting:
        for reason in waiting.values():
            print(reason)
        summary.write("\n".join(f"- {reason}" for reason in waiting.values()))
        series_ids = [name for name in series_ids if name not in waiting]
        flags = []
        if not series_ids:
            return []
    if not series_ids:
        summary.notice("Nothing to do", f"{script}: there is no series for this job")
        return []
    api_url = os.environ.get("API_URL")
    if api_url and script == "make_predictions":
        return _run_each(settings, script, series_ids, partial(_forecast_by_api, settings, api_url))
    selection = flags or ["--names", ",".join(series_ids)]
    if len(series_ids) >= FLEET_FROM:
        return _run_together(settings, script, now, selection)
    if script == "check_retrain":
        return _run_together(settings, script, now, [*selection, "--jobs", "1"])
    return _run_each(settings, script, series_ids, partial(_run_script, settings, script, now))


def not_due_yet(settings: Settings, script: str, series_ids: Sequence[str], now: datetime) -> dict[str, str]:
    """Series that can have nothing new yet -> why they are skipped, in words.

    Only those whose period is longer than the hour that the clock of GitHub has. Asks the database
    alone, and writes nothing.
    """
    if script not in ("update_real_data", "make_predictions"):
        return {}
    slow = [name for name in series_ids if settings.series[name].frequency.seconds > HOUR]
    if not slow:
        return {}
    with open_database(settings) as database:
        reasons = {name: _reason_to_wait(settings, database, script, name, now) for name in slow}
    return {name: reason for name, reason in reasons.items() if reason}


def _reason_to_wait(settings: Settings, database: Database, script: str, series_id: str, now: datetime) -> str:
    """Why nothing new can be there; empty where something can."""
    series = settings.series[series_id]
    timeline = series.timeline
    newest = database.newest(series_id)
    if newest.period is None:
        return ""
    stored = timeline.number_of(newest.period)
    over = timeline.end_of(max(timeline.last_over(now), stored) + 1)
    if script == "update_real_data":
        if stored < timeline.last_over(now):
            return ""
        noun = series.frequency.noun
        return f"{series_id}: skipped, nothing new can be there: the next {noun} is over {isoformat(over)}"
    try:
        card = read_card(settings.model_directory(series_id))
    except ModelError:
        return ""  # make_predictions.py says what is wrong with it
    if card is None:
        return ""
    issued_at = database.find_vintage(
        series_id,
        timeline=timeline,
        model_version=card.version,
        origin=newest.period,
        horizon=series.horizon_periods,
        since=newest.loaded_at,
    )
    if issued_at is None:
        return ""
    return f"{series_id}: skipped, the forecast of {isoformat(issued_at)} is of the newest {series.frequency.noun}"


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
        if script == "make_predictions" and _is_untrained(settings, series_id):
            _note_missing_champion(series_id)
            return True
        succeeded, report = report_of(script, settings, now, "--series", series_id)
        print(_log_text(script, report))
        _report_fallback(script, report)
        summary.write(_section(script, report, settings, database, now))
    return succeeded


def _run_together(settings: Settings, script: str, now: datetime, flags: Sequence[str]) -> list[str]:
    """Run the script once for many series. Returns what failed.

    A series without a champion yet has nothing to forecast with, which is no failure.
    """
    _, report = report_of(script, settings, now, *flags)
    failed = []
    for result in report["results"]:
        series_id = result["series"]
        error = result.get("error")
        if not error:
            print(_log_text(script, result))
        elif script == "make_predictions" and _is_untrained(settings, series_id):
            _note_missing_champion(series_id)
        else:
            summary.failure(f"{script} {series_id}", error)
            failed.append(series_id)
    _write_sections(settings, script, now, report["results"])
    if report["fault"]:
        summary.failure(script, report["fault"])
        failed.append(script)
    return failed


def _write_sections(settings: Settings, script: str, now: datetime, results: Sequence[Result]) -> None:
    """Write a section for each of a few series into the summary, and a count of many."""
    reports = [result for result in results if not result.get("error")]
    if len(results) >= FLEET_FROM:
        rows = [["series", len(results)], ["failed", len(results) - len(reports)]]
        summary.write(table(["", script], rows))
        return
    with open_database(settings) as database:
        for report in reports:
            summary.write(_section(script, report, settings, database, now))


def _forecast_by_api(settings: Settings, api_url: str, series_id: str) -> bool:
    """Let the deployed API forecast, and write what it answers into the summary."""
    report = client.forecast(api_url, series_id, settings.environment.api_key)
    frequency = settings.series[series_id].frequency
    print(f"{series_id}: {len(report['predictions'])} {frequency.plural} forecast and stored by {api_url}")
    summary.write(summary.forecast(report, settings.series[series_id].unit, frequency.plural))
    return not _report_fallback("make_predictions", report)


def _report_fallback(script: str, report: dict[str, Any]) -> bool:
    """Whether a naive had to stand in for the champion, which is a failure with the reason as its text."""
    if not report.get("fallback"):
        return False
    reason = f"the naive stands in for the champion: {report['fallback_reason']}"
    summary.failure(f"{script} {report['series']}", reason)
    return True


def _is_untrained(settings: Settings, series_id: str) -> bool:
    """Whether there is no champion yet; one that cannot be read is one."""
    try:
        return read_card(settings.model_directory(series_id)) is None
    except ModelError:
        return False


def _note_missing_champion(series_id: str) -> None:
    summary.notice("No champion yet", f"{series_id}: the first training follows the data by itself")


def _log_text(script: str, report: dict[str, Any]) -> str:
    """The report of one series in the words of a log."""
    match script:
        case "update_real_data":
            lines = [report["outcome"], *report["warnings"]]
        case "make_predictions":
            lines = [f"{len(report['predictions'])} periods forecast"]
        case "check_retrain":
            lines = [report["verdict"], *report["reasons"]]
        case _:
            lines = [report["verdict"], report["reason"]]
    return "\n- ".join([f"{report['series']}: {lines[0]}", *lines[1:]])


def _section(script: str, report: dict[str, Any], settings: Settings, database: Database, now: datetime) -> str:
    """The section of one series in the step summary."""
    series_id = report["series"]
    unit = settings.series[series_id].unit
    frequency = settings.series[series_id].frequency
    match script:
        case "update_real_data":
            newest_periods = _newest_periods(settings, database, series_id, now)
            return summary.etl(report, unit, newest_periods, frequency.noun, frequency.plural)
        case "make_predictions":
            return summary.forecast(report, unit, frequency.plural)
        case "check_retrain":
            rows = database.performance(series_id, since=now - timedelta(days=CHART_DAYS), until=now)
            return summary.check(report, unit, rows)
        case _:
            return summary.training(report, unit)


def _newest_periods(settings: Settings, database: Database, series_id: str, now: datetime) -> list[float | None]:
    """The newest stored periods, None where one is missing."""
    history = database.reality(
        series_id,
        until=now,
        newest=summary.SHOWN_PERIODS,
        timeline=settings.series[series_id].timeline,
        quarantined=True,
    )
    if history is None:
        return []
    return [None if math.isnan(value) else float(value) for value in history.values]


def main(argv: Sequence[str] | None = None) -> int:
    flags = parser(__doc__)
    flags.add_argument("script", choices=many_series.SCRIPTS)
    flags.add_argument(
        "--series",
        type=many_series.names_flag,
        default=[],
        metavar="A,B",
        help="names of series, separated by commas (default, or empty: all)",
    )
    flags.add_argument(
        "--shard",
        type=many_series.shard_flag,
        default=(1, 1),
        metavar="I/N",
        help="every N-th of these series, from the I-th on (default: each of them)",
    )
    flags.add_argument(
        "--due",
        action="store_true",
        help="check_retrain: only series whose last check is retrain.check_hours old",
    )
    arguments = flags.parse_args(argv)
    if arguments.due and arguments.script != "check_retrain":
        flags.error("--due goes with check_retrain only")
    secrets: list[str] = []
    try:
        settings = load_settings()
        secrets = settings.environment.secrets()
        return _run(arguments, settings)
    except ActioncastError as error:
        summary.failure(arguments.script, masked(str(error), secrets))
        return 2 if isinstance(error, SettingsError) else 1


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the script for the series that are asked for. Returns the exit code."""
    with open_database(settings) as database:
        settings = with_rows(settings, database.series())
    first, count = arguments.shard
    asked_for = (arguments.series or list(settings.series))[first - 1 :: count]
    series_ids = _existing(settings, arguments.script, asked_for)
    all_exist = len(series_ids) == len(asked_for)
    if count > 1:
        print(f"shard {first}/{count}: {len(series_ids)} series")
    # Without names, the script reports broken rows of the table `series` too.
    flags = [] if arguments.series else ["--shard", f"{first}/{count}"]
    now = datetime.now(UTC).replace(microsecond=0)
    if arguments.due:
        series_ids = _due(settings, series_ids, now)
        flags = []
        if not series_ids:
            return 0
    failed = run(settings, arguments.script, now, series_ids, flags)
    if not all_exist:
        return 2
    return 1 if failed else 0


def _due(settings: Settings, series_ids: Sequence[str], now: datetime) -> list[str]:
    """Those of the series whose live error is to be looked at by now; the log says of how many.

    The output `checked` of the step tells whether there is any: no look closes no incident.
    """
    check_hours = settings.retrain.check_hours
    with open_database(settings) as database:
        newest_checks = database.newest_checks(since=now - timedelta(hours=check_hours))
    due = due_series(series_ids, newest_checks, check_hours, now)
    print(f"check_retrain: {len(due)} of {len(series_ids)} series due (retrain.check_hours = {check_hours:g})")
    if due:
        summary.output("checked", "true")
    return due


def _existing(settings: Settings, script: str, names: Sequence[str]) -> list[str]:
    """The names that a series has; the others are reported.

    A series may have been taken out of config.toml since its retrain was asked for.
    """
    series_ids = []
    for name in names:
        try:
            series_ids.append(settings.series_id(name))
        except SettingsError as error:
            summary.failure(script, str(error))
    return series_ids


if __name__ == "__main__":
    sys.exit(main())

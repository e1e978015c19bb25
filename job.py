"""Job: what a scheduled workflow calls: one verb for every series of config.toml, in one process.

A series that fails does not stop the others. Prints each report, writes the step summary with tables and charts when it
runs on GitHub, and says in a notice what is still to be set up instead of failing.

    python job.py update_real_data
    python job.py train --series bitcoin_transactions

Verbs: update_real_data, make_predictions (POST to $API_URL/forecast when that is set), check_retrain (which also asks
for the first training when there is data and no champion), train.
Reads config.toml and the environment; reads and writes what the verb does.
Exit codes: 0 done; 1 at least one series failed, or the database cannot be reached; 2 wrong flags, config.toml or
environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from statistics import fmean
from typing import Any

import requests

from pipeline import github, summary
from pipeline.card import ModelError, read_card
from pipeline.database import Database, open_database
from pipeline.script import masked, parse_time
from pipeline.series import isoformat
from pipeline.settings import ActioncastError, Settings, SettingsError, load_settings

FIRST_HOURS = 24 * 21  # fewer stored hours are not worth a first training
CHART_DAYS = 14
API_TIMEOUT_SECONDS = 120  # a cold start, and one forecast
Verb = Callable[[Settings, Database, datetime, str], bool]


class ApiError(ActioncastError):
    """The deployed service did not forecast."""


def _notice(title: str, message: str) -> None:
    print(f"::notice title={title}::{message}")
    summary.write(summary.notice(title, message))


def _update_real_data(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    import update_real_data

    report = update_real_data.run(settings, database, now, series_id=series_id)
    print(report.as_text())
    known = database.reality(series_id, until=now, newest=summary.SHOWN_HOURS)
    values = [] if known is None else [None if value != value else float(value) for value in known.values]
    summary.write(summary.etl(report.as_json(), settings.series[series_id].unit, values))
    return not report.failed


def _make_predictions(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    import make_predictions

    if read_card(settings.model_directory(series_id)) is None:
        _notice("No champion yet", f"{series_id}: the first training comes by itself with the data, or: run `retrain`")
        return True
    report = make_predictions.run(settings, database, now, series_id=series_id)
    print(report.as_text())
    summary.write(summary.forecast(report.as_json(), settings.series[series_id].unit))
    return not report.failed


def _check_retrain(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    import check_retrain

    if _is_first_training_due(settings, database, now, series_id):
        github.dispatch_retrain(settings.environment, {"series": series_id, "reasons": ["there is no champion yet"]})
        _notice("First training", f"{series_id}: there is data and no champion, so a training was asked for")
        return True
    report = check_retrain.run(settings, database, now, series_id=series_id)
    print(report.as_text())
    rows = database.performance(series_id, since=now - timedelta(days=CHART_DAYS), until=now)
    summary.write(summary.check(report.as_json(), settings.series[series_id].unit, _by_day(rows)))
    return not report.failed


def _train(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    import train

    report = train.run(settings, database, now, series_id=series_id)
    print(report.as_text())
    summary.write(summary.training(report.as_json(), settings.series[series_id].unit))
    return not report.failed


VERBS: dict[str, Verb] = {
    "update_real_data": _update_real_data,
    "make_predictions": _make_predictions,
    "check_retrain": _check_retrain,
    "train": _train,
}


def _is_first_training_due(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    """No champion, enough hours, and a GitHub to ask; a card that cannot be read is the check's to report."""
    try:
        missing = read_card(settings.model_directory(series_id)) is None
    except ModelError:
        return False
    if not missing or settings.environment.github_repository is None or settings.retrain.mode == "suggest":
        return False
    known = database.reality(series_id, until=now, newest=FIRST_HOURS)
    return known is not None and len(known) >= FIRST_HOURS


def _by_day(rows: Sequence[dict[str, Any]]) -> list[tuple[float, float | None]]:
    """Mean live error and mean naive error of each day with scored hours."""
    scored = [row for row in rows if row["absolute_error"] is not None]
    days = [list(day) for _, day in groupby(scored, key=lambda row: row["prediction_date"].date())]
    naive = [[row["naive_error"] for row in day if row["naive_error"] is not None] for day in days]
    return [
        (fmean(row["absolute_error"] for row in day), fmean(errors) if errors else None)
        for day, errors in zip(days, naive, strict=True)
    ]


def _forecast_by_api(settings: Settings, series_id: str, url: str) -> bool:
    """POST /forecast of the deployed service, which forecasts and stores."""
    key = settings.environment.api_key
    headers = {"X-API-Key": key.get_secret_value()} if key else {}
    address = f"{url.rstrip('/')}/forecast"
    try:
        answer = requests.post(address, params={"series": series_id}, headers=headers, timeout=API_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise ApiError(f"POST {address}: {type(error).__name__}") from None
    if answer.status_code != 200:
        raise ApiError(f"POST {address}: expected 200, got {answer.status_code} {answer.text[:300]}")
    report = answer.json()
    print(f"{series_id}: {len(report['predictions'])} hours forecast and stored by {address}")
    summary.write(summary.forecast(report, settings.series[series_id].unit))
    return True


def run(settings: Settings, verb: str, now: datetime, wanted: Sequence[str]) -> list[str]:
    """Do it for each series. Returns those that failed."""
    secrets, failed = settings.environment.secrets(), []
    summary.write(f"## {verb}, {isoformat(now)}")

    def attempt(series_id: str, story: Callable[[], bool]) -> None:
        try:
            if not story():
                failed.append(series_id)
        except ActioncastError as error:
            message = masked(str(error), secrets)
            print(f"::error title={verb} {series_id}::{message.replace(chr(10), '%0A')}")
            summary.write(summary.failure(series_id, message))
            failed.append(series_id)

    url = os.environ.get("API_URL") if verb == "make_predictions" else None
    if url:
        for series_id in wanted:
            attempt(series_id, lambda series_id=series_id: _forecast_by_api(settings, series_id, url))
        return failed
    with open_database(settings) as database:
        for series_id in wanted:
            attempt(series_id, lambda series_id=series_id: VERBS[verb](settings, database, now, series_id))
    return failed


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=list(VERBS))
    parser.add_argument("--series", default="", help="name of one [series.NAME] table (default, or empty: all)")
    parser.add_argument("--now", type=parse_time, help="act as at this moment, ISO 8601 (UTC without an offset)")
    arguments = parser.parse_args(argv)
    secrets: list[str] = []
    try:
        settings = load_settings()
        secrets = settings.environment.secrets()
        wanted = [settings.series_id(arguments.series)] if arguments.series else list(settings.series)
        now = arguments.now or datetime.now(UTC).replace(microsecond=0)
        return int(bool(run(settings, arguments.verb, now, wanted)))
    except ActioncastError as error:
        message = masked(str(error), secrets)
        print(f"::error title={arguments.verb}::{message.replace(chr(10), '%0A')}")
        summary.write(summary.failure(arguments.verb, message))
        return 2 if isinstance(error, SettingsError) else 1


if __name__ == "__main__":
    sys.exit(main())

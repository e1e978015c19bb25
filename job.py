"""Job: what a scheduled workflow calls: one verb for every series of config.toml, in one process.

A series that fails does not stop the others. Prints each report, writes the step summary with tables and charts when it
runs on GitHub, and says in a notice what is still to be set up instead of failing.

    python job.py update_real_data
    python job.py train --series bitcoin_transactions

Verbs: update_real_data, make_predictions (POST to $API_URL/forecast when that is set), check_retrain (which also asks
for the first training when there is data and no champion), train.
Reads config.toml and the environment; reads and writes what the verb does.
Exit codes: 0 done; 1 a series failed, or the database cannot be reached; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import check_retrain
from pipeline import github, service, summary
from pipeline.card import ModelError, read_card
from pipeline.database import Database, open_database
from pipeline.errors import ActioncastError
from pipeline.monitoring import Verdict, live_score
from pipeline.script import masked
from pipeline.series import isoformat
from pipeline.settings import Settings, SettingsError, load_settings

FIRST_HOURS = 24 * 21  # fewer stored hours are not worth a first training
FIRST_AGAIN = timedelta(hours=24)  # when nothing came of it
CHART_DAYS = 14
Verb = Callable[[Settings, Database, datetime, str], bool]


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
        summary.notice("No champion yet", f"{series_id}: the first training follows the data by itself")
        return True
    report = make_predictions.run(settings, database, now, series_id=series_id)
    print(report.as_text())
    summary.write(summary.forecast(report.as_json(), settings.series[series_id].unit))
    return not report.failed


def _check_retrain(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    if _is_first_training_due(settings, database, now, series_id):
        _ask_for_first_training(settings, database, now, series_id)
        return True
    report = check_retrain.run(settings, database, now, series_id=series_id)
    print(report.as_text())
    rows = database.performance(series_id, since=now - timedelta(days=CHART_DAYS), until=now)
    summary.write(summary.check(report.as_json(), settings.series[series_id].unit, rows))
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
    """No champion, enough hours, none asked for today, and a GitHub to ask; a broken card is the check's to report."""
    try:
        missing = read_card(settings.model_directory(series_id)) is None
    except ModelError:
        return False
    if not missing or settings.environment.github_repository is None or settings.retrain.mode == "suggest":
        return False
    since = now - FIRST_AGAIN
    asked = any(check["dispatched"] for check in database.checks(series_id, since=since, before=now))
    known = database.reality(series_id, until=now, newest=FIRST_HOURS)
    enough = known is not None and len(known) >= FIRST_HOURS
    return enough and not asked and not database.training_runs(series_id, since=since)


def _ask_for_first_training(settings: Settings, database: Database, now: datetime, series_id: str) -> None:
    reasons = ["there is data and no champion"]
    check = check_retrain.Report(series_id, live_score([], []), Verdict("too few hours", False, reasons), True)
    database.store_check(check.as_row(now))  # before the deed: what cannot be remembered must not be repeated for ever
    github.dispatch_retrain(settings.environment, {"series": series_id, "reasons": reasons})
    summary.notice("First training", f"{series_id}: there is data and no champion, so a training was asked for")


def _forecast_by_service(settings: Settings, url: str, series_id: str) -> bool:
    report = service.forecast(url, series_id, settings.environment.api_key)
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


def run(settings: Settings, verb: str, now: datetime, wanted: Sequence[str]) -> list[str]:
    """Do it for each series. Returns those that failed."""
    succeeds = partial(_succeeds, verb, secrets=settings.environment.secrets())
    summary.write(f"## {verb}, {isoformat(now)}")
    url = os.environ.get("API_URL") if verb == "make_predictions" else None
    if url:
        by_service = partial(_forecast_by_service, settings, url)
        return [series_id for series_id in wanted if not succeeds(series_id, story=by_service)]
    with open_database(settings) as database:
        story = partial(VERBS[verb], settings, database, now)
        return [series_id for series_id in wanted if not succeeds(series_id, story=story)]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=list(VERBS))
    parser.add_argument("--series", default="", help="name of one [series.NAME] table (default, or empty: all)")
    arguments = parser.parse_args(argv)
    secrets: list[str] = []
    try:
        settings = load_settings()
        secrets = settings.environment.secrets()
        wanted = [settings.series_id(arguments.series)] if arguments.series else list(settings.series)
        now = datetime.now(UTC).replace(microsecond=0)
        return int(bool(run(settings, arguments.verb, now, wanted)))
    except ActioncastError as error:
        summary.failure(arguments.verb, masked(str(error), secrets))
        return 2 if isinstance(error, SettingsError) else 1


if __name__ == "__main__":
    sys.exit(main())

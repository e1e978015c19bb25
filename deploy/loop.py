"""The loop without a scheduler: ingest, train where there is no champion or a check asks for it, forecast, check.

    python -m deploy.loop               # once
    python -m deploy.loop --every 3600  # and again, each time so many seconds after the last round began
    python -m deploy.loop --due         # for GitLab CI and CircleCI: only the names of the series that want a training

Runs the scripts of the workflows, one after another, for each series of config.toml and of the table `series`. A script
that fails is reported and ends the round of its series; with --every the next round tries again. A training is due
where there is no champion or the check says so; --due prints one name a line.
Exit codes: 0 the round is done; 1 a script failed, or the database cannot be reached; 2 wrong flags, config.toml or
environment.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from actioncast.cli.script import ScriptError, parser, report_of
from actioncast.config import load_settings, with_rows
from actioncast.database.database import open_database
from actioncast.errors import ActioncastError
from actioncast.paths import CARD
from actioncast.redaction import masked
from actioncast.settings import Settings, SettingsError

Round = Callable[[Settings, str], None]  # of one series; raises ActioncastError when a script fails


def run_script(script: str, settings: Settings, series_id: str) -> dict[str, Any]:
    """Run one script; its report. Raises ScriptError when it fails."""
    print(f"== {script} {series_id}", file=sys.stderr)
    now = datetime.now(UTC).replace(microsecond=0)
    succeeded, report = report_of(script, settings, now, "--series", series_id)
    if not succeeded:
        reasons = "; ".join(report.get("reasons", []))
        raise ScriptError(f"{script}.py ended with a failure: {report.get('verdict')}: {reasons}")
    return report


def has_champion(settings: Settings, series_id: str) -> bool:
    return (settings.model_directory(series_id) / CARD).exists()


def is_bad(settings: Settings, series_id: str) -> bool:
    """Whether the check asks for a retrain."""
    report = run_script("check_retrain", settings, series_id)
    return bool(report.get("verdict") == "retrain")


def run_round(settings: Settings, series_id: str) -> None:
    """Bring one series up to date."""
    run_script("update_real_data", settings, series_id)
    if not has_champion(settings, series_id):
        run_script("train", settings, series_id)
    run_script("make_predictions", settings, series_id)
    if is_bad(settings, series_id):
        run_script("train", settings, series_id)
        run_script("make_predictions", settings, series_id)


def print_if_due(settings: Settings, series_id: str) -> None:
    """Print the name of a series that wants a training."""
    if not has_champion(settings, series_id) or is_bad(settings, series_id):
        print(series_id)


def run_all(settings: Settings, one_series: Round) -> int:
    """Do it for every series; a failure is reported, and stops no other. Returns the exit code."""
    try:
        with open_database(settings) as database:
            settings = with_rows(settings, database.series())
    except ActioncastError as error:
        return _report(error, settings)
    code = 0
    for series_id in settings.series:
        try:
            one_series(settings, series_id)
        except ActioncastError as error:
            code = max(code, _report(error, settings, series_id))
    return code


def _report(error: ActioncastError, settings: Settings, series_id: str = "") -> int:
    """Print the error without secrets. Returns the exit code that it deserves."""
    prefix = f"error: {series_id}: " if series_id else "error: "
    message = masked(str(error), settings.environment.secrets())
    print(f"{prefix}{message}", file=sys.stderr)
    return 2 if isinstance(error, SettingsError) else 1


def main(argv: Sequence[str] | None = None) -> int:
    flags = parser(__doc__)
    flags.add_argument(
        "--every",
        type=int,
        default=0,
        help="seconds between rounds (default: 0, one round)",
    )
    flags.add_argument(
        "--due",
        action="store_true",
        help="only print the series that want a training",
    )
    arguments = flags.parse_args(argv)
    one_series = print_if_due if arguments.due else run_round
    try:
        settings = load_settings()
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    while True:
        begun = time.monotonic()
        code = run_all(settings, one_series)
        if not arguments.every:
            return code
        elapsed = time.monotonic() - begun
        time.sleep(max(0.0, arguments.every - elapsed))


if __name__ == "__main__":
    sys.exit(main())

"""What every script does alike: flags, exit codes, one JSON object on stdout, logs on stderr.

With --json a failure is one JSON object too: {"outcome": "failed", "error": ...}.
Exit codes: 0 the job is done (its report says if there was nothing to do), 1 the job failed, 2 it
was asked wrongly (a flag, config.toml or the environment).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actioncast.config import load_settings, with_rows
from actioncast.database.database import Database, open_database
from actioncast.errors import ActioncastError
from actioncast.paths import DEFAULT_CONFIG, DEMO, ROOT
from actioncast.redaction import masked
from actioncast.report import Report
from actioncast.settings import Settings, SettingsError
from actioncast.times import ONE_HOUR, isoformat, parse_time

log = logging.getLogger("actioncast")
MANY_SERIES = 20  # of more than these the log does not show the settings of each


class ScriptError(ActioncastError):
    """A script ended without a report."""


Run = Callable[[argparse.Namespace, Settings], Report]
RunWithDatabase = Callable[[argparse.Namespace, Settings, Database], Report]
AddFlags = Callable[[argparse.ArgumentParser], None]


def run_script(
    argv: Sequence[str] | None,
    description: str | None,
    run: RunWithDatabase,
    add_flags: AddFlags | None = None,
) -> int:
    """Read the flags, open the database, run, print the report. Returns the exit code."""

    def run_with_database(arguments: argparse.Namespace, settings: Settings) -> Report:
        with open_database(settings) as database:
            settings = with_rows(settings, database.series())
            arguments.series = settings.series_id(arguments.series)
            return run(arguments, settings, database)

    return _run(argv, description, run_with_database, add_flags)


def run_without_database(
    argv: Sequence[str] | None,
    description: str | None,
    run: Run,
    add_flags: AddFlags | None = None,
) -> int:
    """Do the same for a script that does not touch the user's database, with the series of config.toml alone."""

    def run_with_series(arguments: argparse.Namespace, settings: Settings) -> Report:
        arguments.series = settings.series_id(arguments.series)
        return run(arguments, settings)

    return _run(argv, description, run_with_series, add_flags)


def _run(argv: Sequence[str] | None, description: str | None, run: Run, add_flags: AddFlags | None) -> int:
    arguments = _script_parser(description, add_flags).parse_args(argv)
    _start_logging()
    secrets: list[str] = []
    try:
        settings = load_settings(arguments.config)
        secrets = settings.environment.secrets()
        clock = datetime.now(UTC).replace(microsecond=0)
        arguments.now = arguments.now or clock
        arguments.time_travel = abs(clock - arguments.now) > ONE_HOUR
        _log_settings(settings)
        report = run(arguments, settings)
    except ActioncastError as error:
        message = masked(str(error), secrets)
        print(f"error: {message}", file=sys.stderr)
        if arguments.json:
            print(json.dumps({"outcome": "failed", "error": message}))
        return 2 if isinstance(error, SettingsError) else 1
    print(json.dumps(report.as_json()) if arguments.json else report.as_text())
    return int(report.failed)


def _log_settings(settings: Settings) -> None:
    """What differs from the defaults, into the log of a job that debugs: GitHub's "Enable debug logging"."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    excluded = {"series"} if len(settings.series) > MANY_SERIES else None
    stated = settings.model_dump(mode="json", exclude=excluded, exclude_defaults=True)
    for name, value in stated.items():
        log.debug("settings %s %s", name, json.dumps(value))


def report_of(script: str, settings: Settings, now: datetime, *flags: str) -> tuple[bool, dict[str, Any]]:
    """Run a script in a process of its own: (exit code 0, its JSON); its log goes where ours goes.

    Raises ScriptError when all it reports is an error.
    """
    import subprocess

    path = ROOT / f"{script}.py"
    config = settings.folder / "config.toml"
    command = [
        sys.executable,
        str(path),
        "--config",
        str(config),
        *flags,
        "--now",
        isoformat(now),
        "--json",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise ScriptError(f"{script}.py ended with exit code {done.returncode} and no report; see the log") from None
    if "error" in report:
        raise ScriptError(str(report["error"]))
    return done.returncode == 0, report


def _start_logging() -> None:
    """Send logs to stderr. urllib3 stays silent about its retries: it would write whole URLs, keys included."""
    log.setLevel(logging.DEBUG if os.environ.get("RUNNER_DEBUG") == "1" else logging.NOTSET)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr, force=True)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser whose --help shows a docstring as it is written."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_demo_flag(flags: argparse.ArgumentParser) -> None:
    """Add --demo [FOLDER]: a rehearsal, as of its end, instead of the user's own series."""
    flags.add_argument(
        "--demo",
        type=Path,
        nargs="?",
        const=DEMO,
        metavar="FOLDER",
        help="the rehearsal in demo/, or in another folder, as of its end, instead of your own series",
    )


def _script_parser(description: str | None, add_flags: AddFlags | None) -> argparse.ArgumentParser:
    """A parser with the flags of every script, and those of this one."""
    flags = parser(description)
    flags.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="settings file (default: config.toml)")
    flags.add_argument("--series", help="name of a [series.NAME] table or of a row of series (default: the first)")
    flags.add_argument("--now", type=parse_time, help="act as at this moment, ISO 8601 (UTC without an offset)")
    flags.add_argument("--json", action="store_true", help="one JSON object on stdout instead of text")
    if add_flags:
        add_flags(flags)
    return flags

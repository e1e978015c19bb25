"""Compare trainings: what a change of training code does to the forecasts, before it is merged.

Trains the last commit of this branch and its base on the same hours, from the same origins and out
of sample, compares leaderboards, and scores the champion that serves now beside this branch's
challenger. The hours are those of the database beside config.toml, or of the bundled recording while
these are too few for a first training. Nothing is promoted or committed.

    python compare_training.py --base origin/HEAD --output report.md

Reads the git history; writes the report, also to the step summary.
Exit codes: 0 compared; 1 this branch does not train; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from shutil import copy2
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from actioncast.cli.script import run_without_database
from actioncast.database.database import open_database
from actioncast.errors import ActioncastError
from actioncast.github import summary
from actioncast.github.git import git
from actioncast.periods.grid import to_periods
from actioncast.rehearsal.world import replay
from actioncast.settings import Settings
from actioncast.times import ONE_HOUR, isoformat
from actioncast.training.comparison import Training, TrainingComparison

TIMEOUT_SECONDS = 900  # of one training
SHOWN_CHARACTERS = 2000  # of the end of a training's log
LONGEST_COMMENT = 65_000  # characters; GitHub refuses a comment of more than 65,536


class TrainingFailedError(ActioncastError):
    """One of the two commits does not train."""


def run(settings: Settings, now: datetime, *, series_id: str, base: str, output: Path | None) -> TrainingComparison:
    """Check out both commits, train both on the same data, compare."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        until = _put_periods(settings, folder / "data.db", now, series_id=series_id)
        branch = _train(settings, "HEAD", folder, series_id=series_id, until=until)
        try:
            base_training = _train(settings, base, folder, series_id=series_id, until=until)
        except TrainingFailedError as error:
            print(f"::warning title=The base does not train::{error}", file=sys.stderr)
            base_training = None
    comparison = TrainingComparison(
        series=series_id,
        unit=settings.series[series_id].unit,
        branch=branch,
        base=base_training,
    )
    summary.write(comparison.as_text())
    if output:
        output.write_text(comparison.as_text()[:LONGEST_COMMENT], encoding="utf-8")
    return comparison


def _put_periods(settings: Settings, path: Path, now: datetime, *, series_id: str) -> datetime:
    """Write the hours to a SQLite file; returns the moment at which both commits train."""
    environment = settings.environment.model_copy(update={"database_url": SecretStr(f"sqlite:///{path}")})
    settings = settings.model_copy(update={"environment": environment})
    stored = settings.folder / "actioncast.db"
    if stored.is_file():
        copy2(stored, path)
        if _enough_periods(settings, now, series_id=series_id):
            return now
        path.unlink()
    points = replay.read_recording()
    _, last_point = replay.first_and_last(points)
    until = last_point + ONE_HOUR
    hours = to_periods(points, minimum_points=3, scale=3600, since=None, now=until)
    run_row = {
        "run_id": "recording",
        "series_id": series_id,
        "started_at": until,
        "finished_at": until,
        "points_read": len(points.times),
        "points_rejected": 0,
        "periods_missing": 0,
        "message": "",
    }
    with open_database(settings) as database:
        database.load_periods(series_id, hours, until, run_row)
    return until


def _enough_periods(settings: Settings, now: datetime, *, series_id: str) -> bool:
    """Whether the series is stored, and for as long as a first training needs."""
    series = settings.series[series_id]
    enough = series.defaults.first_training.periods(series.frequency)
    with open_database(settings) as database:
        history = database.reality(series_id, until=now, newest=enough, timeline=series.timeline)
    return history is not None and len(history) >= enough


def _train(settings: Settings, commit: str, folder: Path, *, series_id: str, until: datetime) -> Training:
    """Run train.py of a commit on the data in `folder`. Raises TrainingFailedError."""
    sha = git(settings.folder, "rev-parse", commit)
    tree = folder / f"tree-{sha[:12]}"
    git(settings.folder, "worktree", "add", "--detach", "--quiet", str(tree), commit)
    try:
        done = subprocess.run(
            [sys.executable, "train.py", "--json", "--series", series_id, "--now", isoformat(until)],
            cwd=tree,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{folder / 'data.db'}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    finally:
        git(settings.folder, "worktree", "remove", "--force", str(tree))
    if done.returncode:
        raise TrainingFailedError(f"{commit}: {done.stderr.strip()[-SHOWN_CHARACTERS:]}")
    last_line = done.stdout.strip().splitlines()[-1]
    training: Training = json.loads(last_line)
    return training


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base", default="origin/HEAD", help="commit to compare with (default: origin/HEAD, the default branch)"
    )
    parser.add_argument("--output", type=Path, help="also write the report to this file")


def _run(arguments: argparse.Namespace, settings: Settings) -> TrainingComparison:
    return run(
        settings,
        arguments.now,
        series_id=arguments.series,
        base=arguments.base,
        output=arguments.output,
    )


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(argv, __doc__, _run, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

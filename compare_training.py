"""Model report: what a change of training code does to the forecasts, before it is merged.

Trains the last commit of this branch and its base on the same hours, from the same origins and out of sample, compares
leaderboards, and scores the champion that serves now beside this branch's challenger. The hours are those of the
database beside config.toml, else of the bundled recording. Nothing is promoted or committed.

    python compare_training.py --base origin/main --output report.md

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
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copy2
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr

from actioncast.cli.script import run_without_database
from actioncast.database.database import open_database
from actioncast.errors import ActioncastError
from actioncast.github import summary
from actioncast.github.git import git
from actioncast.hours import to_hours
from actioncast.rehearsal.world import replay
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.times import isoformat

TIMEOUT_SECONDS = 900
SHOWN = 12
LONGEST_COMMENT = 65_000  # characters; GitHub refuses a comment of more than 65,536


class ReportError(ActioncastError):
    """One side does not train."""


@dataclass(frozen=True)
class TrainingComparison:
    """Both sides' outcomes as train.py --json prints them; `base` is None when it does not train."""

    series: str
    unit: str
    branch: dict[str, Any]
    base: dict[str, Any] | None
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"series": self.series, "branch": self.branch, "base": self.base}

    def as_text(self) -> str:
        before = {row["candidate"]: row["mae"] for row in (self.base or {"leaderboard": []})["leaderboard"]}
        board = self.branch["leaderboard"]
        names, errors = [row["candidate"] for row in board[:SHOWN]], [row["mae"] for row in board[:SHOWN]]
        rows = [
            [i, name, before.get(name), error, _change(before.get(name), error)]
            for i, (name, error) in enumerate(zip(names, errors, strict=True), 1)
        ]
        bars = {"base: best": min(before.values())} if before else {}
        bars |= dict(zip(names[:6], errors, strict=False))
        return "\n\n".join(
            [
                f"## Model report: {self.series}",
                self._headline(before),
                f"The champion that serves, on the gate's hours: {self.branch['verdict']}: {self.branch['reason']}",
                table(["rank", "candidate", f"base MAE, {self.unit}", "this branch", "change"], rows),
                summary.bar_chart("Backtest error, out of sample", bars, self.unit),
            ]
        )

    def _headline(self, before: dict[str, float]) -> str:
        best = self.branch["leaderboard"][0]
        if not before:
            return f"Best of this branch: **{best['candidate']}**, {best['mae']:,.4g}. The base does not train."
        name = min(before, key=lambda candidate: before[candidate])
        change = _change(before[name], best["mae"])
        after = f"**{best['mae']:,.4g}** ({best['candidate']})"
        return f"Best error **{before[name]:,.4g}** ({name}) → {after}: **{change}**"


def _change(before: float | None, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else "new"


def run(settings: Settings, now: datetime, *, series_id: str, base: str, output: Path | None) -> TrainingComparison:
    """Check out both sides, train both on the same data, compare."""
    with TemporaryDirectory() as place:
        until = _prepare(settings, series_id, Path(place) / "data.db", now)
        branch = _side(settings.folder, Path(place), "HEAD", series_id, until)
        try:
            before: dict[str, Any] | None = _side(settings.folder, Path(place), base, series_id, until)
        except ReportError as error:
            print(f"::warning title=The base does not train::{error}", file=sys.stderr)
            before = None
    report = TrainingComparison(series_id, settings.series[series_id].unit, branch, before)
    summary.write(report.as_text())
    if output:
        output.write_text(report.as_text()[:LONGEST_COMMENT], encoding="utf-8")
    return report


def _prepare(settings: Settings, series_id: str, data: Path, now: datetime) -> datetime:
    """Put the hours into `data`; returns the moment at which both sides train."""
    stored = settings.folder / "actioncast.db"
    if stored.is_file():
        copy2(stored, data)
        return now
    points = replay.read_recording()
    until = replay.first_and_last(points)[1] + timedelta(hours=1)
    hours = to_hours(points, minimum_points=3, scale=3600, since=None, now=until)
    run_row = {"run_id": "recording", "series_id": series_id, "started_at": until, "finished_at": until}
    counts = {"points_read": len(points.times), "points_rejected": 0, "hours_missing": 0, "message": ""}
    environment = settings.environment.model_copy(update={"database_url": SecretStr(f"sqlite:///{data}")})
    with open_database(settings.model_copy(update={"environment": environment})) as database:
        database.load_hours(series_id, hours, until, run_row | counts)
    return until


def _side(folder: Path, place: Path, commit: str, series_id: str, until: datetime) -> dict[str, Any]:
    """What train.py of this commit says about the data in `place`."""
    tree = place / f"tree-{git(folder, 'rev-parse', commit)[:12]}"
    git(folder, "worktree", "add", "--detach", "--quiet", str(tree), commit)
    command = [sys.executable, "train.py", "--json", "--series", series_id, "--now", isoformat(until)]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{place / 'data.db'}"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
        )
    finally:
        git(folder, "worktree", "remove", "--force", str(tree))
    if done.returncode:
        raise ReportError(f"{commit}: {done.stderr.strip()[-2000:]}")
    outcome: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return outcome


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", default="origin/main", help="commit to compare with (default: origin/main)")
    parser.add_argument("--output", type=Path, help="also write the report to this file")


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(
        argv,
        __doc__,
        lambda arguments, settings: run(
            settings, arguments.now, series_id=arguments.series, base=arguments.base, output=arguments.output
        ),
        _add_flags,
    )


if __name__ == "__main__":
    sys.exit(main())

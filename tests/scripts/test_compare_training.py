"""The model report on a repository of two commits, whose training is a stub."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import compare_training
from actioncast.database.database import open_database
from actioncast.github.git import git
from actioncast.periods.grid import Periods
from actioncast.times import HOUR, floor_hour, to_seconds
from tests.support.rows import run_row, settings_for
from tests.support.series import seasonal

CONFIG = '[series.demo]\nsource = { kind = "file", path = "x.csv" }\nunit = "x"\n'
TRAIN = """
import json, os, sqlite3, sys
assert sys.argv[1:5] == ["--json", "--series", "demo", "--now"]
hours = sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///")).execute("select count(*) from reality")
board = [{"candidate": "ridge", "mae": %s, "mase": 1.0}]
print(json.dumps({"leaderboard": board, "verdict": "kept", "reason": f"{hours.fetchone()[0]} hours"}))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """HEAD errs by 90, the commit before by 100."""
    folder = tmp_path / "project"
    git(tmp_path, "init", "--quiet", str(folder))
    (folder / "config.toml").write_text(CONFIG)
    for error in ("100.0", "90.0"):
        (folder / "train.py").write_text(TRAIN % error)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", error)
    return folder


def store_periods(project: Path, count: int, *, series_id: str = "demo") -> None:
    """Put a database with so many hours, the last of which has just ended, beside config.toml."""
    now = floor_hour(datetime.now(UTC))
    starts = to_seconds(now) - HOUR * np.arange(count, 0, -1)
    stored = Periods(starts, seasonal(count), np.full(count, 1))
    with open_database(settings_for(f"sqlite:///{project / 'actioncast.db'}")) as database:
        database.load_periods(series_id, stored, now, run_row(series_id=series_id, outcome="loaded"))


def test_both_sides_train_on_the_bundled_recording(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.md"
    flags = ["--config", str(project / "config.toml"), "--base", "HEAD~1", "--output", str(output)]
    assert compare_training.main(flags) == 0
    text = output.read_text()
    assert "Best error **100** (ridge) → **90** (ridge): **-10.0%**" in text
    assert "kept: 11" in text, "of 1,128 recorded hours some lack points"
    assert git(project, "worktree", "list").count("\n") == 0, "nothing is left behind"


def test_stored_hours_are_preferred_and_a_base_that_fails_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_periods(project, 600)
    git(project, "rm", "--quiet", "train.py")
    git(project, "commit", "--quiet", "--message", "no training")
    (project / "train.py").write_text(TRAIN % "90.0")
    git(project, "add", "train.py")
    git(project, "commit", "--quiet", "--message", "training again")
    assert compare_training.main(["--config", str(project / "config.toml"), "--base", "HEAD~1"]) == 0
    told = capsys.readouterr()
    assert "kept: 600 hours" in told.out
    assert "The base does not train" in told.out
    assert "::warning title=The base does not train" in told.err


@pytest.mark.parametrize(("series_id", "hours"), [("demo", 30), ("another", 600)])
def test_a_young_or_renamed_series_is_compared_on_the_bundled_recording(
    project: Path, capsys: pytest.CaptureFixture[str], series_id: str, hours: int
) -> None:
    store_periods(project, hours, series_id=series_id)
    assert compare_training.main(["--config", str(project / "config.toml"), "--base", "HEAD~1"]) == 0
    assert "kept: 11" in capsys.readouterr().out


def test_a_branch_that_does_not_train_fails(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "train.py").write_text("raise SystemExit('broken')")
    git(project, "commit", "--quiet", "--all", "--message", "broken")
    assert compare_training.main(["--config", str(project / "config.toml"), "--base", "HEAD~1"]) == 1
    assert "broken" in capsys.readouterr().err


def test_the_report_fits_a_comment(project: Path, tmp_path: Path) -> None:
    endless = (TRAIN % "90.0").replace(' hours"', ' hours" + 70_000 * "!"')
    (project / "train.py").write_text(endless)
    git(project, "commit", "--quiet", "--all", "--message", "endless")
    output = tmp_path / "report.md"
    flags = ["--config", str(project / "config.toml"), "--base", "HEAD~1", "--output", str(output)]
    assert compare_training.main(flags) == 0
    assert len(output.read_text()) == compare_training.LONGEST_COMMENT

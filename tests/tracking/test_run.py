"""What a training run holds."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from actioncast.tracking.run import TrainingRun, git_sha, library_versions

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["started_at", "finished_at", "window_start", "window_end"])
def test_a_time_without_a_zone_is_refused(name: str, run: TrainingRun) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected an aware UTC time, got 2026-01-01T00:00:00"):
        replace(run, **{name: datetime(2026, 1, 1)})  # type: ignore[arg-type]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("verdict", "champion", "challenger", "expected"),
    [
        ("promoted", {"version": "1"}, {"version": "2"}, "2"),
        ("kept", {"version": "1"}, {"version": "2"}, "1"),
        ("promoted", {"version": "2"}, {"name": "ridge"}, "2"),
        ("kept", None, {"version": "2"}, None),
    ],
)
def test_version_is_the_one_that_serves(
    verdict: Any, champion: Any, challenger: Any, expected: str | None, run: TrainingRun
) -> None:
    assert replace(run, verdict=verdict, champion=champion, challenger=challenger).version == expected


def test_library_versions_skips_what_is_absent() -> None:
    assert library_versions(["pytest", "no-such-package"]) == {"pytest": pytest.__version__}


def test_git_sha(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_sha(tmp_path) is None, "outside git"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert git_sha(tmp_path) is None, "no commit yet"
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "log", "-1", "--format=%H"], check=True, capture_output=True, text=True).stdout.strip()
    assert git_sha(tmp_path) == head
    monkeypatch.setenv("GITHUB_SHA", "f" * 40)
    assert git_sha(tmp_path) == "f" * 40
    monkeypatch.delenv("GITHUB_SHA")
    monkeypatch.setenv("PATH", "")
    assert git_sha(tmp_path) is None, "no git"

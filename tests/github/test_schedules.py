"""Schedules stay on: against the local GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actioncast.github import schedules
from actioncast.github.api import Api
from tests.workflows.github_stand_in import GitHub

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FILES = {
    "load.yml": "on:\n  schedule:\n    - cron: '7 * * * *'\njobs: {a: {}}\n",
    "retrain.yml": "on:\n  workflow_dispatch:\njobs: {a: {}}\n",
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """Two workflows, in the repository and in the checkout `tmp_path`."""
    folder = tmp_path / schedules.FOLDER
    folder.mkdir(parents=True)
    with GitHub(tmp_path / "github") as stand_in:
        for name, text in FILES.items():
            (folder / name).write_text(text)
        stand_in.repository.commit({f".github/workflows/{name}": text for name, text in FILES.items()})
        yield stand_in


def keep_on(github: GitHub, folder: Path, quiet_days: float) -> list[str]:
    token = github.issue_token({"actions": "write"}).value
    api = Api(github.api_url, github.full_name, token)
    return schedules.keep_on(api, folder, commit=NOW - timedelta(days=quiet_days), now=NOW)


def enabled(github: GitHub) -> int:
    return sum(request.method == "PUT" for request in github.requests)


def test_what_github_has_disabled_is_enabled_and_what_a_person_has_is_not(github: GitHub, tmp_path: Path) -> None:
    github.workflow_states = {"load.yml": "disabled_inactivity", "retrain.yml": "disabled_manually"}
    actions = keep_on(github, tmp_path, quiet_days=1)
    assert sorted(actions) == [
        "load.yml was disabled_inactivity: enabled again",
        "retrain.yml was disabled_manually: left disabled",
    ]
    assert github.workflow_states == {"load.yml": "active", "retrain.yml": "disabled_manually"}


@pytest.mark.parametrize(
    ("private", "quiet_days", "puts"),
    [(False, 1, 0), (False, 44, 0), (False, 46, 1), (True, 46, 0)],
)
def test_schedules_of_a_quiet_public_repository_are_enabled_anew(
    github: GitHub, tmp_path: Path, private: bool, quiet_days: float, puts: int
) -> None:
    github.private = private
    actions = keep_on(github, tmp_path, quiet_days)
    assert enabled(github) == puts, "only load.yml has a schedule"
    assert actions == ["no commit for 46 days: 1 schedules were enabled anew"] * puts


def test_a_workflow_without_a_file_or_a_schedule_is_not_scheduled(github: GitHub, tmp_path: Path) -> None:
    files = ("load.yml", "retrain.yml", "none.yml")
    assert [schedules.is_scheduled(tmp_path, file) for file in files] == [True, False, False]


def test_the_last_commit_is_the_one_checked_out() -> None:
    root = Path(__file__).resolve().parents[2]
    assert datetime(2026, 1, 1, tzinfo=UTC) < schedules.last_commit(root)

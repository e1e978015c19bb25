"""Incidents against the local GitHub: one issue per title, nothing secret in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from actioncast.github import incidents
from actioncast.github.api import Api
from tests.workflows.github_stand_in import GitHub

MAY = {"issues": "write"}


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with GitHub(tmp_path / "github") as stand_in:
        monkeypatch.setenv("GITHUB_REPOSITORY", stand_in.full_name)
        monkeypatch.setenv("GITHUB_API_URL", stand_in.api_url)
        monkeypatch.setenv("GITHUB_TOKEN", stand_in.issue_token(MAY).value)
        monkeypatch.setenv("GITHUB_RUN_ID", "77")
        yield stand_in


def titles(github: GitHub, state: str) -> list[str]:
    return [issue["title"] for issue in github.issues.values() if issue["state"] == state]


def test_one_issue_however_often_it_fails_and_recovery_closes_it(github: GitHub, tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    for line in ("first", "second"):
        log.write_text(f"{line}\n")
        assert incidents.main(["etl", "failure", "--log", str(log)]) == 0
    assert titles(github, "open") == ["etl is failing"]
    assert "second" in github.issues[1]["body"]
    assert "/actions/runs/77" in github.issues[1]["body"]
    assert incidents.main(["etl", "cancelled"]) == 0
    assert incidents.main(["other", "success"]) == 0
    assert titles(github, "open") == ["etl is failing"]
    assert incidents.main(["etl", "success"]) == 0
    assert titles(github, "closed") == ["etl is failing"]
    assert incidents.main(["etl", "failure"]) == 0
    assert titles(github, "open") == ["etl is failing"], "a new failure is a new issue"


def test_recovery_closes_all_that_runs_of_the_same_moment_have_opened(github: GitHub) -> None:
    for _ in range(2):
        Api.of(os.environ).call("POST", "/issues", {"title": "etl is failing", "labels": [incidents.LABEL]})
    assert incidents.main(["etl", "success"]) == 0
    assert titles(github, "open") == []


@pytest.mark.parametrize(
    "line",
    [
        "could not connect to postgresql://app:hunter2hunter2@db/x",
        "Authorization: Bearer hunter2hunter2",
        "API_KEY=hunter2hunter2",
        '{"password": "hunter2hunter2"}',
        "ghs_hunter2hunter2",
    ],
)
def test_what_looks_like_a_credential_is_not_in_the_issue(line: str) -> None:
    body = incidents.job_body("etl", ["before", line, "after"], "run")
    assert "hunter2" not in body
    assert "before" in body
    assert "after" in body


def test_a_log_cannot_break_out_of_its_fence_or_grow_over_the_limit() -> None:
    body = incidents.job_body("etl", ["x" * 100_000, "~~~~", "# not a title"], "run")
    assert body.count("~~~~") == 2
    assert len(body) < 65_536


def test_without_permission_it_says_so_and_fails(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"contents": "write"}).value)
    assert incidents.main(["etl", "failure"]) == 1
    assert "permissions" in capsys.readouterr().out

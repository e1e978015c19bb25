"""A newer release of the template is said by one issue, in a copy and against the local GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actioncast.github.api import Api
from actioncast.github.incidents import NOTHING, Incidents
from actioncast.github.release_notice import TITLE, is_due, look
from actioncast.github.releases import VERSION_FILE
from tests.workflows.github_stand_in import GitHub

NOW = datetime(2026, 11, 23, 0, 7, tzinfo=UTC)  # a Monday


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A copy of v0.2.0, whose template has a newer release."""
    (tmp_path / VERSION_FILE).write_text("0.2.0\n")
    with GitHub(tmp_path / "github") as stand_in:
        stand_in.template = "acme/actioncast"
        stand_in.template_tags = ["v0.1.0", "v0.2.0", "v0.3.0"]
        yield stand_in


def looked(github: GitHub, folder: Path) -> str:
    token = github.issue_token({"issues": "write", "contents": "read"}).value
    api = Api(github.api_url, github.full_name, token, pauses=())
    return look(api, Incidents(api, now=NOW), folder)


def open_issues(github: GitHub) -> list[str]:
    return [issue["title"] for issue in github.issues.values() if issue["state"] == "open"]


def test_one_look_a_week_at_a_watch_that_looks_twice_a_day() -> None:
    looks = [NOW + timedelta(hours=12 * number, minutes=40) for number in range(28)]
    assert sum(is_due(moment) for moment in looks) == 2


def test_one_issue_says_which_release_is_out_and_how_to_upgrade(github: GitHub, tmp_path: Path) -> None:
    assert looked(github, tmp_path) == f"opened issue #1: {TITLE}"
    body = github.issues[1]["body"]
    assert body.startswith("Actioncast v0.3.0 is out; this copy is of v0.2.0.")
    assert f"python upgrade.py --template {github.url}/acme/actioncast\n" in body
    assert looked(github, tmp_path) == NOTHING
    assert (len(github.issues), len(github.comments)) == (1, 0)
    github.template_tags.append("v0.4.0")
    assert looked(github, tmp_path) == f"updated issue #1: {TITLE}"
    assert github.issues[1]["body"].startswith("Actioncast v0.4.0")


def test_the_upgrade_closes_it(github: GitHub, tmp_path: Path) -> None:
    looked(github, tmp_path)
    (tmp_path / VERSION_FILE).write_text("0.3.0\n")
    assert looked(github, tmp_path) == f"closed issue #1: {TITLE}"
    assert looked(github, tmp_path) == NOTHING
    assert open_issues(github) == []


def test_a_look_takes_two_requests_beside_the_list_of_issues(github: GitHub, tmp_path: Path) -> None:
    (tmp_path / VERSION_FILE).write_text("0.3.0\n")
    looked(github, tmp_path)
    paths = [request.path.rpartition("/repos/")[2] for request in github.requests]
    assert paths == [github.full_name, "acme/actioncast/tags", f"{github.full_name}/issues"]


def test_the_template_itself_gets_no_issue(github: GitHub, tmp_path: Path) -> None:
    github.is_template = True
    assert "this is the template" in looked(github, tmp_path)
    assert github.issues == {}


def test_the_address_in_the_version_file_is_the_one_that_is_asked(github: GitHub, tmp_path: Path) -> None:
    (tmp_path / VERSION_FILE).write_text("0.3.0\nhttps://github.invalid/acme/actioncast.git\n")
    assert looked(github, tmp_path) == NOTHING
    assert [request.path for request in github.requests][1].endswith("/repos/acme/actioncast/tags")


def test_a_copy_that_was_not_made_by_the_button_says_what_is_missing(github: GitHub, tmp_path: Path) -> None:
    github.template = ""
    assert "GitHub names no template, nor does .actioncast-version" in looked(github, tmp_path)


@pytest.mark.parametrize("content", ["0.2.0\nhttps://github.invalid/acme/private\n", "<<<<<<< HEAD\n"])
def test_what_cannot_be_looked_up_is_a_sentence(github: GitHub, tmp_path: Path, content: str) -> None:
    (tmp_path / VERSION_FILE).write_text(content)
    assert "could not look for a newer release" in looked(github, tmp_path)
    assert github.issues == {}

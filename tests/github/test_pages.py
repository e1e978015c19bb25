"""Is GitHub Pages switched on?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actioncast.github import pages
from tests.workflows.github_stand_in import GitHub


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with GitHub(tmp_path / "github") as stand_in:
        monkeypatch.setenv("GITHUB_API_URL", stand_in.api_url)
        monkeypatch.setenv("GITHUB_REPOSITORY", stand_in.full_name)
        monkeypatch.setenv("GITHUB_TOKEN", stand_in.issue_token({"pages": "write"}).value)
        monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
        yield stand_in


def test_a_site_is_on_and_nothing_is_said(github: GitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pages.main() == 0
    assert (tmp_path / "output").read_text() == "on=true\n"
    assert capsys.readouterr().out == ""


def test_no_site_is_a_notice_that_says_where_to_switch_it_on(
    github: GitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pages_on = False
    assert pages.main() == 0
    assert (tmp_path / "output").read_text() == "on=false\n"
    assert capsys.readouterr().out.startswith("::notice title=Not published::Pages is switched off")


def test_a_refusal_fails_and_says_what_is_missing(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"issues": "write"}).value)
    assert pages.main() == 1
    assert "check the job's `permissions:`" in capsys.readouterr().out

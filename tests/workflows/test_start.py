"""The button that starts a copy, and its first push."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.checkout import SERIES, shipped_files

from . import project
from .act_records import Run
from .clock import Clock
from .copies import BRANCH, new_copy, own_hours
from .github_stand_in import GitHub
from .project import SMALL, edited

PICTURE = "\nxychart-beta\n"


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    """A copy of the template as it is after "Use this template", but with trainings that take a second."""
    with new_copy(tmp_path / "github") as github:
        files = shipped_files()
        small = edited(files["config.toml"].read_text(encoding="utf-8"), SMALL)
        github.repository.commit({**files, "config.toml": small}, "Initial commit")
        yield Clock(github, environment=project.environment())


def open_issues(github: GitHub) -> list[str]:
    return [issue["title"] for issue in github.issues.values() if issue["state"] == "open"]


def assert_started(run: Run, github: GitHub) -> None:
    run.check()
    assert run.summary.startswith("# Your forecasts are running\n\n### Bitcoin transactions entering the mempool (re")
    assert PICTURE in run.summary
    assert "every hour, about :17" in run.summary
    assert f"/acme/load-forecasts/edit/{BRANCH}/config.toml)" in run.summary
    assert github.repository.log()[0].subject.startswith("Promote ")
    assert f"model/{SERIES}/card.json" in github.repository.files()
    assert github.repository.sha("refs/heads/state")
    assert open_issues(github) == []


def test_fresh_copy_starts_by_one_button_and_pressing_again_does_no_harm(clock: Clock) -> None:
    github = clock.github
    assert_started(clock.press("start.yml"), github)
    champion = github.repository.sha()
    again = clock.press("start.yml").check()
    assert again.summary.startswith("# Everything is running already: nothing was trained")
    assert "no series waits for its first training" in again.log
    assert github.repository.sha() == champion
    for file in ("update_real_data.yml", "make_predictions.yml", "check_freshness.yml"):
        clock.tick(file).check()
    assert open_issues(github) == []


def test_a_series_is_added_by_the_button(clock: Clock) -> None:
    github = clock.github
    clock.press("start.yml").check()
    github.repository.commit({"data/load.csv": own_hours(datetime.now(UTC))}, "Our hours")
    asked = clock.press("start.yml", {"source": "data/load.csv", "answers": "--name load --unit MWh"}).check()
    assert "load: written to config.toml" in asked.log
    assert "[series.load]" in github.repository.read("config.toml").decode()
    assert "model/load/card.json" in github.repository.files()
    assert "### load" in asked.summary
    assert open_issues(github) == []


def test_first_push_of_a_copy_starts_it(clock: Clock) -> None:
    assert_started(clock.push("start.yml"), clock.github)
    clock.github.repository.commit({"notes.md": "ours\n"}, "Notes")
    clock.push("start.yml", may_skip_all=True).check("skipped")


def test_template_itself_is_not_started(tmp_path: Path) -> None:
    with GitHub(tmp_path / "github", is_template=True) as github:
        github.repository.commit(shipped_files(), "Initial commit")
        Clock(github).push("start.yml", may_skip_all=True).check("skipped")

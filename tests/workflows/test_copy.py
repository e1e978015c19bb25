"""The CI of a copy: another default branch, a series, a module and features of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import copies, project
from .act_records import Run
from .clock import Clock
from .copies import OWN_FUNCTION
from .github_stand_in import GitHub


@pytest.fixture
def copy_clock(copy: GitHub) -> Clock:
    return Clock(copy, environment=project.environment())


def skipped_jobs(run: Run) -> list[str]:
    return sorted({job.id for job in run.jobs if job.conclusion == "skipped"})


def new_branch(copy: GitHub, name: str) -> None:
    copy.repository.git("update-ref", f"refs/heads/{name}", str(copy.repository.sha()))


def test_a_copy_with_a_series_and_a_champion_of_its_own_is_green(
    copy_clock: Clock, copy: GitHub, tmp_path: Path
) -> None:
    copies.make_copy(copy)
    (tmp_path / "training").mkdir()
    copies.promote_champion(copy, tmp_path / "training")
    run = copy_clock.push("ci.yml").check()
    assert skipped_jobs(run) == ["check", "report", "test"], "the template's own jobs"
    assert "load: ridge" in run.log, "the champion has been loaded"
    assert "Live error over 24 periods" in run.log, "a day was rehearsed"
    assert "champion's backtest error" in run.log
    assert "| MAE, MWh |" in run.log.replace("  ", " "), "of the copy's own file"


def test_an_unknown_key_is_red_and_named(copy_clock: Clock, copy: GitHub) -> None:
    copies.make_copy(copy)
    text = copy.repository.read("config.toml").decode().replace("gate_margin", "gate_marging")
    copy.repository.commit({"config.toml": text}, "A slip of the pen")
    run = copy_clock.push("ci.yml").check("failure")
    assert "unknown key train.gate_marging; allowed here: " in run.log
    assert "unknown key train.gate_marging" in run.summary


def test_a_broken_champion_and_an_error_in_a_module_are_red_and_named(copy_clock: Clock, copy: GitHub) -> None:
    copies.make_copy(copy, source=OWN_FUNCTION)
    broken: copies.FILES = {
        "model/load/card.json": "{}",
        "my_source.py": copies.OWN_MODULE.replace("import csv\n", ""),
    }
    copy.repository.commit(broken, "By hand")
    run = copy_clock.push("ci.yml").check("failure")
    assert "The champion of load does not load" in run.summary
    assert "The linter has found errors" in run.summary
    assert "Undefined name `csv`" in run.log
    assert "load has no file of its own: the bundled recording is replayed" in run.log


def test_a_push_to_another_branch_starts_no_job(copy_clock: Clock, copy: GitHub) -> None:
    copies.make_copy(copy)
    new_branch(copy, "notes")
    copy.repository.commit({"notes.txt": "x"}, "Notes", branch="notes")
    run = copy_clock.push("ci.yml", branch="notes", may_skip_all=True)
    assert run.conclusion == "skipped"


def test_a_pull_request_that_renames_the_series_is_checked_and_compared(copy_clock: Clock, copy: GitHub) -> None:
    copies.make_copy(copy)
    text = copy.repository.read("config.toml").decode().replace("[series.load]", "[series.plant]")
    new_branch(copy, "rename")
    copy.repository.commit({"config.toml": text}, "A better name", branch="rename")
    run = copy_clock.pull_request("ci.yml", copy.open_pull("rename")).check()
    assert skipped_jobs(run) == ["check", "test"]
    comment = next(iter(copy.comments.values()))["body"]
    assert "## Model report: plant" in comment
    assert "The base does not train." in comment

"""Runs that wait for each other: one that waited behind a promotion works on what the promotion left."""

from __future__ import annotations

import json
import threading
import time

import pytest

from actioncast.rehearsal.world.replay import ReplayServer
from tests.support.checkout import SERIES

from . import project
from .act_records import Run
from .clock import Clock
from .github_stand_in import GitHub
from .project import Trained
from .workflow_file import Concurrency

DATA = Concurrency("data", keep_all_pending=True)
SECONDS = 240  # for the runs that wait


@pytest.fixture(autouse=True)
def _fast(clock: Clock) -> None:
    clock.environment = project.environment()


def run_behind_each_other(clock: Clock, github: GitHub, *files: str) -> list[Run]:
    """The runs of these files, whose events all came before the first of them could start."""
    assert github.groups.enter(DATA, 0)
    threads = []
    for number, file in enumerate(files, start=1):
        threads.append(threading.Thread(target=clock.press, args=(file,), daemon=True))
        threads[-1].start()
        wait_until_queued(github, number)
    github.groups.leave(DATA)
    for thread in threads:
        thread.join(timeout=SECONDS)
    return sorted(clock.runs, key=lambda run: run.id)


def wait_until_queued(github: GitHub, runs: int) -> None:
    deadline = time.monotonic() + SECONDS
    while github.groups.waiting(DATA.group) < runs:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def champion(github: GitHub) -> str:
    return str(json.loads(github.repository.read(f"model/{SERIES}/card.json"))["version"])


def test_forecast_that_waited_behind_a_promotion_is_made_by_the_new_champion(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)
    clock.tick("update_real_data.yml").check()
    old = champion(github)
    runs = run_behind_each_other(clock, github, "retrain.yml", "make_predictions.yml")
    assert [run.conclusion for run in runs] == ["success"] * 3
    assert champion(github) != old
    assert champion(github) in runs[-1].summary


def test_two_retrains_of_a_series_that_waited_do_not_conflict(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)
    runs = run_behind_each_other(clock, github, "retrain.yml", "retrain.yml")
    assert [run.conclusion for run in runs] == ["success", "success"]
    assert github.repository.log()[0].subject.startswith("Promote ")
    assert [issue["title"] for issue in github.issues.values()] == []

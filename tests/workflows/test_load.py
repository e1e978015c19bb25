"""The hourly load and the look at the live error that follows it when due: one job, two incidents."""

from __future__ import annotations

import pytest

from actioncast.github.alerts.issues import key_of
from actioncast.rehearsal.world.replay import ReplayServer
from tests.support.checkout import SERIES
from tests.support.source import Stub

from . import project
from .clock import Clock
from .github_stand_in import GitHub
from .project import Trained

CARD = f"model/{SERIES}/card.json"


@pytest.fixture(autouse=True)
def _fast(clock: Clock) -> None:
    clock.environment = project.environment()


def open_issues(github: GitHub) -> list[str]:
    return [key_of(issue["title"]) for issue in github.issues.values() if issue["state"] == "open"]


def test_check_takes_place_after_a_failed_load_and_no_second_one_within_the_hour(
    clock: Clock, github: GitHub, stub: Stub, trained: Trained
) -> None:
    project.set_up(github, stub.url, trained.naive, trained.naive_drifted)
    stub.answer(b'{"status": "ok", "values": []}')
    first = clock.tick("update_real_data.yml").check("failure")
    assert f"{SERIES}: retrain" in first.log
    assert [dispatch.event for dispatch in github.take_dispatches(first.id)] == ["repository_dispatch"]
    assert open_issues(github) == ["update_real_data is failing"]
    second = clock.tick("update_real_data.yml").check("failure")
    assert "check_retrain: 0 of 1 series due (retrain.check_hours = 2)" in second.log
    assert github.take_dispatches(second.id) == []
    assert second.job("update").step("Open or close the incident of the check").conclusion == "skipped"


def test_alarm_of_the_check_is_an_incident_of_its_own_until_a_check_takes_it_back(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.ridge | {CARD: b"no card"}, trained.ridge_good)
    run = clock.tick("update_real_data.yml").check("failure")
    assert run.job("update").step("Load new hours").conclusion == "success"
    assert run.job("update").step("Save the data to the state branch").conclusion == "success"
    assert open_issues(github) == ["check_retrain is failing"]
    github.repository.commit(dict(trained.ridge), "Mend the card")
    clock.tick("update_real_data.yml").check()
    assert open_issues(github) == []

"""The page on GitHub Pages: switched off is a sentence, anything else that fails is an incident."""

from __future__ import annotations

import pytest

from actioncast.rehearsal.world.replay import ReplayServer

from . import project
from .clock import Clock
from .github_stand_in import GitHub
from .project import Trained

ON = {"PUBLISH_PAGES": "true"}


@pytest.fixture(autouse=True)
def _fast(clock: Clock) -> None:
    clock.environment = project.environment()


def test_pages_switched_off_in_the_settings_is_a_sentence(clock: Clock, github: GitHub, source: ReplayServer) -> None:
    project.seed(github, source.url)
    github.pages_on = False
    run = clock.tick("pages.yml", variables=ON).check()
    (note,) = run.annotations
    assert (note.level, note.title) == ("notice", "Not published")
    assert "Settings, Pages" in note.message
    assert (github.pages, github.issues) == ({}, {})


def test_page_that_cannot_be_published_is_an_incident(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.ridge, trained.ridge_good)
    github.fail_next("POST .*/pages/deployments", status=500)
    run = clock.tick("pages.yml", variables=ON).check("failure")
    assert "Failed to create deployment (status: 500)" in run.log
    assert [issue["title"] for issue in github.issues.values()] == ["pages is failing"]

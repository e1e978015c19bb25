"""The browser, and the page of a series that has lived for three days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from actioncast.database.database import open_database
from actioncast.settings import Settings
from tests.support.browsing import CHROMIUM, FLAGS, Visit, live, serve
from tests.support.serving import settings_in


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    made = Visit(browser, **getattr(request, "param", {}))
    yield made
    made.page.close()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("browser")
    made = settings_in(folder, f"sqlite:///{folder / 'test.db'}")
    with open_database(made) as database:
        live(made, database)
    return made


@pytest.fixture(scope="module")
def lived_url(lived: Settings) -> Iterator[str]:
    yield from serve(lived)

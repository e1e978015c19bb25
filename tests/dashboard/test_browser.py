"""The page in a real browser: painted, quiet, at home, at any width, light and dark, and usable by everybody.

Needs chromium (`apt-get install chromium`). Screenshots go to artifacts/.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright
from playwright.sync_api import Error as PlaywrightError

import app
import check_retrain
import export_dashboard
import make_predictions
from actioncast.database.database import Database, open_database
from actioncast.paths import ROOT
from actioncast.periods.grid import Periods
from actioncast.settings import Settings
from tests.support.clock import at, wait_until
from tests.support.ports import free_port
from tests.support.serving import HISTORY, KEY, SERIES, load, promote, settings_in, wave

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --allow-file-access-from-files"
)
LIVE_HOURS = 72
END = at(LIVE_HOURS + 0.3)
Scheme = Literal["light", "dark"]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: `apt-get install chromium` (Debian), or install Chrome"
)


def live(settings: Settings, database: Database) -> None:
    """Three days in which hours come, forecasts are made and the error is checked, with noise and one bad day."""
    load(database, wave(at(-HISTORY), HISTORY), at(0))
    promote(settings.model_directory(SERIES), levels=(0.1, 0.3, 0.7, 0.9))
    noise = np.random.default_rng(2).normal(0, 25, LIVE_HOURS)
    noise[30:48] += 120
    for hour in range(0, LIVE_HOURS, 3):
        now = at(hour + 0.3)
        make_predictions.run(settings, database, now, series_id=SERIES)
        new = wave(at(hour), 3)
        load(database, Periods(new.starts, new.values + noise[hour : hour + 3], new.samples), now + timedelta(hours=3))
        check_retrain.run(settings, database, now + timedelta(hours=2), series_id=SERIES)
    database.store_training_run(training())


def training() -> dict[str, Any]:
    """A training in which eleven candidates were compared."""
    leaderboard = [{"candidate": f"ridge_{i}", "mae": 25.0 + i, "mase": 0.8, "seconds": 0.1} for i in range(10)]
    leaderboard.append({"candidate": "seasonal_naive_168", "mae": 60.0, "mase": 1.0, "seconds": 0.01})
    return {
        "run_id": "1",
        "series_id": SERIES,
        "started_at": at(0),
        "finished_at": at(0),
        "window_start": at(-HISTORY),
        "window_end": at(0),
        "periods": HISTORY,
        "leaderboard": leaderboard,
        "champion": {"name": "ridge_0"},
        "challenger": {"name": "ridge_0"},
        "verdict": "promoted",
        "reason": "there is no champion",
        "git_sha": None,
        "library_versions": {},
        "settings": {},
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("browser")
    made = settings_in(folder, f"sqlite:///{folder / 'test.db'}")
    with open_database(made) as database:
        live(made, database)
    return made


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    yield from serve(settings)


@pytest.fixture(scope="module")
def closed_url(settings: Settings) -> Iterator[str]:
    closed = settings.api.model_copy(update={"reading": "key"})
    yield from serve(settings.model_copy(update={"api": closed}))


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("empty")
    yield from serve(settings_in(folder, f"sqlite:///{folder / 'test.db'}"))


def serve(settings: Settings) -> Iterator[str]:
    """The application on loopback, at the end of the three days."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app.create_app(settings, lambda: END), port=port, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


class Visit:
    """A page with what it complained about and asked for."""

    def __init__(self, browser: Browser, *, width: int = 1440, scheme: Scheme = "light") -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def open(self, url: str) -> Page:
        self.page.goto(url)
        self.page.wait_for_selector("html[data-drawn]")
        return self.page


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    made = Visit(browser, **getattr(request, "param", {}))
    yield made
    made.page.close()


PAINTED = """() => [...document.querySelectorAll("[data-chart] canvas")].map((canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  let painted = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3]) { painted += 1; colours.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]); }
  }
  return [painted, colours.size];
})"""
SCREENS = [{"width": width, "scheme": scheme} for width in (1440, 390) for scheme in ("light", "dark")]


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=lambda screen: f"{screen['width']}-{screen['scheme']}")
def test_charts_are_painted_and_nothing_complains(visit: Visit, url: str, request: pytest.FixtureRequest) -> None:
    page = visit.open(url)
    painted = page.evaluate(PAINTED)
    assert len(painted) == 4
    assert all(pixels > 1000 and colours > 5 for pixels, colours in painted), painted
    assert visit.complaints == []
    assert {request.url.split("/")[2] for request in visit.requests} == {url.removeprefix("http://")}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"page-{request.node.callspec.id}.png", full_page=True)


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=lambda screen: f"{screen['width']}-{screen['scheme']}")
@pytest.mark.parametrize("which", ["url", "empty_url"])
def test_axe_finds_nothing_serious(visit: Visit, which: str, request: pytest.FixtureRequest) -> None:
    page = visit.open(request.getfixturevalue(which))
    violations = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["impact"], fault["nodes"][0]["html"]) for fault in violations] == []


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=lambda screen: f"{screen['width']}-{screen['scheme']}")
def test_the_api_is_described_without_a_script(visit: Visit, url: str, request: pytest.FixtureRequest) -> None:
    page = visit.page
    page.goto(url)
    page.click("footer >> text=the API")
    page.wait_for_url(f"{url}/docs")
    assert page.locator("h2 code").all_inner_texts()[:2] == ["/forecast", "/forecast"]
    for summary in page.locator("summary").all():
        summary.click()
    assert [(fault["id"], fault["impact"]) for fault in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    assert visit.complaints == []
    page.screenshot(path=ROOT / "artifacts" / f"docs-{request.node.callspec.id}.png", full_page=True)


def test_a_closed_page_opens_with_the_key(browser: Browser, closed_url: str) -> None:
    with browser.new_context() as context, pytest.raises(PlaywrightError, match="INVALID_AUTH_CREDENTIALS"):
        context.new_page().goto(closed_url)  # a browser with a person before it asks for them
    with browser.new_context(http_credentials={"username": "me", "password": KEY}) as context:
        page = context.new_page()
        page.goto(closed_url)
        page.wait_for_selector("html[data-drawn]")
        page.click("footer >> text=forecast")
        assert "predictions" in page.content()


def test_the_empty_page_is_quiet_too(visit: Visit, empty_url: str) -> None:
    page = visit.open(empty_url)
    assert visit.complaints == []
    assert page.locator(".empty").count() == 7
    page.screenshot(path=ROOT / "artifacts" / "page-empty.png", full_page=True)


def test_arrow_keys_read_the_values(visit: Visit, url: str) -> None:
    page = visit.open(url)
    page.focus("[data-chart=forecast]")
    page.keyboard.press("ArrowRight")
    first = page.inner_text("[data-reading=forecast]")
    page.keyboard.press("ArrowRight")
    second = page.inner_text("[data-reading=forecast]")
    assert first != second
    assert "Reality" in first
    assert "UTC" in first


def test_the_legend_shows_the_newest_hour_while_nobody_points(visit: Visit, url: str) -> None:
    page = visit.open(url)
    legend = page.locator("[data-chart=forecast] .u-legend")
    at_rest = legend.inner_text()
    assert "Reality" in at_rest
    assert "\N{EN DASH}" not in at_rest
    page.hover("[data-chart=forecast] .u-over", position={"x": 40, "y": 40})
    assert legend.inner_text() != at_rest
    page.mouse.move(0, 0)
    assert legend.inner_text() == at_rest


def test_the_fan_of_the_quantiles_is_drawn_and_not_listed(visit: Visit, url: str) -> None:
    page = visit.open(url)
    rows = page.locator("[data-chart=forecast] .u-series.unlisted")
    assert rows.count() == 3, "the upper bound, and the levels 0.3 and 0.7; those of 0.1 and 0.9 are the interval"
    assert not rows.first.is_visible()
    assert not rows.last.is_visible()
    assert page.locator("[data-chart=forecast] .u-series:visible", has_text="Interval").count() == 1
    page.focus("[data-chart=forecast]")
    page.keyboard.press("ArrowRight")
    assert "0.3 to 0.7" not in page.inner_text("[data-reading=forecast]")


def test_dark_and_light_paint_different_charts(visit: Visit, url: str) -> None:
    page = visit.open(url)
    pixel = "document.querySelector('[data-chart=forecast] canvas').toDataURL()"
    light = page.evaluate(pixel)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    assert page.evaluate(pixel) != light
    assert visit.complaints == []


def test_the_page_is_light_and_soon_there(visit: Visit, browser: Browser, url: str) -> None:
    first = Visit(browser)  # so that the server has rendered it, as it has in daily use
    first.open(url)
    first.page.close()
    begun = time.perf_counter()
    page = visit.open(url)
    seconds = time.perf_counter() - begun
    transferred = sum(request.sizes()["responseBodySize"] for request in visit.requests)
    print(f"{len(visit.requests)} requests, {transferred / 1024:.0f} KB transferred, charts after {seconds:.2f} s")
    assert 20 * 1024 < transferred < 150 * 1024
    assert page.evaluate(PAINTED)
    assert seconds < 5  # one second on a machine that does nothing else


def test_the_export_opens_from_a_folder(visit: Visit, settings: Settings, tmp_path: Path) -> None:
    with open_database(settings) as database:
        export_dashboard.run(settings, database, END, folder=tmp_path)
    page = visit.open((tmp_path / "index.html").as_uri())
    assert len(page.evaluate(PAINTED)) == 4
    assert visit.complaints == []
    assert all(request.url.startswith("file:") for request in visit.requests)

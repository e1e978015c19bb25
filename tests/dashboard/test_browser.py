"""The page in a real browser: painted, quiet, at home, at any width, light and dark, and usable by everybody.

Needs chromium (`apt-get install chromium`). Screenshots go to artifacts/.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

import export_dashboard
from actioncast.database.database import open_database
from actioncast.paths import ROOT
from actioncast.settings import Settings
from tests.support.browsing import END, SCREENS, Visit, needs_browser, serve
from tests.support.serving import KEY, settings_in

pytestmark = needs_browser


@pytest.fixture(scope="module")
def closed_url(lived: Settings) -> Iterator[str]:
    closed = lived.api.model_copy(update={"reading": "key"})
    yield from serve(lived.model_copy(update={"api": closed}))


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("empty")
    yield from serve(settings_in(folder, f"sqlite:///{folder / 'test.db'}"))


PAINTED = """() => [...document.querySelectorAll("[data-chart] canvas")].map((canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  let painted = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3]) { painted += 1; colours.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]); }
  }
  return [painted, colours.size];
})"""


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=lambda screen: f"{screen['width']}-{screen['scheme']}")
def test_charts_are_painted_and_nothing_complains(visit: Visit, lived_url: str, request: pytest.FixtureRequest) -> None:
    page = visit.open(lived_url)
    painted = page.evaluate(PAINTED)
    assert len(painted) == 4
    assert all(pixels > 1000 and colours > 5 for pixels, colours in painted), painted
    assert visit.complaints == []
    assert {request.url.split("/")[2] for request in visit.requests} == {lived_url.removeprefix("http://")}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"page-{request.node.callspec.id}.png", full_page=True)


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=lambda screen: f"{screen['width']}-{screen['scheme']}")
@pytest.mark.parametrize("which", ["lived_url", "empty_url"])
def test_axe_finds_nothing_serious(visit: Visit, which: str, request: pytest.FixtureRequest) -> None:
    page = visit.open(request.getfixturevalue(which))
    violations = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["impact"], fault["nodes"][0]["html"]) for fault in violations] == []


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=lambda screen: f"{screen['width']}-{screen['scheme']}")
def test_the_api_is_described_without_a_script(visit: Visit, lived_url: str, request: pytest.FixtureRequest) -> None:
    page = visit.page
    page.goto(lived_url)
    page.click("footer >> text=the API")
    page.wait_for_url(f"{lived_url}/docs")
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


def test_arrow_keys_read_the_values(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    page.focus("[data-chart=forecast]")
    page.keyboard.press("ArrowRight")
    first = page.inner_text("[data-reading=forecast]")
    page.keyboard.press("ArrowRight")
    second = page.inner_text("[data-reading=forecast]")
    assert first != second
    assert "Reality" in first
    assert "UTC" in first


def test_the_legend_shows_the_newest_hour_while_nobody_points(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    legend = page.locator("[data-chart=forecast] .u-legend")
    at_rest = legend.inner_text()
    assert "Reality" in at_rest
    assert "\N{EN DASH}" not in at_rest
    page.hover("[data-chart=forecast] .u-over", position={"x": 40, "y": 40})
    assert legend.inner_text() != at_rest
    page.mouse.move(0, 0)
    assert legend.inner_text() == at_rest


def test_the_fan_of_the_quantiles_is_drawn_and_not_listed(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    rows = page.locator("[data-chart=forecast] .u-series.unlisted")
    assert rows.count() == 3, "the upper bound, and the levels 0.3 and 0.7; those of 0.1 and 0.9 are the interval"
    assert not rows.first.is_visible()
    assert not rows.last.is_visible()
    assert page.locator("[data-chart=forecast] .u-series:visible", has_text="Interval").count() == 1
    page.focus("[data-chart=forecast]")
    page.keyboard.press("ArrowRight")
    assert "0.3 to 0.7" not in page.inner_text("[data-reading=forecast]")


def test_dark_and_light_paint_different_charts(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    pixel = "document.querySelector('[data-chart=forecast] canvas').toDataURL()"
    light = page.evaluate(pixel)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    assert page.evaluate(pixel) != light
    assert visit.complaints == []


def test_the_page_is_light_and_soon_there(visit: Visit, browser: Browser, lived_url: str) -> None:
    first = Visit(browser)  # so that the server has rendered it, as it has in daily use
    first.open(lived_url)
    first.page.close()
    begun = time.perf_counter()
    page = visit.open(lived_url)
    seconds = time.perf_counter() - begun
    transferred = sum(request.sizes()["responseBodySize"] for request in visit.requests)
    print(f"{len(visit.requests)} requests, {transferred / 1024:.0f} KB transferred, charts after {seconds:.2f} s")
    assert 20 * 1024 < transferred < 150 * 1024
    assert page.evaluate(PAINTED)
    assert seconds < 5  # one second on a machine that does nothing else


def test_the_export_opens_from_a_folder(visit: Visit, lived: Settings, tmp_path: Path) -> None:
    with open_database(lived) as database:
        export_dashboard.run(lived, database, END, folder=tmp_path)
    page = visit.open((tmp_path / "index.html").as_uri())
    assert len(page.evaluate(PAINTED)) == 4
    assert visit.complaints == []
    assert all(request.url.startswith("file:") for request in visit.requests)

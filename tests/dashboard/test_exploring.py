"""What a reader can do with the page in a real browser, and what the page does by itself as time goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

import export_dashboard
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.paths import ROOT
from actioncast.settings import Settings
from tests.support.browsing import END, Visit, needs_browser, serve
from tests.support.clock import at, wait_until
from tests.support.serving import CONFIG, HISTORY, KEY, SERIES, load, promote, wave

pytestmark = needs_browser
PLOT = "[data-chart=forecast] .u-over"


def pressed(page: Page) -> list[str]:
    return page.locator("[aria-pressed=true]").all_inner_texts()


def address(page: Page) -> str:
    """As the page has it: the browser tells its driver a little later."""
    return str(page.evaluate("location.href"))


def drag(page: Page, begin: float, end: float) -> None:
    page.locator(PLOT).scroll_into_view_if_needed()
    box = page.locator(PLOT).bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + begin * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=4)
    page.mouse.up()


def test_dragging_zooms_the_address_remembers_and_a_double_click_resets(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    drag(page, 0.2, 0.5)
    assert "view=" in address(page)
    zoomed = address(page)
    page.reload()
    page.wait_for_selector("html[data-drawn]")
    assert address(page) == zoomed
    assert not page.locator("[data-range][aria-pressed=true]").count()
    page.dblclick(PLOT, position={"x": 300, "y": 60})
    assert "view=" not in address(page)
    assert page.locator("[data-range][aria-pressed=true]").count() == 1
    assert visit.complaints == []


def test_ranges_and_the_naive_are_chosen_by_buttons(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    assert pressed(page) == ["7 d", "Marks"]
    page.click("[data-range='1 d']")
    page.click("[data-toggle=naive]")
    assert pressed(page) == ["1 d", "Naive", "Marks"]
    assert "Naive" in page.inner_text("[data-chart=forecast] .u-legend")
    page.hover(PLOT, position={"x": 200, "y": 80})
    tip = page.inner_text("[data-chart=forecast] .tip")
    assert "Interval 80% " in tip
    assert " to " in tip
    assert "Reality" in tip


def test_an_earlier_forecast_is_laid_over_with_the_difference_in_numbers(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    page.click("[data-step=earlier]")
    page.wait_for_selector("#overlay-note:not(:empty)")
    assert "as of" in page.inner_text("#asof")
    assert "Since the forecast of" in page.inner_text("#overlay-note")
    assert "As of" in page.inner_text("[data-chart=forecast] .u-legend")
    page.click("[data-step=later]")
    page.wait_for_selector("#overlay-note:empty", state="attached")
    page.select_option("[data-vintages] select", label="as said 24 hours before")
    page.wait_for_selector("[data-chart=forecast] .u-legend >> text=As said 24 hours before")
    assert visit.complaints == []


def test_the_zone_of_the_reader_is_one_choice_away(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    page.select_option("#zone", "browser")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert page.inner_text(".heading [data-zone] >> nth=0") == zone
    assert "zone=browser" in address(page)


def test_the_chart_is_saved_as_csv_and_png(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    for kind, begin in (("csv", b"period,reality,prediction,lower,upper,naive\n"), ("png", b"\x89PNG")):
        with page.expect_download() as download:
            page.click(f"[data-save={kind}]")
        assert download.value.suggested_filename == f"{SERIES}.{kind}"
        assert Path(download.value.path()).read_bytes().startswith(begin)


def test_other_rules_are_tried_on_the_stored_checks(visit: Visit, lived_url: str) -> None:
    page = visit.open(lived_url)
    page.fill("#what-if [name=maximum_ratio_to_backtest]", "0.5")
    page.keyboard.press("Tab")
    page.wait_for_selector("#what-if-says >> text=With 0.5 x")
    assert "instead of" in page.inner_text("#what-if-says")


def test_the_chart_is_on_the_first_screen_of_a_phone(browser, lived_url: str) -> None:  # type: ignore[no-untyped-def]
    phone = Visit(browser, width=390)
    page = phone.open(lived_url)
    box = page.locator("[data-chart=forecast]").bounding_box()
    assert box
    assert box["y"] + 200 < 900
    phone.page.close()


# As time goes on ------------------------------------------------------------------------------------------------------


def fresh_now(folder: Path) -> tuple[Settings, datetime]:
    """A series that is fresh on the real clock, whose forecast was made a minute ago."""
    path = folder / "config.toml"
    path.write_text(CONFIG)
    made = load_settings(path, {"DATABASE_URL": f"sqlite:///{folder / 'test.db'}", "API_KEY": KEY})
    now = datetime.now(UTC).replace(microsecond=0)
    hour = now.replace(minute=0, second=0)
    with open_database(made) as database:
        load(database, wave(hour - timedelta(hours=HISTORY), HISTORY), now)
        rows = []
        for lead in range(1, 49):
            row = {"series_id": SERIES, "issued_at": now, "lead": lead, "model_version": "v", "prediction": 1000.0}
            row |= {"prediction_date": hour + timedelta(hours=lead - 1), "lower": 900.0, "upper": 1100.0}
            rows.append(row)
        database.store_vintage(rows)
    return made, now


def test_a_page_exported_on_thursday_does_not_say_fresh_on_sunday(visit: Visit, tmp_path: Path) -> None:
    made, now = fresh_now(tmp_path)
    with open_database(made) as database:
        export_dashboard.run(made, database, now, folder=tmp_path / "out")
    address = (tmp_path / "out" / "index.html").as_uri()
    visit.page.clock.set_fixed_time(now)
    page = visit.open(address)
    words = page.locator(".light .word")
    assert words.all_inner_texts()[:2] == ["fresh", "fresh"]
    assert page.locator("[data-until]:not([hidden])").count() == 24
    page.clock.set_fixed_time(now + timedelta(hours=20))
    visit.open(address)
    assert page.locator("[data-until]:not([hidden])").count() == 4
    page.clock.set_fixed_time(now + timedelta(days=3))
    visit.open(address)
    assert words.all_inner_texts()[:2] == ["old", "over"]
    assert "bad" in (page.locator(".light").first.get_attribute("class") or "")
    assert "3 days" in page.inner_text(".light >> nth=0")
    assert visit.complaints == []


def test_an_open_page_follows_what_is_stored_and_keeps_the_zoom(
    visit: Visit,
    lived: Settings,
    lived_url: str,
) -> None:
    page = visit.open(lived_url)
    drag(page, 0.3, 0.7)
    view = address(page)
    assert "view=" in view
    before = page.evaluate("actioncast.data.version")
    with open_database(lived) as database:
        database.annotate(SERIES, at(40), "a strike", END)

    def has_followed() -> bool:
        """The server keeps a page for some seconds."""
        page.evaluate("actioncast.refetch()")
        return bool(page.evaluate("actioncast.data.version") != before)

    wait_until(has_followed)
    assert address(page) == view
    page.click("#happened summary")
    assert "a strike" in page.inner_text("#happened")
    assert page.locator("[data-chart=forecast] canvas").count() == 1
    assert visit.complaints == []


# All series -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def fleet(tmp_path: Path) -> Settings:
    """Three series of which one has nothing."""
    path = tmp_path / "config.toml"
    tables = [CONFIG.replace(SERIES, name).replace("A wave", f"The wave of {name}") for name in ("a", "b", SERIES)]
    path.write_text("".join(tables) + "[api]\nrequests_per_minute = 0\n")
    made = load_settings(path, {"DATABASE_URL": f"sqlite:///{tmp_path / 'test.db'}", "API_KEY": KEY})
    with open_database(made) as database:
        load(database, wave(at(72 - HISTORY), HISTORY), at(72))
    promote(made.model_directory(SERIES))
    return made


@pytest.fixture
def fleet_url(fleet: Settings) -> Iterator[str]:
    yield from serve(fleet)


@pytest.mark.parametrize(
    "visit",
    [{"width": width, "scheme": scheme} for width in (1440, 390) for scheme in ("light", "dark")],
    indirect=True,
)
def test_all_series_are_searched_filtered_and_sorted(
    visit: Visit,
    fleet_url: str,
    request: pytest.FixtureRequest,
) -> None:
    page = visit.open(fleet_url)
    names = page.locator("#series tbody tr:visible th")
    assert names.all_inner_texts() == ["The wave of a", "The wave of b", "The wave of demo"], "all bad, by name"
    page.fill("#search", "demo")
    assert names.all_inner_texts() == ["The wave of demo"]
    assert "q=demo" in address(page)
    page.fill("#search", "")
    page.click("[data-sort='1']")
    page.click("[data-sort='1']")
    assert names.all_inner_texts() == ["The wave of demo", "The wave of b", "The wave of a"]
    page.click("[data-status=good]")
    assert names.count() == 0
    page.click("[data-status='']")
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"
    assert visit.complaints == []
    page.screenshot(path=ROOT / "artifacts" / f"overview-{request.node.callspec.id}.png", full_page=True)
    page.click("text=The wave of demo")
    page.wait_for_selector("html[data-drawn]")
    assert page.inner_text("h1") == "The wave of demo"
    page.click("text=All series")
    assert page.inner_text("h1") == "3 series"


def test_the_export_of_several_series_begins_with_the_table(visit: Visit, fleet: Settings, tmp_path: Path) -> None:
    with open_database(fleet) as database:
        export_dashboard.run(fleet, database, END, folder=tmp_path / "out", clock_runs=False)
    page = visit.open((tmp_path / "out" / "index.html").as_uri())
    page.click("text=The wave of demo")
    page.wait_for_selector("html[data-drawn]")
    page.click("text=All series")
    assert page.inner_text("h1") == "3 series"
    assert visit.complaints == []

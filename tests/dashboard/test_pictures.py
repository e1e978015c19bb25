"""The chart and the state of a series as SVG."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import export_dashboard
from actioncast.dashboard import render
from actioncast.dashboard.figures import PageFigures, collect
from actioncast.dashboard.pictures import BOTTOM, LEFT, RIGHT, TOP, nice_values
from actioncast.database.database import open_database
from actioncast.settings import Settings
from tests.support.clock import at
from tests.support.serving import HISTORY, NOW, SERIES, client_of, fill, load, settings_in, wave

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    with client_of(made) as client:
        client.post("/forecast")
    return made


def figures_of(settings: Settings) -> PageFigures:
    with open_database(settings) as database:
        return collect(settings, database, NOW, SERIES)


def parsed(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314  (our own)


def points_of(element: ET.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in element.attrib["points"].split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_the_chart_has_a_line_for_what_is_known_and_one_for_what_is_ahead(settings: Settings) -> None:
    drawing = parsed(render.render_chart(figures_of(settings)))
    forecast, reality = (points_of(line) for line in drawing.iter(f"{SVG}polyline"))
    (interval,) = (points_of(area) for area in drawing.iter(f"{SVG}polygon"))
    assert len(reality) == 169, "the shown week before the end of the data"
    assert len(forecast) == 168, "with the hour that had begun when it was issued"
    assert len(interval) == 2 * 168
    assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in [*forecast, *reality, *interval])
    assert reality[-1][0] < forecast[0][0]
    texts = [text.text for text in drawing.iter(f"{SVG}text")]
    assert {"A wave", "data end", "now", "reality", "forecast", "interval"} <= set(texts)


def test_a_gap_is_a_gap(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    with open_database(made) as database:
        load(database, wave(at(-HISTORY), HISTORY - 40), at(-40))
        load(database, wave(at(-20), 20), at(0))
    drawing = parsed(render.render_chart(figures_of(made)))
    assert [len(points_of(line)) for line in drawing.iter(f"{SVG}polyline")] == [129, 20]


def test_a_picture_runs_nothing_and_asks_nobody(settings: Settings) -> None:
    evil = settings.series[SERIES].model_copy(update={"title": "<script>alert(1)</script>"})
    page = figures_of(settings.model_copy(update={"series": {SERIES: evil}}))
    for theme in ("light", "dark"):
        drawing = parsed(render.render_chart(page, theme))
        assert {element.tag.removeprefix(SVG) for element in drawing.iter()} <= {
            *("svg", "title", "rect", "text", "g", "path", "polyline", "polygon")
        }


def test_the_badge_says_the_worst(settings: Settings) -> None:
    badge = parsed(render.render_badge(SERIES, figures_of(settings).lights))
    assert badge.attrib["aria-label"] == "demo: error unchecked"


@pytest.mark.parametrize("address", ["/chart.svg", "/chart.svg?series=demo&theme=dark", "/badge.svg"])
def test_pictures_are_served_to_other_pages_and_kept(settings: Settings, address: str) -> None:
    with client_of(settings, key=None) as client:
        answer = client.get(address)
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
    parsed(answer.text)
    assert again.status_code == 304


def test_without_data_there_is_a_badge_and_no_chart(tmp_path: Path) -> None:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    with client_of(made) as client:
        assert client.get("/chart.svg").status_code == 404
        assert "data missing" in client.get("/badge.svg").text
        assert client.get("/chart.svg?theme=pink").status_code == 422


def test_the_export_has_them_as_files(settings: Settings, tmp_path: Path) -> None:
    with open_database(settings) as database:
        export_dashboard.run(settings, database, NOW, folder=tmp_path / "out")
    for name in ("demo.svg", "demo.badge.svg"):
        parsed((tmp_path / "out" / name).read_text())
    assert '<img class="picture" src="demo.svg"' in (tmp_path / "out" / "demo.html").read_text()


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (5100, 19700, [5000, 10000, 15000, 20000]),
        (-0.03, 0.04, [-0.04, -0.02, 0, 0.02, 0.04]),
        (7, 7, [6, 8, 10, 12, 14]),
        (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_axes_have_round_numbers(lowest: float, highest: float, expected: list[float]) -> None:
    assert nice_values(lowest, highest) == pytest.approx(expected)

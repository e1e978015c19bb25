"""The routes of the page: rendered at most every few seconds, kept compressed, with the keys of reading.

What draws the page is imported with its first request: a cold start must not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Literal

from cachetools import TTLCache
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from actioncast.api.access import reading
from actioncast.api.body import Body
from actioncast.api.forecasts import Forecasts, utc_now
from actioncast.api.problems import Missing
from actioncast.api.state import state_of
from actioncast.database.database import Database

if TYPE_CHECKING:
    from actioncast.dashboard.figures import PageFigures

    Draw = Callable[[PageFigures], str]

router = APIRouter(include_in_schema=False)
KEPT_SECONDS = 5  # a page is rendered again after that
KEPT_PAGES = 100  # series; a page is about 100 KB
ALL = ""  # in place of a series' name
SVG = "image/svg+xml; charset=utf-8"
Theme = Literal["light", "dark"]
HTML = "text/html; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"


def page_cache() -> TTLCache[str, Body]:
    """A cache for the rendered page of each series."""
    return TTLCache(KEPT_PAGES, KEPT_SECONDS)


@router.get("/", dependencies=[Depends(reading)])
async def page(request: Request, series: Annotated[str | None, Query()] = None) -> Response:
    """The page of a series; of several, without a name, the table of all."""
    state = state_of(request)
    forecasts = state.forecasts
    known = await forecasts.catalogue.series()
    name = ALL if series is None and len(known) > 1 else forecasts.catalogue.settings.series_id(series)
    body = state.pages.get(name)
    if body is None:
        read_and_render = partial(_render, forecasts=forecasts, name=name)
        render_in_thread = partial(forecasts.threads.ask, read_and_render)
        body = await forecasts.flights.run(("page", name), render_in_thread)
        state.pages[name] = body
    return body.answer(request, HTML)


@router.get("/chart.svg", dependencies=[Depends(reading)])
async def chart(
    request: Request,
    series: Annotated[str | None, Query()] = None,
    theme: Annotated[Theme, Query()] = "light",
) -> Response:
    """The first chart of a series' page as a picture."""
    return await _picture(request, series, f"chart {theme}", partial(_render_chart, theme=theme))


@router.get("/badge.svg", dependencies=[Depends(reading)])
async def badge(request: Request, series: Annotated[str | None, Query()] = None) -> Response:
    """The state of a series in two words."""
    return await _picture(request, series, "badge", _render_badge)


async def _picture(request: Request, series: str | None, kind: str, draw: Draw) -> Response:
    state = state_of(request)
    forecasts = state.forecasts
    name = await forecasts.catalogue.series_id(series)
    key = f"{name} {kind}"  # no series has a blank in its name
    body = state.pages.get(key)
    if body is None:
        in_thread = partial(forecasts.threads.ask, partial(_draw, forecasts=forecasts, name=name, draw=draw))
        body = await forecasts.flights.run(("picture", key), in_thread)
        state.pages[key] = body
    return body.answer(request, SVG)


def _draw(database: Database, *, forecasts: Forecasts, name: str, draw: Draw) -> Body:
    from actioncast.dashboard.figures import collect

    figures = collect(forecasts.catalogue.settings, database, forecasts.clock(), name)
    text = draw(figures)
    if not text:
        raise Missing(f"nothing of {name} is stored yet; run: python update_real_data.py --series {name}")
    return Body(text.encode())


def _render_chart(figures: PageFigures, theme: Theme) -> str:
    from actioncast.dashboard import render

    return render.render_chart(figures, theme)


def _render_badge(figures: PageFigures) -> str:
    from actioncast.dashboard import render

    return render.render_badge(figures.series, figures.lights)


def _render(database: Database, *, forecasts: Forecasts, name: str) -> Body:
    from actioncast.dashboard import render
    from actioncast.dashboard.figures import collect
    from actioncast.monitoring.overview import overview

    settings = forecasts.catalogue.settings
    now = forecasts.clock()
    clock_runs = forecasts.clock is utc_now
    links = {series_id: f"?series={series_id}" for series_id in settings.series}
    if name == ALL:
        rows = overview(settings, database, now, forecasts.champions.card)
        html = render.render_overview(rows, links, now, live=True, clock_runs=clock_runs)
    else:
        figures = collect(settings, database, now, name)
        titles = render.titles_of(settings)
        html = render.render_page(figures, links, titles, live=True, clock_runs=clock_runs)
    return Body(html.encode())


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API for people. As open as its schema."""
    state = state_of(request)
    settings = state.forecasts.catalogue.settings
    # In production the platform ends TLS, so that the request arrives here as http.
    scheme = "https" if settings.environment.production else request.url.scheme
    address = str(request.base_url.replace(scheme=scheme)).rstrip("/")

    def render_reference() -> str:
        from actioncast.dashboard import render

        document = request.app.openapi()
        return render.render_reference(document, address, reading_closed=state.reading_needs_key)

    html = await state.forecasts.threads.run(render_reference)
    return Body(html.encode()).answer(request, HTML)


@router.get("/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    """A file of the page. None of them is secret."""
    from actioncast.dashboard import render

    content = render.assets().get(name)
    if content is None:
        raise HTTPException(404, f"there is no asset {name!r}")
    suffix = "." + name.rsplit(".", 1)[-1]
    # An address with a version names its content, so that a browser never needs to ask again.
    cache_control = FOR_EVER if "v" in request.query_params else ALWAYS_ASK
    return _asset_body(name, content).answer(request, render.MEDIA_TYPES[suffix], cache_control)


@cache
def _asset_body(_name: str, content: bytes) -> Body:
    """Kept, so that an asset is compressed once."""
    return Body(content)

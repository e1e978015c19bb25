"""The routes of the page: rendered at most every few seconds, kept compressed, with the keys of reading.

What draws the page is imported with its first request: a cold start must not wait for it.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Annotated

from cachetools import TTLCache
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from actioncast.api.access import reading
from actioncast.api.body import Body
from actioncast.api.forecasts import Forecasts, utc_now
from actioncast.api.state import state_of
from actioncast.database.database import Database

router = APIRouter(include_in_schema=False)
KEPT_SECONDS = 5  # a page is rendered again after that
KEPT_PAGES = 100  # series; a page is about 100 KB
HTML = "text/html; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"


def page_cache() -> TTLCache[str, Body]:
    """A cache for the rendered page of each series."""
    return TTLCache(KEPT_PAGES, KEPT_SECONDS)


@router.get("/", dependencies=[Depends(reading)])
async def page(request: Request, series: Annotated[str | None, Query()] = None) -> Response:
    """The page of a series."""
    state = state_of(request)
    forecasts = state.forecasts
    await forecasts.catalogue.series()
    series_id = forecasts.catalogue.settings.series_id(series)
    body = state.pages.get(series_id)
    if body is None:
        read_and_render = partial(_render_page, forecasts=forecasts, series_id=series_id)
        render_in_thread = partial(forecasts.threads.ask, read_and_render)
        body = await forecasts.flights.run(("page", series_id), render_in_thread)
        state.pages[series_id] = body
    return body.answer(request, HTML)


def _render_page(database: Database, *, forecasts: Forecasts, series_id: str) -> Body:
    from actioncast.dashboard import render
    from actioncast.dashboard.figures import collect

    settings = forecasts.catalogue.settings
    figures = collect(settings, database, forecasts.clock(), series_id)
    links = {name: f"?series={name}" for name in settings.series}
    html = render.render_page(
        figures,
        links,
        render.titles_of(settings),
        live=True,
        clock_runs=forecasts.clock is utc_now,
    )
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

"""The routes of the page: rendered at most every few seconds, kept compressed, under the same keys as reading."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from actioncast.api.body import Body
from actioncast.api.forecasts import Service
from actioncast.api.keys import reading
from actioncast.dashboard import render
from actioncast.dashboard.figures import collect
from actioncast.database.database import Database

router = APIRouter(include_in_schema=False)
KEPT_SECONDS = 5
HTML = "text/html; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/", dependencies=[Depends(reading)])
async def page(request: Request, series: Annotated[str | None, Query()] = None) -> Response:
    """The page of a series."""
    service: Service = request.app.state.service
    await service.series()
    series_id = service.settings.series_id(series)
    pages: dict[str, tuple[float, Body]] = request.app.state.pages
    made, body = pages.get(series_id, (0.0, None))
    if body is None or time.monotonic() - made > KEPT_SECONDS:
        body = await service.once(
            ("page", series_id), lambda: service.ask(partial(_render, service=service, series_id=series_id))
        )
        pages[series_id] = time.monotonic(), body
    return body.answer(request, HTML)


def _render(database: Database, *, service: Service, series_id: str) -> Body:
    settings = service.settings
    report = collect(settings, database, service.clock(), series_id)
    links = {name: f"?series={name}" for name in settings.series}
    titles = {name: wanted.title or name for name, wanted in settings.series.items()}
    return Body(render.render(report, links, titles, live=True).encode())


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API for people. As open as its schema."""
    service: Service = request.app.state.service
    settings = service.settings
    scheme = "https" if settings.environment.production else request.url.scheme  # where the platform ends TLS
    address = str(request.base_url.replace(scheme=scheme)).rstrip("/")
    closed = settings.api.reading == "key"
    html = await service.in_thread(
        lambda: render.render_reference(request.app.openapi(), address, reading_closed=closed)
    )
    return Body(html.encode()).answer(request, HTML)


@router.get("/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    """A file of the page. Nothing in it is secret."""
    content = render.assets().get(name)
    if content is None:
        raise HTTPException(404, f"there is no asset {name!r}")
    kind = render.KINDS["." + name.rsplit(".", 1)[-1]]
    return _packed(name, content).answer(request, kind, FOR_EVER if "v" in request.query_params else "no-cache")


@cache
def _packed(_name: str, content: bytes) -> Body:
    return Body(content)

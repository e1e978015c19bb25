"""Report or API schema -> HTML, and the files that it asks for. No CDN, no build step, nothing inline that runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from actioncast.dashboard.api_reference import operations
from actioncast.dashboard.figures import PageFigures, status_of
from actioncast.text import duration, hours, number

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}


@cache
def assets() -> dict[str, bytes]:
    """Name -> content."""
    return {path.name: path.read_bytes() for path in sorted(ASSETS.iterdir())}


def asset_url(name: str) -> str:
    """Relative, and different when the content is: browsers may keep it for ever."""
    return f"assets/{name}?v={hashlib.sha256(assets()[name]).hexdigest()[:10]}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset_url
    environment.filters |= {"number": number, "moment": _moment, "status": status_of, "since": duration, "hours": hours}
    return environment


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %b %Y %H:%M}"


def render(report: PageFigures, links: Mapping[str, str], titles: Mapping[str, str], *, live: bool) -> str:
    """The page. `links` lead to the page of each series; `live` pages name the API beside them."""
    data = json.dumps({**report.charts, "unit": report.unit, "coverageTarget": report.coverage}, separators=(",", ":"))
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            links=links,
            titles=titles,
            live=live,
            data=Markup(data.replace("<", "\\u003c")),  # noqa: S704  JSON of numbers and a unit, and no tag can begin in it
        )
    )


def render_reference(document: Mapping[str, Any], address: str, *, reading_closed: bool) -> str:
    """The API for people, from its OpenAPI schema, as served at this address."""
    info = document["info"]
    return (
        _environment()
        .get_template("docs.html")
        .render(
            operations=operations(document, address),
            description=info["description"],
            version=info["version"],
            reading_closed=reading_closed,
        )
    )

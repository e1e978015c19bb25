"""Figures or API schema -> HTML, and the files that it asks for.

No CDN, no build step, nothing inline that runs.
"""

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
from actioncast.dashboard.figures import PageFigures
from actioncast.dashboard.lights import status_of
from actioncast.settings import Settings
from actioncast.text import duration, hours, number

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}


@cache
def assets() -> dict[str, bytes]:
    """Content of every asset by its name."""
    return {path.name: path.read_bytes() for path in sorted(ASSETS.iterdir())}


def asset_url(name: str) -> str:
    """Relative address.

    It changes with the content, so that browsers may keep the file for ever.
    """
    version = hashlib.sha256(assets()[name]).hexdigest()[:10]
    return f"assets/{name}?v={version}"


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
    environment.filters |= {
        "number": number,
        "moment": _moment,
        "status": status_of,
        "since": duration,
        "hours": hours,
    }
    return environment


def _moment(moment: datetime) -> str:
    """04 Mar 2022 03:00."""
    return f"{moment.astimezone(UTC):%d %b %Y %H:%M}"


def titles_of(settings: Settings) -> dict[str, str]:
    """The title of each series, its name without one."""
    return {name: series.title or name for name, series in settings.series.items()}


def render_page(
    page: PageFigures,
    links: Mapping[str, str],
    titles: Mapping[str, str],
    *,
    live: bool,
) -> str:
    """The page of a series.

    `links` lead to the page of each series; a `live` page links to the API beside it.
    """
    template = _environment().get_template("page.html")
    return template.render(
        page=page,
        links=links,
        titles=titles,
        live=live,
        data=_script_data(page),
    )


def _script_data(page: PageFigures) -> Markup:
    """What dashboard.js draws, as JSON inside a script element."""
    data = {**page.charts, "unit": page.unit, "coverageTarget": page.coverage}
    text = json.dumps(data, separators=(",", ":"))
    # A unit such as "</script>" must not end the element: without "<" no tag can begin.
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def render_reference(document: Mapping[str, Any], address: str, *, reading_closed: bool) -> str:
    """The API for people, from its OpenAPI schema, as served at this address."""
    template = _environment().get_template("docs.html")
    return template.render(
        operations=operations(document, address),
        description=document["info"]["description"],
        version=document["info"]["version"],
        reading_closed=reading_closed,
    )

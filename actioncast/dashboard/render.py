"""Figures, problems or API schema -> HTML, and the files that it asks for.

No CDN, no build step, nothing inline that runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from actioncast.dashboard.api_reference import operations
from actioncast.dashboard.figures import PageFigures
from actioncast.monitoring.lights import Light, status_of
from actioncast.periods.words import Words
from actioncast.settings import Settings
from actioncast.text import number
from actioncast.times import isoformat, to_seconds

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


PHONE_SHARE = 3 / 7  # of the shown past, on either side of now: so that the interval can be seen


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
        "status": status_of,
        "turns": _turns,
        "unix": to_seconds,
    }
    return environment


def _time(words: Words, moment: datetime) -> Markup:
    """A moment in the zone of the series, as an element that a script can show in UTC."""
    return _element(words.moment(moment), moment)


def _period(words: Words, start: datetime) -> Markup:
    """The name of a period, likewise; a day or a month is one of the series' zone, whatever zone is shown."""
    if not words.timeline.frequency.is_within_day:
        return Markup("{}").format(words.period(start))
    return _element(words.period(start), start)


def _turns(light: Light) -> str:
    """When the light turns, and into what, for the script of the page."""
    return json.dumps([[to_seconds(turn.after), turn.status, turn.word] for turn in light.turns])


def _ends(words: Words, start: datetime) -> int:
    """The unix second at which a period is over."""
    timeline = words.timeline
    return to_seconds(timeline.end_of(timeline.number_of(start)))


def _element(text: str, moment: datetime) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(isoformat(moment), text)


def titles_of(settings: Settings) -> dict[str, str]:
    """The title of each series, its name without one."""
    return {name: series.title or name for name, series in settings.series.items()}


def render_page(
    page: PageFigures,
    links: Mapping[str, str],
    titles: Mapping[str, str],
    *,
    live: bool,
    clock_runs: bool = True,
) -> str:
    """The page of a series.

    `links` lead to the page of each series; a `live` page links to the API beside it. Without `clock_runs` its moment
    is not the reader's: ages and "now" stay as they are, as in a rehearsal.
    """
    template = _environment().get_template("page.html")
    return template.render(
        page=page,
        moment=partial(_time, page.words),
        period=partial(_period, page.words),
        ends=partial(_ends, page.words),
        zone=Markup("<span data-zone>{}</span>").format(page.words.zone),
        links=links,
        titles=titles,
        live=live,
        data=_script_data(page, live=live, clock_runs=clock_runs),
    )


def _script_data(page: PageFigures, *, live: bool, clock_runs: bool) -> Markup:
    """What the scripts of the page need, as JSON inside a script element."""
    frequency = page.words.timeline.frequency
    content = {
        **page.charts,
        "marks": [mark.as_json() for mark in page.marks],
        "series": page.series,
        "unit": page.unit,
        "coverageTarget": page.coverage,
        "zone": page.words.zone,
        "frequency": frequency.unit,
        "seconds": frequency.seconds,
        "noun": page.words.noun,
        "plural": page.words.plural,
        "naive": page.naive,
        "shownSeconds": page.shown * frequency.seconds,
        "ranges": page.ranges,
        "onPhone": PHONE_SHARE * page.shown * frequency.seconds,
    }
    # What a reader would see as new; another moment alone is not.
    seen = [content, [light.word for light in page.lights], [look.newest["checked_at"] for look in page.looks]]
    version = hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:12]
    data = {**content, "version": version, "now": to_seconds(page.now), "live": live, "clockRuns": clock_runs}
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


def render_problem(problem: Mapping[str, Any], *, root: str, retry_seconds: int | None) -> str:
    """What went wrong, for people. `root` leads from the address that was asked for to the page."""
    template = _environment().get_template("problem.html")
    return template.render(problem=problem, root=root, retry_seconds=retry_seconds)

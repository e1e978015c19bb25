"""Figures, problems or API schema -> HTML, and the files that it asks for.

No CDN, no build step, nothing inline that runs.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from actioncast.dashboard.api_reference import operations
from actioncast.dashboard.figures import PageFigures
from actioncast.dashboard.pictures import Theme, badge_of, picture_of
from actioncast.dashboard.sparklines import sparkline
from actioncast.monitoring.lights import WORST_FIRST, Light, Turn, status_of, worsening
from actioncast.monitoring.overview import SeriesRow
from actioncast.periods.words import Words
from actioncast.settings import Settings
from actioncast.text import duration, number
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


FIRST_ROWS = 60  # of all series: those below are laid out after the first paint
MOST_LINKS = 12  # to other series on the page of one; the table of all has the rest
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
    environment.globals["MOST_LINKS"] = MOST_LINKS
    environment.globals["FIRST_ROWS"] = FIRST_ROWS
    environment.filters |= {
        "number": number,
        "status": status_of,
        "turns": _turns,
        "row_turns": _row_turns,
        "spark": sparkline,
        "age": _age,
        "decimal": lambda value: "–" if value is None else f"{value:.2f}",  # noqa: RUF001
        "share": lambda value: "–" if value is None else f"{value:.0%}",  # noqa: RUF001
        "iso": isoformat,
        "minute": "{:%d %b %Y %H:%M}".format,
        "thousands": "{:,}".format,
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


def _row_turns(row: SeriesRow) -> str:
    """When a series becomes worse, and why; empty where no more can happen."""
    turns = []
    for light in row.lights:
        turns += [Turn(turn.after, turn.status, f"{light.name}: {turn.word}") for turn in light.turns]
    later = [turn for turn in worsening(turns) if WORST_FIRST.index(turn.status) < WORST_FIRST.index(row.status)]
    if not later:
        return ""
    return json.dumps([[to_seconds(turn.after), turn.status, turn.word] for turn in later], separators=(",", ":"))


def _age(moment: datetime | None, now: datetime) -> str:
    return duration(now - moment) if moment else "–"  # noqa: RUF001


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


def render_overview(
    rows: Sequence[SeriesRow],
    links: Mapping[str, str],
    now: datetime,
    *,
    live: bool,
    clock_runs: bool = True,
    incidents: Mapping[str, str] | None = None,
) -> str:
    """The table of all series. `incidents`: the address of the open issue about a series."""
    seen = [(row.series, row.why, row.ratio, row.coverage, row.known_until) for row in rows]
    data = {"now": to_seconds(now), "clockRuns": clock_runs, "live": live, "zone": "UTC", "version": _version(seen)}
    counts = Counter(row.status for row in rows)
    template = _environment().get_template("overview.html")
    return template.render(
        rows=rows,
        links=links,
        now=now,
        live=live,
        statuses=WORST_FIRST,
        counts=counts,
        incidents=defaultdict(str, incidents or {}),
        data=_as_script(data),
    )


def _version(seen: object) -> str:
    """A name for what a reader would see as new; another moment alone is not."""
    return hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:12]


def _as_script(data: Mapping[str, Any]) -> Markup:
    """JSON for a script element. A unit such as "</script>" must not end it: without "<" no tag can begin."""
    text = json.dumps(data, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _script_data(page: PageFigures, *, live: bool, clock_runs: bool) -> Markup:
    """What the scripts of the page need, as JSON inside a script element."""
    frequency = page.words.timeline.frequency
    content = {
        **page.charts,
        "marks": [mark.as_json() for mark in page.marks],
        "trainings": [training.as_json(page.words) for training in page.trainings],
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
    seen = [content, [light.word for light in page.lights], [look.newest["checked_at"] for look in page.looks]]
    moment = {"now": to_seconds(page.now), "live": live, "clockRuns": clock_runs}
    return _as_script({**content, **moment, "version": _version(seen)})


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


def render_chart(page: PageFigures, theme: Theme = "light") -> str:
    """The first chart of a page as SVG; an empty text while nothing is stored."""
    picture = picture_of(page, theme)
    if picture is None:
        return ""
    return _environment().get_template("chart.svg").render(picture=picture)


def render_badge(name: str, lights: Sequence[Light]) -> str:
    """The state of a series as SVG."""
    return _environment().get_template("badge.svg").render(badge=badge_of(name, lights)).lstrip()

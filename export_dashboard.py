"""Export: the page as files that any web server, or GitHub Pages, can show. The API need not run.

    python export_dashboard.py                        # to report/
    python export_dashboard.py --output public
    python export_dashboard.py --demo                 # what rehearse.py left in demo/ as of its end, or --demo FOLDER

Reads what the page of the API reads: `reality`, `predictions`, `checks`, the runs and
model/<series>/card.json.
Writes index.html (the table of all series, or the only one's page), NAME.html for each series,
NAME.svg (its chart as a picture), NAME.badge.svg (its state), NAME.json (its newest forecast, as
GET /forecast answers it) and assets/ below --output.
Exit codes: 0 written; 1 the database failed, or --demo without a rehearsal; 2 wrong flags,
config.toml or environment.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from actioncast.cli.script import add_demo_flag, run_without_database
from actioncast.dashboard import render
from actioncast.dashboard.figures import collect
from actioncast.database.database import Database, open_database
from actioncast.forecasting.card import read_card
from actioncast.monitoring.overview import overview
from actioncast.rehearsal import demo
from actioncast.report import Report
from actioncast.settings import Settings

INDEX = "index.html"


@dataclass(frozen=True)
class ExportReport(Report):
    """What was written. The first file is the page to open."""

    folder: Path
    files: list[str]
    bytes: int

    def as_json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "files": self.files, "bytes": self.bytes}

    def as_text(self) -> str:
        page = self.folder / self.files[0]
        return f"{len(self.files)} files, {self.bytes / 1024:,.0f} KiB. Look at it: {page}"


def run(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    folder: Path,
    clock_runs: bool = True,
) -> ExportReport:
    """Write the page of every series and its assets to the folder. Raises DatabaseError.

    Without `clock_runs` the page's ages stand still: `now` is not the reader's.
    """
    content: dict[str, bytes] = {}
    links = {series_id: f"{series_id}.html" for series_id in settings.series}
    titles = render.titles_of(settings)
    if len(links) > 1:
        rows = overview(settings, database, now, lambda name: read_card(settings.model_directory(name)))
        content[INDEX] = render.render_overview(rows, links, now, live=False, clock_runs=clock_runs).encode()
    for series_id, link in links.items():
        page = collect(settings, database, now, series_id)
        content[link] = render.render_page(page, links, titles, live=False, clock_runs=clock_runs).encode()
        content[f"{series_id}.badge.svg"] = render.render_badge(series_id, page.lights).encode()
        picture = render.render_chart(page)
        if picture:
            content[f"{series_id}.svg"] = picture.encode()
        if page.vintage:
            content[f"{series_id}.json"] = json.dumps(page.vintage.as_json()).encode()
    if INDEX not in content:
        content = {INDEX: content[next(iter(links.values()))], **content}
    for name, asset in render.assets().items():
        content[f"assets/{name}"] = asset
    return _write(folder, content)


def _write(folder: Path, content: Mapping[str, bytes]) -> ExportReport:
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    for name, body in content.items():
        (folder / name).write_bytes(body)
    total_bytes = sum(len(body) for body in content.values())
    return ExportReport(folder, list(content), total_bytes)


def _run(arguments: argparse.Namespace, settings: Settings) -> ExportReport:
    now = arguments.now
    if arguments.demo:
        settings = demo.demo_settings(arguments.demo)
        if not arguments.time_travel:
            now = demo.last_moment(settings)
    with open_database(settings) as database:
        clock_runs = not arguments.demo and not arguments.time_travel
        return run(settings, database, now, folder=arguments.output, clock_runs=clock_runs)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=Path("report"), help="folder to write (default: report/)")
    add_demo_flag(parser)


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(argv, __doc__, _run, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

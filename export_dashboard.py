"""Report: the page as files that any web server, or GitHub Pages, can show. The API need not run.

    python export_dashboard.py                        # to report/
    python export_dashboard.py --output public
    python export_dashboard.py --demo                 # what rehearse.py left in demo/, as of its end

Reads what the page of the API reads: `reality`, `predictions`, `checks`, the runs and model/<series>/card.json.
Writes index.html (the first series), NAME.html for each other series, NAME.json (the newest forecast of each, as
GET /forecast answers it) and assets/ below --output.
Exit codes: 0 written; 1 the database failed, or --demo without a rehearsal; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from actioncast.cli.script import run_without_database
from actioncast.dashboard import render
from actioncast.dashboard.figures import collect
from actioncast.database.database import Database, open_database
from actioncast.rehearsal import demo
from actioncast.settings import Settings


@dataclass(frozen=True)
class ExportReport:
    """What was written."""

    folder: Path
    files: list[str]
    bytes: int
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "files": self.files, "bytes": self.bytes}

    def as_text(self) -> str:
        return f"{len(self.files)} files, {self.bytes / 1024:,.0f} KiB. Look at it: {self.folder / self.files[0]}"


def run(settings: Settings, database: Database, now: datetime, *, folder: Path) -> ExportReport:
    """Write the page of every series and what it needs. Raises DatabaseError."""
    names = list(settings.series)
    links = {name: f"{name}.html" if i else "index.html" for i, name in enumerate(names)}
    titles = {name: wanted.title or name for name, wanted in settings.series.items()}
    content: dict[str, bytes] = {}
    for name in names:
        shown = collect(settings, database, now, name)
        content[links[name]] = render.render(shown, links, titles, live=False).encode()
        if shown.vintage:
            content[f"{name}.json"] = json.dumps(shown.vintage.as_json()).encode()
    content |= {f"assets/{name}": body for name, body in render.assets().items()}
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    for name, body in content.items():
        (folder / name).write_bytes(body)
    return ExportReport(folder, list(content), sum(map(len, content.values())))


def _story(arguments: argparse.Namespace, settings: Settings) -> ExportReport:
    now = arguments.now
    if arguments.demo:
        settings = demo.demo_settings()
        now = now if arguments.time_travel else demo.last_moment(settings)
    with open_database(settings) as database:
        return run(settings, database, now, folder=arguments.output)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=Path("report"), help="folder to write (default: report/)")
    parser.add_argument("--demo", action="store_true", help="the rehearsal in demo/ instead of your own series")


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(argv, __doc__, _story, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

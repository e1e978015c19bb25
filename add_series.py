"""Add a series: look at a file or URL, show what it holds, write its table into config.toml, load its hours.

Detects delimiter, decimal sign, columns, the form of times, time zone, frequency, what a stamp names,
counters. What only a person knows is asked at a terminal; each answer is a flag too. With --yes nobody
is asked: what is certain is taken, and the first question that is not is the error. Nothing is written
before the hours could be read with the new table.

    python add_series.py FILE_OR_URL --dry-run         # what it would write
    python add_series.py FILE_OR_URL
    python add_series.py FILE_OR_URL --name load --value load_mw --timezone Europe/Madrid --yes

Reads the file or URL and config.toml; appends a table to config.toml, and writes what update_real_data.py writes.
Exit codes: 0 added, or shown only (it says which); 1 a question is open, the data cannot be read, or the load failed;
2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actioncast.cli import answers, many_series, new_series
from actioncast.cli.look import Look
from actioncast.cli.script import run_without_database
from actioncast.ingestion.detection import picture
from actioncast.redaction import redacted
from actioncast.report import Report
from actioncast.settings import Settings


@dataclass(frozen=True)
class AddedReport(Report):
    """What was written and loaded. `load` is the report of update_real_data.py, empty where nothing was loaded."""

    series: str
    outcome: str
    table: str
    load: dict[str, Any]
    next_command: str

    @property
    def failed(self) -> bool:
        return self.load.get("outcome") == "failed"

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "outcome": self.outcome,
            "table": redacted(self.table),
            "load": self.load,
            "next": self.next_command,
        }

    def as_text(self) -> str:
        if self.failed:
            fault = f"its values could not be loaded: {self.load['error']}"
            return (
                f"{self.series}: {self.outcome}, but {fault}\nagain: python update_real_data.py --series {self.series}"
            )
        if not self.load:
            return f"{self.series}: {self.outcome}"
        loaded = f"{self.load['periods_loaded']} periods loaded, the last {self.load['last_period']}"
        return f"{self.series}: {self.outcome}; {loaded}\nnext: {self.next_command}"


def run(arguments: argparse.Namespace, settings: Settings) -> AddedReport:
    """Look, show, ask, write, load. Raises ActioncastError."""
    name = new_series.name_for(arguments.address, arguments.name, settings)
    body = new_series.body_at(arguments.address, settings, arguments.now)
    look = Look(arguments, settings, name, answers.given(arguments))
    seen = look.at(body)
    look.show(seen)
    if arguments.png:
        arguments.png.write_bytes(picture.png(seen.grid.values))
    if arguments.dry_run:
        return _not_written(name, seen.table, "nothing was written (--dry-run)")
    if not look.agreed():
        return _not_written(name, seen.table, "nothing was written")
    new_series.refuse_stored(name, settings)
    if arguments.copy:
        new_series.copy_file(arguments.address, settings)
    new_series.append(arguments.config, seen.table)
    load = many_series.run_one("update_real_data", arguments.config, seen.now, {}, name)
    command = f"python train.py --series {name}{seen.now_flag}"
    return AddedReport(name, "written to config.toml", seen.table, load, command)


def _not_written(name: str, table: str, outcome: str) -> AddedReport:
    return AddedReport(series=name, outcome=outcome, table=table, load={}, next_command="")


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "address", metavar="FILE_OR_URL", help="a file, or a URL, in which {start} and {end} are filled in"
    )
    parser.add_argument("--name", help="of the new series (default: from the file's name)")
    parser.add_argument("--yes", action="store_true", help="ask nothing: take what is certain, fail where it is not")
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, write nothing")
    parser.add_argument("--png", type=Path, metavar="FILE", help="write the picture to this file too")
    parser.add_argument("--copy", action="store_true", help="copy the file to data/ beside config.toml")
    answers.add_flags(parser)


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(argv, __doc__, run, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

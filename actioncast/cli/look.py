"""The look that add_series.py takes at an unknown source: detect, ask, read as the load will, and show it."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from actioncast.arrays import Values, np
from actioncast.cli import new_series
from actioncast.config import with_rows
from actioncast.ingestion import ingestion
from actioncast.ingestion.detection import picture, table
from actioncast.ingestion.detection.proposal import Proposal, propose
from actioncast.ingestion.detection.questions import QuestionError
from actioncast.ingestion.detection.rhythm import SECONDS_EARLY
from actioncast.ingestion.health import look as health
from actioncast.ingestion.health.report import HealthReport
from actioncast.periods.grid import Grid, Periods, to_grid
from actioncast.periods.timeline import Timeline
from actioncast.redaction import redacted
from actioncast.settings import Settings, SettingsError
from actioncast.text import number
from actioncast.times import from_seconds, isoformat

PICTURE_LINES = 8
WIDEST = 120  # characters of a picture
DEFAULT_WIDTH = 80
SHOWN_VALUES = 3  # first and last hours


@dataclass(frozen=True)
class Seen:
    """What the look found."""

    table: str  # of config.toml
    lines: list[str]
    hours: Periods
    timeline: Timeline
    rejected_share: float  # of the points
    timezone: str
    now: datetime  # at which the hours are complete
    is_recording: bool  # the file ended before now

    @property
    def grid(self) -> Grid:
        return to_grid(self.hours.starts, self.hours.values, self.timeline)

    @property
    def now_flag(self) -> str:
        """Of the next commands: they too act as at the end of a finished recording."""
        return f" --now {isoformat(self.now)}" if self.is_recording else ""


@dataclass
class Look:
    """A look at one address. `answers` grow with each question that a person answers."""

    arguments: argparse.Namespace
    settings: Settings
    name: str
    answers: dict[str, Any]
    assumptions: list[str] = field(default_factory=list)

    @property
    def is_interactive(self) -> bool:
        return sys.stdin.isatty() and not self.arguments.yes and not self.arguments.json

    def at(self, body: bytes) -> Seen:
        """Detect, and read the hours as the load will read them. Raises ActioncastError."""
        proposal = self._detected(body)
        document = self._document(proposal, copies=False)
        settings = with_rows(self.settings, {self.name: json.dumps(document)})
        if self.name in settings.broken:
            raise SettingsError(f"the table that was detected is not valid: {settings.broken[self.name]}")
        now, is_recording = self._moment(settings, proposal.newest)
        reading = ingestion.read_series(settings, self.name, since=None, now=now)
        hours = reading.periods()
        if not len(hours):
            raise new_series.NewSeriesError("no period is complete with this table")
        return Seen(
            table=table.text_of(self.name, self._document(proposal, copies=self.arguments.copy)),
            lines=[*proposal.lines, *self.assumptions, *self._notes(document["source"])],
            hours=hours,
            timeline=settings.series[self.name].timeline,
            rejected_share=len(reading.rejections) / max(1, reading.points_read),
            timezone=proposal.source.get("timezone", "UTC"),
            now=now,
            is_recording=is_recording,
        )

    def _detected(self, body: bytes) -> Proposal:
        while True:
            try:
                return propose(body, self.answers)
            except ValidationError as error:
                raise SettingsError(f"an answer cannot be used: {error.errors()[0]['msg']}") from None
            except QuestionError as question:
                answer = self._answer(question)
                if question.flag == "where":
                    key, _, value = answer.partition("=")
                    answer = {**self.answers.get("where", {}), key: value}
                self.answers[question.flag] = answer

    def _answer(self, question: QuestionError) -> Any:
        """The answer of a person, or the default where nobody is asked. Raises the question without one."""
        if not self.is_interactive:
            if not question.default:
                raise question
            flag = question.flag.replace("_", "-")
            self.assumptions.append(f"assumed: {question.flag} = {question.default} (--{flag} says otherwise)")
            return question.default
        return asked(question)

    def _document(self, proposal: Proposal, *, copies: bool) -> dict[str, Any]:
        """The table as it will stand in config.toml; with `copies` it names the copy of the file."""
        address = new_series.address_keys(
            self.arguments.address,
            proposal.form,
            self.settings,
            copies=copies,
        )
        title = self.answers.get("title")
        heading = {"title": title} if title else {}
        return {**heading, **proposal.series, "source": {**address, **proposal.source}}

    def _notes(self, source: dict[str, Any]) -> list[str]:
        is_elsewhere = Path(source.get("path", "")).is_absolute() and not self.arguments.copy
        note = "the file lies outside the folder of config.toml; --copy puts it into data/, where git takes it along"
        return [note] if is_elsewhere else []

    def _moment(self, settings: Settings, newest: float) -> tuple[datetime, bool]:
        """Until when to read: now, or the end of a file whose newest point is old."""
        now: datetime = self.arguments.now
        is_file = not new_series.is_url(self.arguments.address)
        timeline = settings.series[self.name].timeline
        end = timeline.shift(from_seconds(int(newest) + SECONDS_EARLY), 1)
        is_old = now - end > settings.freshness_of(self.name).source
        if is_file and is_old and not self.arguments.time_travel:
            return end, True
        return now, self.arguments.time_travel

    def show(self, seen: Seen) -> None:
        """Print what was detected, the picture, the first and last hours and the table."""
        stream = sys.stderr if self.arguments.json else sys.stdout
        lines = [f"  {line}" for line in seen.lines]
        health_report = HealthReport(
            series=self.name,
            history=seen.grid,
            rejected_share=seen.rejected_share,
            findings=health.whole(seen.grid),
        )
        parts = [
            "detected:",
            *lines,
            "",
            *drawn(seen.grid.values),
            "",
            *_ends(seen),
            "",
            health_report.as_text(),
            "",
            redacted(seen.table),
        ]
        print("\n".join(parts), file=stream)

    def agreed(self) -> bool:
        """Whether to write the table."""
        if self.arguments.yes:
            return True
        if not self.is_interactive:
            raise new_series.NewSeriesError("nobody can be asked here; say --yes to write the table, or --dry-run")
        return answer_to("Write it? [y/N] ").lower() in ("y", "yes")


def answer_to(prompt: str) -> str:
    """A line from the terminal. Raises NewSeriesError where it ends."""
    try:
        return input(prompt).strip()
    except EOFError:
        raise new_series.NewSeriesError("no answer came; nothing was written") from None


def asked(question: QuestionError) -> str:
    """Ask at the terminal, until the answer is one of the choices, or their number."""
    print(question.text)
    for position, choice in enumerate(question.choices, 1):
        print(f"  {position}  {choice}")
    default = f" [{question.default}]" if question.default else ""
    while True:
        answer = answer_to(f"{question.flag}{default}: ") or question.default
        if answer.isdigit() and 1 <= int(answer) <= len(question.choices):
            return question.choices[int(answer) - 1]
        if answer and (answer in question.choices or not question.choices):
            return answer


def drawn(values: Values) -> list[str]:
    """The picture in the width of the terminal, with its highest and lowest value."""
    width = min(shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns, WIDEST)
    encoding = (sys.stdout.encoding or "").lower()
    in_characters = picture.in_braille if encoding.startswith("utf") else picture.in_ascii
    lines = in_characters(values, width - 12, PICTURE_LINES)
    labels = [""] * PICTURE_LINES
    labels[0] = number(float(np.nanmax(values)))
    labels[-1] = number(float(np.nanmin(values)))
    return [f"{label:>10}  {line}".rstrip() for label, line in zip(labels, lines, strict=True)]


def _ends(seen: Seen) -> list[str]:
    """The first and the last hours, on the clock of the file and in UTC."""
    zone = ZoneInfo(seen.timezone)
    lines = []
    positions = [*range(SHOWN_VALUES), *range(-SHOWN_VALUES, 0)]
    for position in dict.fromkeys(p % len(seen.hours) for p in positions if abs(p) <= len(seen.hours)):
        moment = from_seconds(int(seen.hours.starts[position]))
        local = moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        clock = "" if seen.timezone == "UTC" else f"{local} {seen.timezone} = "
        lines.append(f"{clock}{isoformat(moment)}  {number(float(seen.hours.values[position]))}")
    return lines

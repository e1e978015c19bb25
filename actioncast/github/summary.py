"""What a job shows on GitHub: annotations, outputs, and a step summary in Markdown with Mermaid charts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from actioncast.paths import DEFAULT_CONFIG
from actioncast.redaction import environment_secrets, masked, without_credentials
from actioncast.text import number, table

Report = Mapping[str, Any]  # what a script prints with --json
Row = Mapping[str, Any]  # of the view `performance`
Line = Sequence[float | None]  # of a chart
NamedLine = tuple[str, Line]  # lines of one name have one colour

SHOWN_CANDIDATES = 10
SHOWN_BARS = 6
SHOWN_PERIODS = 48  # of a chart: more points than this are not legible
# Colours that can be told from a white and from a dark ground, and from each other, with the sign of the legend.
COLOURS = (("#3b82f6", "🟦"), ("#d97706", "🟧"), ("#10a37f", "🟩"))
TEXT_COLOUR = "#808890"
HEADROOM = 1.05  # times the largest value, at the top of a chart
ETL_KEYS = (
    "outcome",
    "periods_loaded",
    "periods_missing",
    "points_read",
    "points_rejected",
    "last_period",
)
FORECAST_KEYS = ("issued_at", "origin", "model_version")
CHECK_KEYS = (
    "verdict",
    "scored_periods",
    "newest_period",
    "mae",
    "reference_mae",
    "naive_mae",
    "coverage",
    "dispatched",
)


def write(text: str) -> None:
    """Append to the summary of this step, without secrets; does nothing outside GitHub.

    The runner masks its own log, not this file.
    """
    _append("GITHUB_STEP_SUMMARY", f"{without_job_secrets(text)}\n\n")


def output(name: str, value: str) -> None:
    """Set an output of this step, which later steps and jobs can read; does nothing outside GitHub."""
    _append("GITHUB_OUTPUT", f"{name}={value}\n")


def _append(variable: str, text: str) -> None:
    """Append to the file that this variable of GitHub's runners names."""
    path = os.environ.get(variable)
    if not path:
        return
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


def without_job_secrets(text: str) -> str:
    """The text without the secrets that this job's environment holds, and without what looks like one."""
    config = DEFAULT_CONFIG.read_text(encoding="utf-8") if DEFAULT_CONFIG.is_file() else ""
    return masked(without_credentials(text), environment_secrets(os.environ, config))


def notice(title: str, message: str) -> None:
    """Say what is still to be set up, as an annotation of the run and in its summary."""
    print(f"::notice title={title}::{message}")
    write(f"> [!NOTE]\n> **{title}**: {message}")


def warning(title: str, message: str) -> None:
    """Say what did not work and stops nothing, as an annotation of the run and in its summary."""
    message = without_job_secrets(message)
    print(f"::warning title={title}::{message}")
    write(f"> [!WARNING]\n> **{title}**: {message}")


def failure(title: str, message: str) -> None:
    """Say what failed, as an annotation of the run and in its summary."""
    message = without_job_secrets(message)
    annotation = message.replace("\n", "%0A")
    quotation = message.replace("\n", "\n> ")
    print(f"::error title={title}::{annotation}")
    write(f"> [!CAUTION]\n> **{title}**: {quotation}")


# --- charts -----------------------------------------------------------------------------------------------------------


def line_chart(title: str, x_title: str, y_title: str, lines: Sequence[NamedLine]) -> str:
    """A Mermaid chart of lines that share their x positions 1, 2, ..., with a legend; a gap repeats the value before
    it."""
    filled_lines = [(name, _filled(line)) for name, line in lines if _has_value(line)]
    if not filled_lines or len(filled_lines[0][1]) < 2:
        return ""
    names = list(dict.fromkeys(name for name, _ in filled_lines))
    colours = [COLOURS[names.index(name) % len(COLOURS)][0] for name, _ in filled_lines]
    x_axis = f'"{_plain(x_title)}" 1 --> {len(filled_lines[0][1])}'
    y_axis = f"{_quoted(y_title)} {_range([value for _, line in filled_lines for value in line])}"
    marks = [f"line {_values(line)}" for _, line in filled_lines]
    chart = _chart(title, x_axis, y_axis, marks, colours)
    return f"{chart}\n\n{_legend(names)}"


def bar_chart(title: str, bars: Mapping[str, float], y_title: str) -> str:
    """A Mermaid chart of bars. They are numbered, and named below it: names side by side would overlap."""
    if not bars:
        return ""
    numbers = ", ".join(f'"{number}"' for number in range(1, len(bars) + 1))
    heights = list(bars.values())
    y_axis = f"{_quoted(y_title)} {_range(heights)}"
    chart = _chart(title, f"[{numbers}]", y_axis, [f"bar {_values(heights)}"], [COLOURS[0][0]])
    names = " · ".join(f"{number} {name}" for number, name in enumerate(bars, start=1))
    return f"{chart}\n\n{names}"


def _chart(title: str, x_axis: str, y_axis: str, marks: Sequence[str], colours: Sequence[str]) -> str:
    lines = [
        "```mermaid",
        _theme(colours),
        "xychart-beta",
        f"    title {_quoted(title)}",
        f"    x-axis {x_axis}",
        f"    y-axis {y_axis}",
        *(f"    {mark}" for mark in marks),
        "```",
    ]
    return "\n".join(lines)


def _theme(colours: Sequence[str]) -> str:
    """Without it Mermaid draws most lines in colours that a white ground, or a dark one, swallows."""
    variables = {"backgroundColor": "transparent", "titleColor": TEXT_COLOUR}
    variables["plotColorPalette"] = ", ".join(colours)
    for axis in ("xAxis", "yAxis"):
        variables |= {f"{axis}{part}Color": TEXT_COLOUR for part in ("Label", "Title", "Tick", "Line")}
    return f"%%{{init: {json.dumps({'theme': 'base', 'themeVariables': {'xyChart': variables}})}}}%%"


def _range(values: Sequence[float]) -> str:
    """From zero, or below it where a value is."""
    lowest = min(0.0, *values)
    highest = max(0.0, *values) or 1.0
    return f"{HEADROOM * lowest:.6g} --> {HEADROOM * highest:.6g}"


def _legend(names: Sequence[str]) -> str:
    return " · ".join(f"{COLOURS[index % len(COLOURS)][1]} {name}" for index, name in enumerate(names))


def _quoted(text: str) -> str:
    return f'"{_plain(text)}"'


def _plain(text: str) -> str:
    """The text without what would end a string of Mermaid's."""
    return text.replace('"', "'").replace("\n", " ")


def _values(numbers: Sequence[float]) -> str:
    texts = [f"{number:.6g}" for number in numbers]
    return f"[{', '.join(texts)}]"


def _has_value(line: Line) -> bool:
    return any(value is not None for value in line)


def _filled(line: Line) -> list[float]:
    """The line without gaps; those at its beginning get its first value."""
    last = next(value for value in line if value is not None)
    filled = []
    for value in line:
        if value is not None:
            last = value
        filled.append(last)
    return filled


# --- the section of each script ---------------------------------------------------------------------------------------


def etl(report: Report, unit: str, newest: Line, noun: str = "hour", plural: str = "hours") -> str:
    """Section of an ingestion. `newest`: the last stored periods, None where one is missing."""
    chart = line_chart(
        title=f"The last stored {plural}",
        x_title=noun,
        y_title=unit,
        lines=[("reality", newest[-SHOWN_PERIODS:])],
    )
    loaded = report["periods_loaded"] or 0
    words = f"{loaded:,} {noun if loaded == 1 else plural} loaded" if loaded else str(report["outcome"])
    last_period = report["last_period"]
    sentence = f"{words}; the newest begins {last_period}" if last_period else words
    below = "".join([_left_out(report), _warnings(report), chart])
    return _section(report, sentence, _rows(report, ETL_KEYS), below)


def _left_out(report: Report) -> str:
    """What an ingestion left out or found odd: as plain text, which no source can turn into Markdown."""
    lines = []
    for row in report["rejected_by_reason"]:
        examples = "; ".join(row["examples"])
        lines.append(f"    {row['count']} points: {row['reason']}, e.g. {examples}")
    lines += [f"    {note}" for note in report["notes"]]
    if not lines:
        return ""
    return "\n".join(["Left out, and to be looked at:", "", *lines, "", ""])


def _warnings(report: Report) -> str:
    """What looks wrong in the newest periods."""
    lines = [f"- warning: {warning}" for warning in report["warnings"]]
    return "\n".join([*lines, "", ""]) if lines else ""


def forecast(report: Report, unit: str, plural: str = "hours") -> str:
    """Section of a forecast, with its first periods."""
    predictions = report["predictions"]
    ahead = predictions[:SHOWN_PERIODS]
    rows = _rows(report, FORECAST_KEYS)
    rows.append([plural, len(predictions)])
    chart = line_chart(
        title="Forecast with its interval",
        x_title=f"{plural} ahead",
        y_title=unit,
        lines=[
            ("forecast", [row["prediction"] for row in ahead]),
            ("interval", [row["lower"] for row in ahead]),
            ("interval", [row["upper"] for row in ahead]),
        ],
    )
    values = [row["prediction"] for row in predictions]
    sentence = f"{len(predictions)} {plural} are forecast"
    if values:
        sentence += f", {number(min(values))} to {number(max(values))} {unit}"
    if report.get("fallback"):
        sentence += f", by a naive: {report['fallback_reason']}"
    return _section(report, sentence, rows, chart)


def check(report: Report, unit: str, rows: Sequence[Row]) -> str:
    """Section of a check. `rows` of the view `performance`, ascending, of the last days."""
    days = list(_scored_days(rows))
    chart = line_chart(
        title="Mean error per day",
        x_title="day",
        y_title=unit,
        lines=[
            ("champion", [_mean(day, "absolute_error") for day in days]),
            ("seasonal naive", [_mean(day, "naive_error") for day in days]),
        ],
    )
    asked = ", and a retrain was asked for" if report["dispatched"] else ""
    reasons = "\n".join(f"- {reason}" for reason in report["reasons"])
    sentence = f"the verdict on the live error is {report['verdict']}{asked}"
    return _section(report, sentence, _rows(report, CHECK_KEYS), f"{reasons}\n\n{chart}")


def _scored_days(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The periods with a live error, day by day."""
    scored = [row for row in rows if row["absolute_error"] is not None]
    for _, day in groupby(scored, key=_day_of):
        yield list(day)


def _day_of(row: Row) -> date:
    day: date = row["prediction_date"].date()
    return day


def _mean(rows: Sequence[Row], column: str) -> float | None:
    """Mean of the periods that have this error, None without one."""
    errors = [row[column] for row in rows if row[column] is not None]
    return fmean(errors) if errors else None


def training(report: Report, unit: str) -> str:
    """Section of a training: its verdict and the leaders of its backtest."""
    tried = [row for row in report["leaderboard"] if row["mae"] is not None]
    rows = []
    for rank, row in enumerate(tried[:SHOWN_CANDIDATES], start=1):
        rows.append([rank, row["candidate"], row["mae"], row["mase"]])
    bars = {row["candidate"]: row["mae"] for row in tried[:SHOWN_BARS]}
    champion = report["champion"]
    parts = [
        f"### {report['series']}: {report['verdict']}, {report['reason']}",
        f"serving: {champion['name']}, version {champion['version']}",
        table(["rank", "candidate", f"MAE, {unit}", "MASE"], rows),
        bar_chart("Backtest error of the leaders", bars, unit),
    ]
    return "\n\n".join(parts)


def _rows(report: Report, keys: Sequence[str]) -> list[list[Any]]:
    """Rows of a table: the name of a figure, and the figure."""
    return [[key.replace("_", " "), report.get(key)] for key in keys]


def _section(report: Report, sentence: str, rows: Sequence[Sequence[Any]], below: str) -> str:
    """The verdict in a sentence first; then the figures."""
    parts = [f"### {report['series']}: {sentence}", table(["", "value"], rows), below]
    return "\n\n".join(parts).rstrip()

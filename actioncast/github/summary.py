"""What a job tells on GitHub: annotations, and a step summary in Markdown with Mermaid charts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from actioncast.text import table

Figures = Mapping[str, Any]
SHOWN_CANDIDATES = 10
SHOWN_HOURS = 48  # of a chart: more points than this are not legible


def write(text: str) -> None:
    """Append to the summary of this step; nothing outside GitHub."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(f"{text}\n\n")


def output(name: str, value: str) -> None:
    """Set an output of this step; nothing outside GitHub."""
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        with Path(path).open("a", encoding="utf-8") as outputs:
            outputs.write(f"{name}={value}\n")


def notice(title: str, message: str) -> None:
    """Say what is still to be set up, as an annotation of the run and in its summary."""
    print(f"::notice title={title}::{message}")
    write(f"> [!NOTE]\n> **{title}**: {message}")


def failure(title: str, message: str) -> None:
    """Say what failed, as an annotation of the run and in its summary."""
    print(f"::error title={title}::{message.replace(chr(10), '%0A')}")
    write(f"> [!CAUTION]\n> **{title}**: " + message.replace("\n", "\n> "))


def line_chart(title: str, x_title: str, y_title: str, *lines: Sequence[float | None]) -> str:
    """A Mermaid chart of lines that share their x positions 1, 2, ...; a gap repeats the value before it."""
    drawn = [_filled(line) for line in lines if any(value is not None for value in line)]
    if not drawn or len(drawn[0]) < 2:
        return ""
    marks = "".join(f"    line [{', '.join(f'{value:.6g}' for value in line)}]\n" for line in drawn)
    return _chart(title, f'"{x_title}" 1 --> {len(drawn[0])}', y_title, marks)


def bar_chart(title: str, bars: Mapping[str, float], y_title: str) -> str:
    """A Mermaid chart of named bars."""
    if not bars:
        return ""
    names = ", ".join(f'"{_plain(name)}"' for name in bars)
    return _chart(title, f"[{names}]", y_title, f"    bar [{', '.join(f'{value:.6g}' for value in bars.values())}]\n")


def _chart(title: str, x_axis: str, y_title: str, marks: str) -> str:
    head = f'xychart-beta\n    title "{_plain(title)}"\n    x-axis {x_axis}\n    y-axis "{_plain(y_title)}"\n'
    return f"```mermaid\n{head}{marks}```"


def _plain(text: str) -> str:
    return text.replace('"', "'").replace("\n", " ")


def _filled(line: Sequence[float | None]) -> list[float]:
    known = next(value for value in line if value is not None)
    filled = []
    for value in line:
        known = known if value is None else value
        filled.append(known)
    return filled


def etl(report: Figures, unit: str, newest: Sequence[float | None]) -> str:
    """`newest`: the last stored hours, None where one is missing."""
    keys = ("outcome", "hours_loaded", "hours_missing", "points_read", "points_rejected", "last_hour")
    chart = line_chart("The last stored hours", "hour", unit, newest[-SHOWN_HOURS:])
    return _section(report, [[_words(key), report[key]] for key in keys], chart)


def forecast(report: Figures, unit: str) -> str:
    ahead = report["predictions"][:SHOWN_HOURS]
    rows = [[_words(key), report[key]] for key in ("issued_at", "origin", "model_version")]
    lines = [[row[name] for row in ahead] for name in ("prediction", "lower", "upper")]
    chart = line_chart("Forecast with its interval", "hours ahead", unit, *lines)
    return _section(report, [*rows, ["hours", len(report["predictions"])]], chart)


def check(report: Figures, unit: str, rows: Sequence[Figures]) -> str:
    """`rows` of the view `performance`, ascending, of the last days."""
    days = _by_day(rows)
    keys = ("verdict", "scored_hours", "newest_hour", "mae", "reference_mae", "naive_mae", "coverage", "dispatched")
    reasons = "\n".join(f"- {reason}" for reason in report["reasons"])
    lines = ([live for live, _ in days], [naive for _, naive in days])
    chart = line_chart("Mean error per day: champion, then weekly naive", "day", unit, *lines)
    return _section(report, [[_words(key), report.get(key)] for key in keys], f"{reasons}\n\n{chart}")


def _by_day(rows: Sequence[Figures]) -> list[tuple[float, float | None]]:
    """Mean live error and mean naive error of each day with scored hours."""
    scored = [row for row in rows if row["absolute_error"] is not None]
    days = [list(day) for _, day in groupby(scored, key=lambda row: row["prediction_date"].date())]
    naive = [[row["naive_error"] for row in day if row["naive_error"] is not None] for day in days]
    return [
        (fmean(row["absolute_error"] for row in day), fmean(errors) if errors else None)
        for day, errors in zip(days, naive, strict=True)
    ]


def training(report: Figures, unit: str) -> str:
    board = [row for row in report["leaderboard"] if row["mae"] is not None]  # those that were tried
    rows = [[i, row["candidate"], row["mae"], row["mase"]] for i, row in enumerate(board[:SHOWN_CANDIDATES], 1)]
    shown = {row["candidate"]: row["mae"] for row in board[:6]}
    verdict = f"**{report['verdict']}**: {report['reason']}"
    serving = f"serving: {report['champion']['name']}, version {report['champion']['version']}"
    leaders = table(["rank", "candidate", f"MAE, {unit}", "MASE"], rows)
    chart = bar_chart("Backtest error of the leaders", shown, unit)
    return f"### {report['series']}\n\n{verdict}\n\n{serving}\n\n{leaders}\n\n{chart}"


def _section(report: Figures, rows: Sequence[Sequence[Any]], below: str) -> str:
    return f"### {report['series']}\n\n{table(['', 'value'], [[k, _shown(v)] for k, v in rows])}\n\n{below}".rstrip()


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "-" if value is None else str(value)


def _words(key: str) -> str:
    return key.replace("_", " ")

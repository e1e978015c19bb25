"""What a person sees: tables and progress bars."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, aligned so that it reads well in a terminal too; numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(headers, *cells, strict=True)]
    numeric = [bool(rows) and all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(headers))]
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, numeric, strict=True)]
    return "\n".join(
        "| " + " | ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in zip(line, widths, numeric, strict=True)) + " |"
        for line in (headers, rule, *cells)
    )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value).replace("|", "\\|")


@contextmanager
def progress(description: str, total: float, unit: str = "it") -> Iterator[Callable[[float], object]]:
    """A bar on stderr when a person is watching, nothing otherwise. Yields a function that advances it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(desc=description, total=total or None, unit=unit, unit_scale=True, leave=False) as bar:
        yield bar.update


def duration(age: timedelta) -> str:
    """About how long: 40 min, 5 h, 12 days."""
    minutes = max(age / timedelta(minutes=1), 0.0)
    if minutes < 60:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:,.0f} days"


def hours(count: int, kind: str = "") -> str:
    """1 hour, 24 scored hours."""
    return f"{count:,} {kind}hour{'s' if count != 1 else ''}"


def number(value: float | None) -> str:
    """12,034, 12.03 or a dash."""
    if value is None or not math.isfinite(value):
        return "\N{EN DASH}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def short(value: float | None) -> float | None:
    """Five figures are more than a screen shows."""
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None

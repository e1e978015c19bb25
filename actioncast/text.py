"""Text for a person: tables, progress bars, durations, counts and numbers."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, aligned so that it reads well in a terminal too; columns of numbers to the right."""
    columns = []
    for index, header in enumerate(headers):
        values = [row[index] for row in rows]
        columns.append(_column(header, values))
    lines = zip(*columns, strict=True)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _column(header: str, values: Sequence[object]) -> list[str]:
    """A header, a rule and a cell for each value, all of the same width."""
    cells = [_cell(value) for value in values]
    width = max(len(text) for text in [header, *cells])
    is_numeric = bool(values) and all(isinstance(value, int | float | None) for value in values)
    if is_numeric:
        rule = "-" * (width - 1) + ":"
        return [header.rjust(width), rule, *(text.rjust(width) for text in cells)]
    rule = "-" * width
    return [header.ljust(width), rule, *(text.ljust(width) for text in cells)]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    # A bar would end the cell.
    return str(value).replace("|", "\\|")


@contextmanager
def progress(
    description: str,
    total: float,
    unit: str = "it",
) -> Iterator[Callable[[float], object]]:
    """A bar on stderr when a person is watching, nothing otherwise.

    Yields a function that advances it.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(
        desc=description,
        total=total or None,
        unit=unit,
        unit_scale=True,
        leave=False,
    ) as bar:
        yield bar.update


def duration(age: timedelta) -> str:
    """About how long: 40 min, 5 h, 12 days."""
    minutes = max(age / timedelta(minutes=1), 0.0)
    if minutes < 60:
        return f"{minutes:.0f} min"
    if minutes < 48 * 60:
        return f"{minutes / 60:.0f} h"
    return f"{minutes / 1440:,.0f} days"


def number(value: float | None) -> str:
    """12,034, 12.03 or a dash."""
    if value is None or not math.isfinite(value):
        return "\N{EN DASH}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def short(value: float | None) -> float | None:
    """Rounded to five figures, more than a screen shows; None for NaN and infinity, which JSON does not have."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.5g}")

"""A series in a hundred pixels: the line of its overview row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from actioncast.monitoring.overview import SeriesRow

WIDTH = 112  # pixels
HEIGHT = 24
MARGIN = 2  # above and below the line

Point = tuple[int, float]  # unix second, value


class Sparkline(NamedTuple):
    """Points of two SVG polylines; the second begins where the first ends."""

    past: str
    ahead: str


def sparkline(row: SeriesRow) -> Sparkline:
    """The stored past and the forecast of a series, on one scale."""
    points = [*row.past, *row.ahead]
    if not points:
        return Sparkline("", "")
    begin, end = points[0][0], points[-1][0]
    values = [value for _, value in points]
    lowest, highest = min(values), max(values)

    def text(part: Sequence[Point]) -> str:
        pairs = []
        for second, value in part:
            x = WIDTH * (second - begin) / (end - begin or 1)
            y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - lowest) / (highest - lowest or 1)
            pairs.append(f"{x:.0f},{y:.0f}")
        return " ".join(pairs)

    return Sparkline(text(row.past), text([*row.past[-1:], *row.ahead]) if row.ahead else "")

"""Where in the week the live error and the bias are: a cell for each weekday and hour. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from zoneinfo import ZoneInfo

from actioncast.monitoring.live_error import Row
from actioncast.periods.timeline import Timeline
from actioncast.text import number

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOURS = tuple(f"{hour:02d}" for hour in range(24))
FEWEST = 24  # scored periods: of fewer a picture says nothing


@dataclass(frozen=True)
class Cell:
    """One place of the grid. `error` and `bias` are shares of the largest error, for the shade; `text` says both."""

    column: int
    row: int
    error: float
    bias: float  # positive: forecast too high
    text: str


@dataclass(frozen=True)
class Heatmap:
    """The cells that have a scored period, and the names of rows and columns."""

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Cell]
    largest: float  # mean absolute error, in the series' unit
    bias: float  # of all periods


def heatmap(scored: Sequence[Row], timeline: Timeline) -> Heatmap | None:
    """By weekday and hour within a day, by weekday of days, by month of months; None for others and for too few.

    `scored` are rows of the view `performance` with reality.
    """
    names = _names(timeline)
    if names is None or len(scored) < FEWEST:
        return None
    rows, columns = names
    errors: dict[tuple[int, int], list[float]] = defaultdict(list)
    zone = ZoneInfo(timeline.timezone)
    for row in scored:
        place = _place(row["prediction_date"].astimezone(zone), timeline)
        errors[place].append(row["prediction"] - row["reality"])
    means = {place: fmean(abs(error) for error in found) for place, found in errors.items()}
    largest = max(means.values()) or 1.0
    cells = []
    for (row_index, column), found in sorted(errors.items()):
        bias = fmean(found)
        mae = means[row_index, column]
        name = f"{rows[row_index]} {columns[column]}".strip()
        text = f"{name}: error {number(mae)}, bias {bias:+.4g}, of {len(found)}"
        cells.append(Cell(column, row_index, mae / largest, bias / largest, text))
    return Heatmap(rows, columns, cells, largest, bias=fmean(error for found in errors.values() for error in found))


def _place(local: datetime, timeline: Timeline) -> tuple[int, int]:
    """Row and column of a period that begins at this time of its zone."""
    if timeline.frequency.is_within_day:
        return local.weekday(), local.hour
    return 0, local.weekday() if timeline.frequency.unit == "D" else local.month - 1


def _names(timeline: Timeline) -> tuple[Sequence[str], Sequence[str]] | None:
    """The names of rows and columns."""
    if timeline.frequency.is_within_day:
        return WEEKDAYS, HOURS
    if timeline.frequency.unit == "D":
        return ("",), WEEKDAYS
    if timeline.frequency.unit == "MS":
        return ("",), MONTHS
    return None

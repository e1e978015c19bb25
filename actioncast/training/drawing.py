"""The drawing of a training as SVG: leaderboard, error by lead and by phase, gate. Pure functions.

The lengths of bars and lines are worked out here; how they look is in templates/explanation.svg.
The drawing is text, the same for the same training, and small enough to lie in git.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING

from actioncast.arrays import Values, np
from actioncast.forecasting.card import Explanation, GateScores
from actioncast.periods.words import Words
from actioncast.text import number
from actioncast.training.backtest import Backtest
from actioncast.training.leaderboard import Candidate, best_naive
from actioncast.training.metrics import mae_by_lead

if TYPE_CHECKING:
    from jinja2 import Environment

# Of a panel, in pixels from its upper left corner.
LEFT = 55  # where the first column and the first lead begin
TOP = 55  # where the largest value is
BASE = 240  # where zero is
COLUMNS_WIDTH = 380
LINES_WIDTH = 370
BAR_WIDTH = 95  # of the longest horizontal bar
GAP = 3  # between two columns
HOURS_APART = 3  # of the labels under columns
LABEL_CHARACTERS = 3  # of a weekday or month

LONGEST_BAR = 3  # times the best: an error beyond it ends at the edge
REASON_CHARACTERS = 64  # of a line


@dataclass(frozen=True)
class Bar:
    """A horizontal bar; a highlighted one has the colour of the champion."""

    label: str
    value: float
    highlighted: bool
    width: float = 0.0


@dataclass(frozen=True)
class Column:
    """A vertical bar that stands on BASE."""

    x: float
    y: float  # of its upper end
    width: float
    height: float
    label: str  # under it; empty for none


@dataclass(frozen=True)
class ColumnChart:
    """Columns from zero to `largest`."""

    columns: list[Column]
    largest: float


@dataclass(frozen=True)
class Line:
    """The errors of a candidate over the lead times; a highlighted one has the colour of the champion."""

    label: str
    points: str  # of an SVG polyline
    highlighted: bool


@dataclass(frozen=True)
class LineChart:
    """Lines from zero to `largest`."""

    lines: list[Line]
    largest: float
    horizon: int  # periods


def draw(
    *,
    title: str,
    unit: str,
    explanation: Explanation,
    board: Sequence[Candidate],
    challenger: Candidate,
    test: Backtest,
) -> str:
    """The text of the SVG."""
    gate = explanation.gate
    reason = f"{gate.reason}; {gate.forecasts:,} forecasts compared"
    words = Words(test.series.axis.timeline)
    template = _environment().get_template("explanation.svg")
    return template.render(
        title=title,
        unit=unit,
        words=words,
        challenger=challenger.name,
        seasons=explanation.seasons,
        leaderboard=_leaderboard_bars(explanation, challenger),
        by_lead=_line_chart(challenger, best_naive(board), test),
        by_phase=_column_chart(explanation.mae_by_phase, words),
        gate=_gate_bars(gate, challenger),
        reason_lines=wrap(reason, REASON_CHARACTERS),
    )


def _leaderboard_bars(explanation: Explanation, challenger: Candidate) -> list[Bar]:
    bars = [
        Bar(
            label=f"{row.rank}. {row.candidate}",
            value=row.mae,
            highlighted=row.candidate == challenger.name,
        )
        for row in explanation.leaderboard
    ]
    return _scaled(bars)


def _gate_bars(gate: GateScores, challenger: Candidate) -> list[Bar]:
    bars = [Bar(f"challenger {challenger.name}", gate.challenger, highlighted=True)]
    if gate.champion is not None:
        bars.append(Bar("champion before it", gate.champion, highlighted=False))
    return _scaled(bars)


def _scaled(bars: Sequence[Bar]) -> list[Bar]:
    """The bars with their widths."""
    values = [bar.value for bar in bars]
    limit = min(max(values), LONGEST_BAR * min(values)) or 1.0
    return [replace(bar, width=BAR_WIDTH * min(bar.value / limit, 1.0)) for bar in bars]


def _column_chart(values: Sequence[float], words: Words) -> ColumnChart:
    labels = _labels(words)
    largest = max(values) or 1.0
    step = COLUMNS_WIDTH / len(values)
    columns = []
    for index, value in enumerate(values):
        height = (BASE - TOP) * value / largest
        column = Column(LEFT + step * index, BASE - height, step - GAP, height, label=labels[index])
        columns.append(column)
    return ColumnChart(columns, largest)


def _labels(words: Words) -> list[str]:
    """What stands under each phase: every third hour, or the beginning of the name of a weekday or month."""
    if words.timeline.frequency.is_within_day:
        return [str(hour) if hour % HOURS_APART == 0 else "" for hour in range(len(words.phases))]
    return [name[:LABEL_CHARACTERS] for name in words.phases]


def _line_chart(challenger: Candidate, naive: Candidate, test: Backtest) -> LineChart:
    challenger_errors = mae_by_lead(challenger.forecasts, test.actual)
    naive_errors = mae_by_lead(naive.forecasts, test.actual)
    largest = float(max(np.nanmax(challenger_errors), np.nanmax(naive_errors))) or 1.0
    lines = [
        Line(challenger.name, _points(challenger_errors, largest), highlighted=True),
        Line(naive.name, _points(naive_errors, largest), highlighted=False),
    ]
    return LineChart(lines, largest, horizon=len(naive_errors))


def _points(errors: Values, largest: float) -> str:
    """The line over the leads, as an SVG polyline's points; leads that were never observed are left out."""
    points = []
    for lead in np.flatnonzero(~np.isnan(errors)):
        x = LEFT + LINES_WIDTH * (lead + 0.5) / len(errors)
        y = BASE - (BASE - TOP) * errors[lead] / largest
        points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("actioncast.training"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = number
    environment.filters["fixed"] = _fixed
    environment.filters["one_line"] = _one_line
    return environment


def _fixed(value: float) -> str:
    """A tenth of a pixel is fine enough."""
    return f"{value:.1f}"


def _one_line(markup: str) -> str:
    """The markup without its indentation and line breaks."""
    return "".join(line.strip() for line in markup.splitlines())

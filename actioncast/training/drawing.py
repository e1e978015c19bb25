"""The drawing of a training: leaderboard, error by hour and gate as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import numpy as np

from actioncast.arrays import Values
from actioncast.forecasting.card import Explanation, GateScores
from actioncast.training.backtest import Backtest
from actioncast.training.explanation import best_naive
from actioncast.training.leaderboard import Candidate
from actioncast.training.metrics import mae_by_lead

WIDTH, HEIGHT = 960, 700
PANEL_WIDTH, PANEL_HEIGHT = 440, 270
LABEL_WIDTH, BAR_WIDTH = 290, 95  # of a row
TOP = 55  # of a chart inside its panel: where the largest value is
CHAMPION, OTHER, INK, QUIET = "#0b6e4f", "#9aa5b1", "#1f2933", "#616e7c"
STYLE = f"text{{font:12px system-ui,sans-serif;fill:{INK}}}.h{{font-size:15px;font-weight:600}}.q{{fill:{QUIET}}}"
Bars = Sequence[tuple[str, float, str]]  # label, value, colour


def draw(
    title: str, unit: str, why: Explanation, board: Sequence[Candidate], challenger: Candidate, test: Backtest
) -> str:
    """The SVG."""
    naive = best_naive(board)
    leaders = [(f"{r.rank}. {r.candidate}", r.mae, _colour(r.candidate, challenger.name)) for r in why.leaderboard]
    hours = [(str(hour), error, CHAMPION) for hour, error in enumerate(why.mae_by_hour)]
    lines = [
        (challenger.name, mae_by_lead(challenger.forecasts, test.actual), CHAMPION),
        (naive.name, mae_by_lead(naive.forecasts, test.actual), OTHER),
    ]
    parts = [
        f'<text class="h" x="30" y="32">{escape(title)}: why {escape(challenger.name)}</text>',
        f'<text class="q" x="30" y="52">mean absolute errors in {escape(unit)}; seasons {escape(why.seasons)}</text>',
        _panel(30, 80, "Leaderboard of the backtest", _rows(leaders)),
        _panel(500, 80, "Error by lead time, hours ahead", _lines(lines)),
        _panel(30, 390, "Error by hour of the day, UTC", _columns(hours)),
        _panel(500, 390, "What the gate compared", _gate(why.gate, challenger.name)),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    name = f"<title>{escape(title)}: why {escape(challenger.name)}</title>"
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return f"{head}>{name}<style>{STYLE}</style>{ground}\n" + "\n".join(parts) + "\n</svg>\n"


def _colour(name: str, chosen: str) -> str:
    return CHAMPION if name == chosen else OTHER


def _panel(x: int, y: int, heading: str, body: str) -> str:
    return f'<g transform="translate({x} {y})"><text class="h">{escape(heading)}</text>{body}</g>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _rows(bars: Bars) -> str:
    """Horizontal bars, the best on top; what errs more than three times the best ends at the edge."""
    limit = min(max(value for _, value, _ in bars), 3 * min(value for _, value, _ in bars)) or 1.0
    drawn = []
    for i, (label, value, colour) in enumerate(bars):
        y, width = 16 + 21 * i, BAR_WIDTH * min(value / limit, 1.0)
        drawn.append(f'<text x="0" y="{y + 12}">{escape(label)}</text>')
        drawn.append(f'<rect x="{LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="15" fill="{colour}"/>')
        drawn.append(f'<text class="q" x="{LABEL_WIDTH + 5 + width:.1f}" y="{y + 12}">{_number(value)}</text>')
    return "".join(drawn)


def _columns(bars: Bars) -> str:
    """Vertical bars from zero."""
    limit, base, step = max(value for _, value, _ in bars) or 1.0, PANEL_HEIGHT - 30, (PANEL_WIDTH - 60) / len(bars)
    drawn = [_axis(limit, base)]
    for i, (label, value, colour) in enumerate(bars):
        x, height = 55 + step * i, (base - TOP) * value / limit
        size = f'width="{step - 3:.1f}" height="{height:.1f}"'
        drawn.append(f'<rect x="{x:.1f}" y="{base - height:.1f}" {size} fill="{colour}"/>')
        if i % 3 == 0:
            drawn.append(f'<text class="q" x="{x:.1f}" y="{base + 16}">{escape(label)}</text>')
    return "".join(drawn)


def _lines(lines: Sequence[tuple[str, Values, str]]) -> str:
    """Lines over the lead times from zero; leads that were never observed are left out."""
    limit = max(float(np.nanmax(values)) for _, values, _ in lines) or 1.0
    horizon, base = len(lines[0][1]), PANEL_HEIGHT - 30
    drawn = [_axis(limit, base)]
    for i, (name, values, colour) in enumerate(lines):
        points = " ".join(
            f"{55 + (PANEL_WIDTH - 70) * (lead + 0.5) / horizon:.1f},{base - (base - TOP) * value / limit:.1f}"
            for lead, value in enumerate(values)
            if not np.isnan(value)
        )
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<rect x="60" y="{10 + 17 * i}" width="12" height="12" fill="{colour}"/>')
        drawn.append(f'<text x="77" y="{20 + 17 * i}">{escape(name)}</text>')
    ends = f'<text class="q" x="55" y="{base + 16}">1</text>'
    return "".join([*drawn, ends, f'<text class="q" x="{PANEL_WIDTH - 35}" y="{base + 16}">{horizon}</text>'])


def _axis(limit: float, base: int) -> str:
    """The zero line and what its top stands for."""
    return (
        f'<line x1="52" x2="{PANEL_WIDTH}" y1="{base}" y2="{base}" stroke="{OTHER}"/>'
        f'<text class="q" x="46" y="{base + 4}" text-anchor="end">0</text>'
        f'<text class="q" x="46" y="{TOP + 4}" text-anchor="end">{_number(limit)}</text>'
    )


def _gate(scores: GateScores, challenger: str) -> str:
    bars = [(f"challenger {challenger}", scores.challenger, CHAMPION)]
    if scores.champion is not None:
        bars.append(("champion before it", scores.champion, OTHER))
    lines = wrap(f"{scores.reason}; {scores.forecasts:,} forecasts compared", 64)
    said = [f'<text class="q" x="0" y="{90 + 18 * i}">{escape(line)}</text>' for i, line in enumerate(lines)]
    return _rows(bars) + "".join(said)

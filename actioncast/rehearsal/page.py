"""The report as one HTML file: table, timelines as inline SVG, no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape

from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.report import RehearsalReport, recommendation
from actioncast.rehearsal.score import Outcome
from actioncast.times import isoformat

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 200, 64, 14, 26  # pixels
TICKS = 4  # of the error axis
STYLE = """
:root { color-scheme: light dark; --ink: #1a2230; --soft: #66758a; --line: #d8dee8; --paper: #ffffff; --live: #0b6bcb;
  --naive: #9aa6b6; --promoted: #1a7f4b; --kept: #b45309; --fault: #d9480f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf2; --soft: #9aa8ba; --line: #334052; --paper: #121822;
  --live: #58a6ff; --naive: #66758a; --promoted: #4cc38a; --kept: #f2a93b; --fault: #ff8a4c; } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; } p { color: var(--soft); margin: .3rem 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }
th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.axis { stroke: var(--line); } .live { fill: none; stroke: var(--live); stroke-width: 1.6; }
.naive { stroke: var(--naive); stroke-dasharray: 4 4; } .promoted { stroke: var(--promoted); stroke-width: 1.5; }
.kept { stroke: var(--kept); stroke-dasharray: 2 3; } .outage { fill: var(--fault); opacity: .14; }
.change { stroke: var(--fault); stroke-width: 1.5; } .key { font-weight: 600; }
pre { padding: .8rem; border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; }
.bad { color: var(--fault); }
"""
HEADERS = (
    "policy", "live MAE", "/ naive", "24 h ahead", "retrains", "promoted", "rejected", "false alarms", "degraded h",
    "coverage", "minutes", "dollars", "KiB in git",
)  # fmt: skip


def render(plan: Plan, report: RehearsalReport) -> str:
    """The whole page."""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Rehearsal of {escape(plan.series_id)}</title><style>{STYLE}</style></head><body>",
            f"<h1>Rehearsal of {escape(plan.series_id)}</h1>",
            f"<p>{isoformat(report.start)} to {isoformat(report.end)}, {report.ticks} hourly ticks, faults: "
            f"{escape(report.scenario)}, seed {report.seed}. Errors in {escape(report.unit)}.</p>",
            *_promises(report),
            _table(report.outcomes),
            *(part for outcome in report.outcomes for part in _timeline(plan, outcome)),
            *([f"<h2>Recommended</h2><pre>{escape(recommendation(report))}</pre>"] if report.recommends else []),
            "</body></html>\n",
        ]
    )


def _promises(report: RehearsalReport) -> Iterator[str]:
    if not report.violations:
        yield "<p>Every promise of the loop held at every tick.</p>"
    yield from (f'<p class="bad">{escape(violation)}</p>' for violation in report.violations)


def _table(outcomes: Sequence[Outcome]) -> str:
    head = "".join(f"<th>{name}</th>" for name in HEADERS)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(o))}</tr>" for o in outcomes)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cells(outcome: Outcome) -> list[str]:
    figures: list[tuple[float | None, str]] = [
        (outcome.live_mae, ",.4g"),
        (outcome.naive_ratio, ".3f"),
        (outcome.day_ahead_mae, ",.4g"),
        (outcome.retrains, "d"),
        (outcome.promoted, "d"),
        (outcome.rejected, "d"),
        (outcome.false_alarms, "d"),
        (outcome.degraded_hours, "d"),
        (outcome.coverage, ".1%"),
        (outcome.billed_minutes, ",d"),
        (outcome.dollars, ".2f"),
        (outcome.repository_bytes // 1024, ",d"),
    ]
    shown = [f"{value:,.0f}" if form == ",.4g" and value and value >= 1000 else value for value, form in figures]
    texts = [
        value if isinstance(value, str) else "-" if value is None else format(value, form)
        for value, (_, form) in zip(shown, figures, strict=True)
    ]
    return [outcome.policy.name, *texts]


def _timeline(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """Mean error of the last 24 h over the rehearsal, its retrains and its faults."""
    if not outcome.errors:
        return
    highest = 1.05 * max([error for _, error in outcome.errors] + [outcome.naive_mae or 0.0])
    yield f"<h2>{escape(outcome.policy.name)}</h2><p>Mean error of the last 24 h; dashed: the weekly naive's mean; "
    yield "green: a retrain that was promoted, amber: one that was not; shaded and orange: faults.</p>"
    yield f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="error of {escape(outcome.policy.name)}">'
    yield from _axes(plan, highest)
    yield from _faults(plan)
    yield from _retrains(plan, outcome)
    if outcome.naive_mae:
        y = _y(outcome.naive_mae, highest)
        yield f'<line class="naive" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
    path = " ".join(f"{_x(plan, hour):.1f},{_y(error, highest):.1f}" for hour, error in outcome.errors)
    yield f'<polyline class="live" points="{path}"/></svg>'


def _x(plan: Plan, hour: float) -> float:
    return LEFT + (WIDTH - LEFT) * min(max(hour, 0.0), plan.ticks) / plan.ticks


def _y(error: float, highest: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - error / (highest or 1.0))


def _axes(plan: Plan, highest: float) -> Iterator[str]:
    for step in range(TICKS + 1):
        error = highest * step / TICKS
        y = _y(error, highest)
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{error:,.4g}</text>'
    days = plan.ticks / 24
    every = max(1, round(days / 8))
    for day in range(0, int(days) + 1, every):
        moment = plan.start + timedelta(days=day)
        x = min(_x(plan, 24 * day), WIDTH - 40)  # the last one must not run out of the picture
        yield f'<text x="{x:.1f}" y="{HEIGHT - 8}">{moment:%d %b}</text>'


def _faults(plan: Plan) -> Iterator[str]:
    for span in (*plan.faults.silent, *plan.faults.empty):
        left, right, height = _x(plan, span.at), _x(plan, span.at + span.amount), HEIGHT - TOP - BOTTOM
        yield f'<rect class="outage" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{height}"/>'
    for name, span in plan.faults.changes():
        x = _x(plan, span.at)
        yield f'<line class="change" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text x="{x + 4:.1f}" y="{TOP + 10}">{name} {span.amount:g}</text>'


def _retrains(plan: Plan, outcome: Outcome) -> Iterator[str]:
    for moment, promoted in outcome.progress.trainings[1:]:
        if moment:
            x = _x(plan, (datetime.fromisoformat(moment) - plan.start) / timedelta(hours=1))
            kind = "promoted" if promoted else "kept"
            ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"'
            yield f'<line class="{kind}" {ends}><title>{moment}</title></line>'

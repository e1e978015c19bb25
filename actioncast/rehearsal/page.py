"""The report as one HTML file: a table and timelines as inline SVG; no script, and nothing loaded from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.report import RehearsalReport, recommendation
from actioncast.rehearsal.score import Outcome
from actioncast.rehearsal.timeline import FRAME, timeline_of
from actioncast.text import number
from actioncast.times import isoformat

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(plan: Plan, report: RehearsalReport) -> str:
    """The whole page."""
    template = _environment().get_template("report.html")
    return template.render(
        series_id=plan.series_id,
        report=report,
        rows=[_row(outcome) for outcome in report.outcomes],
        timelines=[timeline_of(plan, outcome) for outcome in report.outcomes if outcome.errors],
        frame=FRAME,
        recommendation=recommendation(report) if report.recommends else "",
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["moment"] = isoformat
    environment.filters["pixels"] = _pixels
    return environment


def _pixels(position: float) -> str:
    return f"{position:.1f}"


def _row(outcome: Outcome) -> dict[str, str]:
    """Header of each column -> what one policy has there."""
    return {
        "policy": outcome.policy.name,
        "live MAE": _error(outcome.live_mae),
        "/ naive": _figure(outcome.naive_ratio, ".3f"),
        "24 h ahead": _error(outcome.day_ahead_mae),
        "retrains": _figure(outcome.retrains, "d"),
        "promoted": _figure(outcome.promoted, "d"),
        "rejected": _figure(outcome.rejected, "d"),
        "false alarms": _figure(outcome.false_alarms, "d"),
        "degraded h": _figure(outcome.degraded_hours, "d"),
        "coverage": _figure(outcome.coverage, ".1%"),
        "minutes": _figure(outcome.billed_minutes, ",d"),
        "dollars": _figure(outcome.dollars, ".2f"),
        "KiB in git": _figure(outcome.repository_bytes // 1024, ",d"),
    }


def _error(error: float | None) -> str:
    return "-" if error is None else number(error)


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

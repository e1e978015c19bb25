"""The report as one HTML file: a table and timelines as inline SVG; no script, and nothing loaded from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from actioncast.periods.frequency import DAY
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.report import RehearsalReport, recommendation
from actioncast.rehearsal.score import Outcome
from actioncast.text import number
from actioncast.times import isoformat

if TYPE_CHECKING:
    from jinja2 import Environment

ERROR_STEPS = 4  # of the error axis
DAY_LABELS = 8  # of the day axis, about
LABEL_WIDTH = 40  # pixels of a day's label
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
        "degraded ticks": _figure(outcome.degraded_hours, "d"),
        "coverage": _figure(outcome.coverage, ".1%"),
        "minutes": _figure(outcome.billed_minutes, ",d"),
        "dollars": _figure(outcome.dollars, ".2f"),
        "KiB in git": _figure(outcome.repository_bytes // 1024, ",d"),
    }


def _error(error: float | None) -> str:
    return "-" if error is None else number(error)


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


# Timelines: the error of one policy over time, its retrains and faults, in pixels for the template.


class Frame(NamedTuple):
    """The picture's size and the edges of the plot in it, in pixels."""

    width: int = 960
    height: int = 200
    left: int = 64
    top: int = 14
    bottom: int = 174


FRAME = Frame()


class Mark(NamedTuple):
    """A position on one axis and the text beside it."""

    pixels: float
    label: str


class Outage(NamedTuple):
    """A time in which the source showed nothing new."""

    x: float
    width: float


class Retrain(NamedTuple):
    """A training, as a vertical line."""

    x: float
    kind: str  # "promoted" or "kept": the class of its line
    moment: str


@dataclass(frozen=True)
class Timeline:
    """One policy's rehearsal as a picture. All positions are pixels of the frame."""

    policy: str
    error_axis: list[Mark]
    day_axis: list[Mark]
    outages: list[Outage]
    changes: list[Mark]
    retrains: list[Retrain]
    naive: float | None  # height of the seasonal naive's mean error
    live: str  # points of the polyline


@dataclass(frozen=True)
class Scale:
    """From hours of the rehearsal and errors of the series to pixels."""

    hours: int
    highest_error: float

    def x(self, hour: float) -> float:
        inside = min(max(hour, 0.0), self.hours)
        return FRAME.left + (FRAME.width - FRAME.left) * inside / self.hours

    def y(self, error: float) -> float:
        share = error / (self.highest_error or 1.0)
        return FRAME.top + (FRAME.bottom - FRAME.top) * (1 - share)


def timeline_of(plan: Plan, outcome: Outcome) -> Timeline:
    """Mean error of the last 24 h over the rehearsal, its retrains and its faults."""
    errors = [error for _, error in outcome.errors]
    highest_error = 1.05 * max([*errors, outcome.naive_mae or 0.0])
    scale = Scale(plan.ticks, highest_error)
    points = [f"{scale.x(hour):.1f},{scale.y(error):.1f}" for hour, error in outcome.errors]
    return Timeline(
        policy=outcome.policy.name,
        error_axis=_error_axis(scale),
        day_axis=_day_axis(plan, scale),
        outages=_outages(plan, scale),
        changes=_changes(plan, scale),
        retrains=_retrains(plan, outcome, scale),
        naive=scale.y(outcome.naive_mae) if outcome.naive_mae else None,
        live=" ".join(points),
    )


def _error_axis(scale: Scale) -> list[Mark]:
    marks = []
    for step in range(ERROR_STEPS + 1):
        error = scale.highest_error * step / ERROR_STEPS
        marks.append(Mark(scale.y(error), f"{error:,.4g}"))
    return marks


def _day_axis(plan: Plan, scale: Scale) -> list[Mark]:
    days = plan.ticks * plan.tick_seconds / DAY
    days_between = max(1, round(days / DAY_LABELS))
    last_x = FRAME.width - LABEL_WIDTH  # a label further right would run out of the picture
    marks = []
    for day in range(0, int(days) + 1, days_between):
        moment = plan.start + timedelta(days=day)
        x = scale.x(plan.tick_of(moment))
        marks.append(Mark(min(x, last_x), f"{moment:%d %b}"))
    return marks


def _outages(plan: Plan, scale: Scale) -> list[Outage]:
    outages = []
    for span in (*plan.faults.silent, *plan.faults.empty):
        begin = scale.x(span.at)
        end = scale.x(span.at + span.amount)
        outages.append(Outage(begin, end - begin))
    return outages


def _changes(plan: Plan, scale: Scale) -> list[Mark]:
    """Where the series itself changes: shift, drift, reshape."""
    marks = []
    for name, span in plan.faults.changes():
        label = f"{name} {span.amount:g}"
        marks.append(Mark(scale.x(span.at), label))
    return marks


def _retrains(plan: Plan, outcome: Outcome, scale: Scale) -> list[Retrain]:
    """Every training but the first one; those of the tutorial have no moment and are left out."""
    retrains = []
    for moment, promoted in outcome.progress.trainings[1:]:
        if moment:
            hour = plan.tick_of(datetime.fromisoformat(moment))
            kind = "promoted" if promoted else "kept"
            retrains.append(Retrain(scale.x(hour), kind, moment))
    return retrains

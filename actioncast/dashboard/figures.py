"""What the page shows of one series: read from the database and the card, then pure functions over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any, Literal

from actioncast.dashboard.charts import SHOWN_PAST, Row, error_chart, forecast_chart, lead_chart, summaries
from actioncast.database.database import Database, Newest
from actioncast.forecasting.card import Card, ModelError, read_card
from actioncast.forecasting.vintage import Vintage
from actioncast.settings import FreshnessSettings, Settings
from actioncast.text import duration, hours, number
from actioncast.times import floor_hour

Status = Literal["good", "watch", "bad"]
ONE_HOUR = timedelta(hours=1)
SHOWN_ERRORS = timedelta(days=28)
SHOWN_CHECKS = timedelta(days=30)
SHOWN_LOOKS, SHOWN_CANDIDATES = 12, 8
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Light:
    """One thing that may be old or wrong. Its word says what its colour says."""

    name: str
    status: Status
    word: str
    detail: str


@dataclass(frozen=True)
class Figure:
    """A number on top of the page."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Look:
    """Checks in a row with the same verdict; the figures and reasons are the newest one's."""

    newest: Row
    first: datetime
    count: int


@dataclass(frozen=True)
class PageFigures:
    """Everything the template needs. `charts` are columns for the charts, times in unix seconds."""

    series: str
    title: str
    unit: str
    now: datetime
    end: datetime | None  # the newest known hour
    lights: list[Light]
    figures: list[Figure]
    charts: dict[str, dict[str, Any]]
    vintage: Vintage | None
    card: Card | None
    card_problem: str
    training: Row | None
    candidates: list[dict[str, Any]]
    looks: list[Look]
    summaries: dict[str, str] = field(default_factory=dict)  # what a chart shows, in words
    window_hours: int = 0
    coverage: float = 0.0


def collect(settings: Settings, database: Database, now: datetime, series_id: str) -> PageFigures:
    """Read and compute. Raises DatabaseError."""
    wanted = settings.series[series_id]
    newest = database.newest(series_id)
    card, problem = _card(settings, series_id)
    end = newest.hour or floor_hour(now)
    rows = database.performance(series_id, since=end - SHOWN_ERRORS - SHOWN_PAST, until=end + timedelta(days=92))
    known = database.reality(series_id, until=now, newest=int(SHOWN_PAST / ONE_HOUR))
    leads = database.error_by_lead(series_id, since=end - SHOWN_ERRORS, until=end + ONE_HOUR)
    vintage = Vintage.of_rows(database.vintage(series_id, newest.issued_at)) if newest.issued_at else None
    checks = database.checks(series_id, since=now - SHOWN_CHECKS, before=now + timedelta(seconds=1))
    runs = database.etl_runs(series_id, since=now - timedelta(days=30))
    training = next(iter(database.training_runs(series_id, since=LONG_AGO)), None)
    scored = [row for row in rows if row["reality"] is not None]
    last_week = [row for row in scored if row["prediction_date"] > end - SHOWN_PAST]
    charts = {
        "forecast": forecast_chart(known, rows, end),
        "error": error_chart(scored, card, settings.retrain, end - SHOWN_ERRORS),
        "lead": lead_chart(leads, card),
    }
    return PageFigures(
        series=series_id,
        title=wanted.title or series_id,
        unit=wanted.unit,
        now=now,
        end=newest.hour,
        lights=lights(newest, card, problem, checks, runs, now, settings.freshness),
        figures=figures(last_week, card.coverage if card else settings.train.coverage),
        charts=charts,
        vintage=vintage,
        card=card,
        card_problem=problem,
        training=training,
        candidates=leaderboard(training),
        looks=group(checks)[:SHOWN_LOOKS],
        summaries=summaries(charts, vintage, wanted.unit),
        window_hours=settings.retrain.window_hours,
        coverage=card.coverage if card else settings.train.coverage,
    )


def _card(settings: Settings, series_id: str) -> tuple[Card | None, str]:
    try:
        return read_card(settings.model_directory(series_id)), ""
    except ModelError as error:
        return None, str(error)


# Lights and figures ------------------------------------------------------------------------------------------------


def lights(
    newest: Newest,
    card: Card | None,
    card_problem: str,
    checks: Sequence[Row],
    runs: Sequence[Row],
    now: datetime,
    allowed: FreshnessSettings,
) -> list[Light]:
    """Data, forecast, model, error, loading."""
    data_age = now - newest.hour - ONE_HOUR if newest.hour else None
    forecast_age = now - newest.issued_at if newest.issued_at else None
    return [
        _by_age("Data", data_age, allowed.actual_hours, "since the newest hour ended", "no hour is stored"),
        _by_age("Forecast", forecast_age, allowed.forecast_hours, "since it was issued", "none is stored"),
        _of_model(card, card_problem, now, allowed.champion_days),
        _of_check(checks[0] if checks else None, now),
        _of_run(runs[0] if runs else None, now),
    ]


def _by_age(name: str, age: timedelta | None, allowed_hours: float, since: str, missing: str) -> Light:
    if age is None:
        return Light(name, "bad", "missing", missing)
    hours = age / ONE_HOUR
    status: Status = "good" if hours <= allowed_hours / 2 else "watch" if hours <= allowed_hours else "bad"
    word = {"good": "fresh", "watch": "ageing", "bad": "old"}[status]
    return Light(name, status, word, f"{duration(age)} {since}")


def _of_model(card: Card | None, problem: str, now: datetime, allowed_days: float) -> Light:
    if card is None:
        return Light("Model", "bad", "broken" if problem else "missing", problem or "no champion yet")
    old = now - card.created_at > timedelta(days=allowed_days)
    ago = f"promoted {duration(now - card.created_at)} ago"
    return Light("Model", "watch" if old else "good", "old" if old else "serving", ago)


def _of_check(check: Row | None, now: datetime) -> Light:
    if check is None:
        return Light("Error", "watch", "unchecked", "no check yet")
    ago = f"checked {duration(now - check['checked_at'])} ago"
    return Light("Error", status_of(check["verdict"]), check["verdict"], ago)


def _of_run(run: Row | None, now: datetime) -> Light:
    if run is None:
        return Light("Loading", "watch", "never ran", "no run in 30 days")
    failed = run["outcome"] == "failed"
    return Light("Loading", "bad" if failed else "good", run["outcome"], f"ran {duration(now - run['started_at'])} ago")


def status_of(verdict: str) -> Status:
    """The light of a check's verdict."""
    return "good" if verdict == "good" else "bad" if verdict in ("alarm", "retrain") else "watch"


def figures(scored: Sequence[Row], target: float) -> list[Figure]:
    """Means over the last week of scored hours."""
    if not scored:
        return []
    mae = fmean(row["absolute_error"] for row in scored)
    actual = fmean(row["reality"] for row in scored)
    beside = [row for row in scored if row["naive_error"] is not None]
    covered = fmean(bool(row["covered"]) for row in scored)
    shown = [
        Figure("Mean actual", number(actual), f"over {hours(len(scored), 'scored ')}"),
        Figure("Mean predicted", number(fmean(row["prediction"] for row in scored)), "on the same hours"),
        Figure("Mean absolute error", number(mae), f"{mae / actual:.1%} of the mean" if actual else ""),
    ]
    if beside and (naive := fmean(row["naive_error"] for row in beside)):
        change = fmean(row["absolute_error"] for row in beside) / naive - 1
        word = "less" if change <= 0 else "more"
        shown.append(
            Figure("Against weekly naive", f"{abs(change):.0%} {word}", f"error; the naive's is {number(naive)}")
        )
    shown.append(Figure("Interval coverage", f"{covered:.0%}", f"{target:.0%} is aimed at"))
    return shown


def group(checks: Sequence[Row]) -> list[Look]:
    """Checks, newest first -> looks, newest first."""
    looks: list[Look] = []
    for check in checks:
        if looks and looks[-1].newest["verdict"] == check["verdict"] and not check["dispatched"]:
            looks[-1] = replace(looks[-1], first=check["checked_at"], count=looks[-1].count + 1)
        else:
            looks.append(Look(check, check["checked_at"], 1))
    return looks


# Charts ------------------------------------------------------------------------------------------------------------


def leaderboard(training: Row | None) -> list[dict[str, Any]]:
    """The best candidates, and the best of each kind that is not among them, with the share of the worst error."""
    if training is None:
        return []
    board = [{"rank": rank, **row} for rank, row in enumerate(training["leaderboard"], 1) if row["mae"] is not None]
    shown = board[:SHOWN_CANDIDATES] + [
        row for row in board[SHOWN_CANDIDATES:] if not row["candidate"].startswith("ridge")
    ]
    largest = max((row["mae"] for row in shown), default=0.0)
    return [{**row, "share": round(100 * row["mae"] / largest, 1) if largest else 0.0} for row in shown]

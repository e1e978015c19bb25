"""The lights on top of the page: is anything of a series missing, old or wrong? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from actioncast.dashboard.charts import Row
from actioncast.database.database import Newest
from actioncast.forecasting.card import Card
from actioncast.monitoring.age import Age, age_verdict
from actioncast.periods.timeline import Timeline
from actioncast.policies import FreshnessPolicy
from actioncast.text import duration

Status = Literal["good", "watch", "bad"]
BAD_VERDICTS = ("alarm", "retrain")
SHOWN_CHARACTERS = 300  # of what a load has said


@dataclass(frozen=True)
class Light:
    """One thing that may be old or wrong. The word says the same as the colour of the status."""

    name: str
    status: Status
    word: str
    detail: str


def lights(
    newest: Newest,
    *,
    card: Card | None,
    card_problem: str,
    checks: Sequence[Row],
    etl_runs: Sequence[Row],
    now: datetime,
    policy: FreshnessPolicy,
    timeline: Timeline,
    fallback: str | None = None,
) -> list[Light]:
    """Data, forecast, model, error and loading. `checks` and `etl_runs` are newest first.

    `fallback` says why the newest forecast is not the champion's.
    """
    last_check = checks[0] if checks else None
    last_run = etl_runs[0] if etl_runs else None
    return [
        _data(newest.period, now, policy.actual, timeline),
        _forecast(newest.issued_at, fallback, now, policy.forecast, timeline),
        _model(card, card_problem, now, policy.champion),
        _error(last_check, now),
        _loading(last_run, now),
    ]


def status_of(verdict: str) -> Status:
    """The status of a check with this verdict."""
    if verdict == "good":
        return "good"
    if verdict in BAD_VERDICTS:
        return "bad"
    return "watch"


def _data(newest_period: datetime | None, now: datetime, allowed: timedelta, timeline: Timeline) -> Light:
    noun = timeline.frequency.noun
    if newest_period is None:
        return Light("Data", "bad", "missing", f"no {noun} is stored")
    end = timeline.end_of(timeline.number_of(newest_period))
    detail = f"{duration(now - end)} since the newest {noun} ended"
    return _aged("Data", age_verdict(end, now, allowed, timeline), detail)


def _forecast(
    issued_at: datetime | None, fallback: str | None, now: datetime, allowed: timedelta, timeline: Timeline
) -> Light:
    if issued_at is None:
        return Light("Forecast", "bad", "missing", "none is stored")
    if fallback:
        return Light("Forecast", "bad", "fallback", f"a naive stands in for the champion: {fallback}")
    detail = f"{duration(now - issued_at)} since it was issued"
    return _aged("Forecast", age_verdict(issued_at, now, allowed, timeline), detail)


def _aged(name: str, age: Age, detail: str) -> Light:
    if age.stale:
        return Light(name, "bad", "old", detail)
    if age.ageing:
        return Light(name, "watch", "ageing", detail)
    return Light(name, "good", "fresh", detail)


def _model(card: Card | None, problem: str, now: datetime, allowed: timedelta) -> Light:
    if problem:
        return Light("Model", "bad", "broken", problem)
    if card is None:
        return Light("Model", "bad", "missing", "no champion yet")
    detail = f"promoted {duration(now - card.created_at)} ago"
    age = age_verdict(card.created_at, now, allowed)
    if age.stale:
        return Light("Model", "watch", "old", detail)
    return Light("Model", "good", "serving", detail)


def _error(check: Row | None, now: datetime) -> Light:
    if check is None:
        return Light("Error", "watch", "unchecked", "no check yet")
    verdict = check["verdict"]
    detail = f"checked {duration(now - check['checked_at'])} ago"
    return Light("Error", status_of(verdict), verdict, detail)


def _loading(etl_run: Row | None, now: datetime) -> Light:
    if etl_run is None:
        return Light("Loading", "watch", "never ran", "no run in 30 days")
    outcome = etl_run["outcome"]
    status: Status = "bad" if outcome == "failed" else "good"
    detail = f"ran {duration(now - etl_run['started_at'])} ago"
    if etl_run["points_rejected"]:
        detail += f", {etl_run['points_rejected']} points rejected"
    if etl_run["message"]:  # why it failed, or which points were rejected and why
        detail += f": {etl_run['message'][:SHOWN_CHARACTERS]}"
    return Light("Loading", status, outcome, detail)

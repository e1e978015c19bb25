"""The lights of a series: is anything of it missing, old or wrong? Pure.

A page may stand for days in a browser or on a disk, so that a light also says when it will turn: a script of the page
turns it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self

from actioncast.forecasting.card import Card
from actioncast.forecasting.vintage import Vintage
from actioncast.monitoring.age import Age, age_verdict
from actioncast.monitoring.live_error import Row
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.periods.words import Words
from actioncast.policies import FreshnessPolicy
from actioncast.text import duration

Status = Literal["good", "watch", "bad"]
WORST_FIRST: tuple[Status, ...] = ("bad", "watch", "good")
BAD_VERDICTS = ("alarm", "retrain")
SHOWN_CHARACTERS = 300  # of what a load has said


@dataclass(frozen=True)
class Turn:
    """What a light becomes after a moment."""

    after: datetime
    status: Status
    word: str


@dataclass(frozen=True)
class Light:
    """One thing that may be old or wrong. The word says the same as the colour of the status.

    With `since` the detail goes on after the age: "5 h" and "since the newest hour ended". `turns` are ascending.
    """

    name: str
    status: Status
    word: str
    detail: str
    since: datetime | None = None
    age: str = ""
    turns: Sequence[Turn] = ()

    @property
    def text(self) -> str:
        """The age and the detail."""
        return f"{self.age} {self.detail}".lstrip()


@dataclass(frozen=True)
class Issue:
    """The newest forecast: when it was issued, the newest period that it knew, and the last one that it reaches."""

    issued_at: datetime
    origin: datetime
    last: datetime
    fallback: str | None = None  # why another than the champion made it

    @classmethod
    def of(cls, vintage: Vintage) -> Self:
        last = vintage.rows[-1]["prediction_date"]
        return cls(vintage.issued_at, vintage.origin, last, vintage.fallback)


@dataclass(frozen=True)
class Watched:
    """What a light looks at besides the series' own facts: the moment, the limits and the periods."""

    now: datetime
    policy: FreshnessPolicy
    timeline: Timeline = UTC_HOURS


def lights(
    newest_period: datetime | None,
    issue: Issue | None,
    *,
    card: Card | None,
    card_problem: str,
    checks: Sequence[Row],
    etl_runs: Sequence[Row],
    watched: Watched,
) -> list[Light]:
    """Data, forecast, model, error and loading. `checks` and `etl_runs` are newest first."""
    last_check = checks[0] if checks else None
    last_run = etl_runs[0] if etl_runs else None
    return [
        _data(newest_period, watched),
        _forecast(issue, newest_period, watched),
        _model(card, card_problem, watched),
        _error(last_check, watched.now),
        _loading(last_run, watched.now),
    ]


def worst(shown: Sequence[Light]) -> Status:
    """The status of a series: that of its worst light."""
    statuses = {light.status for light in shown}
    return next(status for status in WORST_FIRST if status in statuses)


def status_of(verdict: str) -> Status:
    """The status of a check with this verdict."""
    if verdict == "good":
        return "good"
    if verdict in BAD_VERDICTS:
        return "bad"
    return "watch"


def _data(newest_period: datetime | None, watched: Watched) -> Light:
    timeline = watched.timeline
    noun = timeline.frequency.noun
    if newest_period is None:
        return Light("Data", "bad", "missing", f"no {noun} is stored")
    end = timeline.end_of(timeline.number_of(newest_period))
    age = age_verdict(end, watched.now, watched.policy.actual, timeline)
    status, word = _aged(age)
    return Light(
        "Data",
        status,
        word,
        f"since the newest {noun} ended",
        since=end,
        age=duration(watched.now - end),
        turns=_turns(end, watched.policy.actual, timeline),
    )


def _aged(age: Age) -> tuple[Status, str]:
    if age.stale:
        return "bad", "old"
    if age.ageing:
        return "watch", "ageing"
    return "good", "fresh"


def _turns(newest: datetime, allowed: timedelta, timeline: Timeline) -> list[Turn]:
    """When something as new as this will be ageing, and when old."""
    return [
        Turn(timeline.after(newest, allowed / 2), "watch", "ageing"),
        Turn(timeline.after(newest, allowed), "bad", "old"),
    ]


def _forecast(issue: Issue | None, newest_period: datetime | None, watched: Watched) -> Light:
    """A forecast is as old as its issue; but one of old data is old too, and one that is over is none."""
    if issue is None:
        return Light("Forecast", "bad", "missing", "none is stored")
    if issue.fallback:
        return Light("Forecast", "bad", "fallback", f"a naive stands in for the champion: {issue.fallback}")
    now, policy, timeline = watched.now, watched.policy, watched.timeline
    words = Words(timeline)
    known_until = timeline.end_of(timeline.number_of(issue.origin))
    over = timeline.end_of(timeline.number_of(issue.last))
    oldest_data = Turn(timeline.after(known_until, policy.actual + policy.forecast), "bad", "of old data")
    turns = [*_turns(issue.issued_at, policy.forecast, timeline), oldest_data, Turn(over, "bad", "over")]
    if newest_period is None or newest_period <= issue.origin:  # there is nothing newer to forecast from
        turns.append(Turn(timeline.after(known_until, policy.actual), "watch", "of old data"))
    turns = worsening(turns)
    status, word = _turned(turns, now)
    return Light(
        "Forecast",
        status,
        word,
        f"since it was issued, from data up to {words.period(issue.origin)}",
        since=issue.issued_at,
        age=duration(now - issue.issued_at),
        turns=turns,
    )


def worsening(turns: Sequence[Turn]) -> list[Turn]:
    """The turns in their order, without those that would make a bad light better."""
    kept: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: turn.after):
        is_better = kept and WORST_FIRST.index(turn.status) > WORST_FIRST.index(kept[-1].status)
        if not is_better:
            kept.append(turn)
    return kept


def _turned(turns: Sequence[Turn], now: datetime) -> tuple[Status, str]:
    """What a light that was fresh has become by now."""
    past = [turn for turn in turns if turn.after < now]
    if not past:
        return "good", "fresh"
    return past[-1].status, past[-1].word


def _model(card: Card | None, problem: str, watched: Watched) -> Light:
    if problem:
        return Light("Model", "bad", "broken", problem)
    if card is None:
        return Light("Model", "bad", "missing", "no champion yet")
    allowed = watched.policy.champion
    age = age_verdict(card.created_at, watched.now, allowed)
    status: Status = "watch" if age.stale else "good"
    return Light(
        "Model",
        status,
        "old" if age.stale else "serving",
        "since it was promoted",
        since=card.created_at,
        age=duration(watched.now - card.created_at),
        turns=[Turn(card.created_at + allowed, "watch", "old")],
    )


def _error(check: Row | None, now: datetime) -> Light:
    if check is None:
        return Light("Error", "watch", "unchecked", "no check yet")
    verdict = check["verdict"]
    checked_at = check["checked_at"]
    return Light(
        "Error",
        status_of(verdict),
        verdict,
        "since it was checked",
        since=checked_at,
        age=duration(now - checked_at),
    )


def _loading(etl_run: Row | None, now: datetime) -> Light:
    if etl_run is None:
        return Light("Loading", "watch", "never ran", "no run in 30 days")
    outcome = etl_run["outcome"]
    started_at = etl_run["started_at"]
    detail = "since it ran"
    if etl_run["points_rejected"]:
        detail += f", {etl_run['points_rejected']} points rejected"
    if etl_run["message"]:  # why it failed, or which points were rejected and why
        detail += f": {etl_run['message'][:SHOWN_CHARACTERS]}"
    return Light(
        "Loading",
        "bad" if outcome == "failed" else "good",
        outcome,
        detail,
        since=started_at,
        age=duration(now - started_at),
    )

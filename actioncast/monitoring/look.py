"""A look at one series: its live error is scored, judged and recorded; the caller dispatches what is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from actioncast.database.database import Database
from actioncast.forecasting.card import Card, ModelError, read_card
from actioncast.forecasting.naive import season_in_words
from actioncast.monitoring import live_error, retrain_request
from actioncast.monitoring.level import ended_level
from actioncast.monitoring.live_error import LiveScore
from actioncast.monitoring.retrain_request import NO_SCORE, CheckReport
from actioncast.monitoring.verdict import Verdict, dispatch_times, judge
from actioncast.policies import RetrainPolicy
from actioncast.settings import Settings
from actioncast.times import ONE_WEEK


def look(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    max_mae: float | None = None,
) -> CheckReport:
    """Score, judge and record one series; the caller dispatches what is due."""
    if retrain_request.is_first_due(settings, database, now, series_id):
        report = retrain_request.first_request(series_id)
        database.store_check(report.as_row(now))
        return report
    policy = _policy(settings, series_id, max_mae)
    since = now - max(ONE_WEEK, policy.cooldown)
    # The checks in [since, now], with one at this very moment.
    earlier = database.checks(series_id, since=since, before=now + timedelta(seconds=1))
    try:
        card = read_card(settings.model_directory(series_id))
        policy = _naming_its_naive(policy, card)
        score = _score(settings, database, now, series_id, policy, card)
        last_training = _last_training(database, series_id, since, now)
        verdict = judge(
            score,
            earlier=earlier,
            last_training=last_training,
            policy=policy,
            now=now,
            holidays=card.holidays if card else None,
            ended=ended_level(database, now, series_id, card, settings.series[series_id].timeline) if card else None,
        )
    except ModelError as error:
        score = NO_SCORE
        verdict = Verdict("alarm", bad=False, reasons=[str(error)])
    report = _report(settings, series_id, score, verdict)
    # A second run at the same `now` must keep the `dispatched` flag of the first.
    if now not in dispatch_times(earlier):
        # Recorded before it is sent: a request that cannot be remembered would be repeated for ever.
        database.store_check(report.as_row(now))
    return report


def _policy(settings: Settings, series_id: str, max_mae: float | None) -> RetrainPolicy:
    """The table [retrain] for this series, with the absolute limit of the flag if there is one."""
    policy = settings.retrain_of(series_id)
    return policy if max_mae is None else replace(policy, max_mae=max_mae)


def _naming_its_naive(policy: RetrainPolicy, card: Card | None) -> RetrainPolicy:
    """The policy that names the season of the champion's naive reference."""
    if card is None:
        return policy
    return replace(policy, naive=season_in_words(max(card.seasonality), policy.frequency))


def _last_training(database: Database, series_id: str, since: datetime, now: datetime) -> datetime | None:
    """Start of the newest training run in [since, now]."""
    runs = database.training_runs(series_id, since=since)
    return max((run["started_at"] for run in runs if run["started_at"] <= now), default=None)


def _score(
    settings: Settings,
    database: Database,
    now: datetime,
    series_id: str,
    policy: RetrainPolicy,
    card: Card | None,
) -> LiveScore:
    """The live score of the champion's own forecasts over the newest window; of all forecasts without a champion."""
    timeline = settings.series[series_id].timeline
    start = live_error.window_start(now, policy.window, timeline)
    rows = database.performance(series_id, since=start, until=now)
    aside = database.quarantined(series_id, since=start)
    return live_error.of_champion(live_error.without(rows, aside), card, timeline, window=policy.window)


def _report(settings: Settings, series_id: str, score: LiveScore, verdict: Verdict) -> CheckReport:
    """The report of a check; a retrain that a person must start carries the reason."""
    if verdict.name != "retrain":
        return CheckReport(series_id, score, verdict, dispatched=False)
    by_hand = retrain_request.why_by_hand(settings, series_id)
    if by_hand is not None:
        return CheckReport(series_id, score, verdict.because(by_hand), dispatched=False)
    return CheckReport(series_id, score, verdict, dispatched=True)

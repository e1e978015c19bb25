"""Check: is the live error of the champion still good? If it is not, ask GitHub for a retrain.

Scores the newest forecasts against what happened, compares with the champion's own backtest and
with the seasonal naive, and writes the verdict with its reasons to `checks`, whatever it is. Only k
bad looks of the last n, outside the cooldown and under the weekly cap, dispatch `execute-retrain`;
and so does data without a champion: the first training. All series that are due are one dispatch.

    python check_retrain.py
    python check_retrain.py --all
    python check_retrain.py --max-mae 6000          # the tutorial's absolute limit, beside the ratios

Verdicts: good, watch (bad, not often enough), wait (due, but something must pass first), retrain,
too few periods (no verdict), alarm (a stored error is not a number, or the card cannot be read).

Reads the view `performance`, `quarantine`, `checks`, `training_runs` and model/<series>/card.json.
Needs GITHUB_TOKEN with `contents: write` and GITHUB_REPOSITORY to dispatch; without a repository it
says what to run.
Exit codes: 0 checked; 1 alarm, GitHub or the database failed, or a series of --all did; 2 wrong
flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from actioncast.cli import many_series
from actioncast.cli.many_series import FleetReport
from actioncast.cli.script import run_script
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


def run(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    max_mae: float | None = None,
) -> CheckReport:
    """Score, judge, record, dispatch if due.

    A dispatch that fails is recorded as such, then raised.
    """
    report = look(settings, database, now, series_id=series_id, max_mae=max_mae)
    if report.dispatched:
        retrain_request.dispatch(settings, database, now, [report.as_json()])
    return report


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


def run_many(arguments: argparse.Namespace, settings: Settings, database: Database) -> FleetReport:
    """Look at many series, wherever the work is done, and send one dispatch for all that are due."""
    options = {"max_mae": arguments.max_mae}
    looks = many_series.run("check_retrain", arguments, settings, options)
    results, refusal = retrain_request.dispatch_due(settings, database, arguments.now, looks.results)
    return FleetReport(results, fault=refusal)


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


def _error_limit(text: str) -> float:
    """A finite number above 0: NaN would never be exceeded."""
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not (math.isfinite(limit) and limit > 0):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return limit


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-mae", type=_error_limit, help="absolute limit of the live error, in the series' unit")
    many_series.add_flags(parser)


def _run(arguments: argparse.Namespace, settings: Settings, database: Database) -> CheckReport | FleetReport:
    if many_series.are_asked_for(arguments):
        return run_many(arguments, settings, database)
    return run(settings, database, arguments.now, series_id=arguments.series, max_mae=arguments.max_mae)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

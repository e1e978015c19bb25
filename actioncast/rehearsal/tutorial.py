"""The tutorial's own recipe and policy on the same hours: a small port, for comparison.

Recipe: a random forest on 10 lags and the mean of 20 hours. It is fitted on the last 200 hours
without the last 36, which are held out and never used. The dates of its forecasts begin at the end
of the 200 hours, so the forecasts belong 36 h earlier than they are dated.
Policy: every 2 h the mean absolute error of the last 48 scored hours is compared with the limit 6;
there is neither a cooldown nor a gate. The tutorial compares forecasts that are rates with hours
that are sums of four rates (about 2.9 beside 12.7), so that limit can never be met.

The live error shown here reads the forecasts as rates in the series' unit, which is kinder than the
tutorial's own.
Each retrain is counted, but a model is fitted only when one of the two forecasts a week needs it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from actioncast.arrays import Values
from actioncast.periods.grid import Grid, to_grid, to_periods
from actioncast.periods.timeline import UTC_HOURS
from actioncast.rehearsal import score
from actioncast.rehearsal.plan import CHECK_EVERY, Plan
from actioncast.rehearsal.policies import Policy
from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.score import Outcome
from actioncast.settings import SettingsError
from actioncast.times import HOURS_PER_WEEK, ONE_HOUR, floor_hour

LIMIT = 6.0  # on the mean absolute error, in sums of rates
POINTS_PER_HOUR = 4  # that it sums up, on average
WINDOW = 200  # hours, the newest, of its training data
HELD_OUT = 36  # hours of the window that it never uses
SCORED = 48  # hours
LAGS = 10  # hours
ROLLING = 20  # hours
FORECAST_EVERY = 84  # hours: twice a week
HORIZON = 168  # hours
BYTES = 130_000  # per retrain: its 388 commits made a pack of 50 MiB
TREES = 100
DEPTH = 5  # in the middle of its grid


def rehearse(plan: Plan, policy: Policy) -> Outcome:
    """The whole live span; the hours are what a perfect ingestion would have stored."""
    if plan.timeline != UTC_HOURS:
        raise SettingsError(f"the policy {policy.name} is made for hours of UTC, not for {plan.timeline}")
    history = _hours(plan)
    first = int((floor_hour(plan.start) - history.start) / ONE_HOUR)
    scale = plan.settings.series[plan.series_id].scale
    forecasts, retrains = _live(history.values / scale, first, plan.ticks)
    misses = np.abs(scale * forecasts[first : len(history)] - history.values[first:])
    rows = _scored_rows(misses, history.start + timedelta(hours=first))
    errors = score.rolling_errors(rows, plan)
    progress = _progress(plan, retrains)
    return Outcome(
        policy=policy,
        hours=len(rows),
        live_mae=float(np.nanmean(misses)),
        day_ahead_mae=None,
        naive_mae=_naive_mae(history.values, first),
        coverage=None,
        distribution=None,
        retrains=retrains,
        promoted=retrains,
        false_alarms=0,
        degraded_hours=score.degraded_hours(errors, plan),
        hours_to_promotion=None,
        billed_minutes=score.minutes(progress),
        repository_bytes=BYTES * retrains,
        progress=progress,
        errors=errors,
    )


def _hours(plan: Plan) -> Grid:
    series_settings = plan.settings.series[plan.series_id]
    hours = to_periods(
        plan.recording,
        minimum_points=series_settings.minimum_points_per_period,
        scale=series_settings.scale,
        since=None,
        now=plan.end,
        aggregate=series_settings.aggregate,
        stamps=series_settings.stamps,
    )
    return to_grid(hours.starts, hours.values)


def _naive_mae(values: Values, first: int) -> float | None:
    """Mean error of the same hour a week before, from the index `first` on; None without an hour."""
    begin = max(first, HOURS_PER_WEEK)
    week_before = values[begin - HOURS_PER_WEEK : -HOURS_PER_WEEK]
    errors = np.abs(values[begin:] - week_before)
    return float(np.nanmean(errors)) if len(errors) else None


def _scored_rows(misses: Values, start: datetime) -> list[dict[str, Any]]:
    """The rows that the view of live errors would show: one for each hour with a forecast and a value."""
    rows = []
    for i, miss in enumerate(misses):
        if not np.isnan(miss):
            moment = start + timedelta(hours=i)
            rows.append({"prediction_date": moment, "absolute_error": miss})
    return rows


def _progress(plan: Plan, retrains: int) -> Progress:
    """The runs that its workflows would have had; every training is promoted, as there is no gate."""
    runs = {
        "ingest": plan.ticks,
        "check": plan.ticks // CHECK_EVERY,
        "train": retrains,
        "forecast": plan.ticks // FORECAST_EVERY,
    }
    trainings = [(plan.start.isoformat(), True)] + [("", True)] * retrains
    return Progress(ticks=plan.ticks, runs=runs, trainings=trainings)


def _live(rates: Values, first: int, ticks: int) -> tuple[Values, int]:
    """(forecast of each hour, NaN where there is none; number of retrains).

    The live span begins at index `first`.
    """
    forecasts = np.full(len(rates) + ticks + HORIZON, np.nan)
    trained_at = first
    retrains = 0
    for tick in range(ticks):
        now = first + tick  # index of the first hour that is not over
        if tick % FORECAST_EVERY == 0:
            # It overwrites what it forecast before, even for hours that are over.
            forecasts[trained_at : trained_at + HORIZON] = _forecast(rates[:trained_at])
        if tick % CHECK_EVERY == 0 and stored_error(forecasts[:now], rates[:now]) > LIMIT:
            trained_at = now
            retrains += 1
    return forecasts, retrains


def stored_error(forecasts: Values, rates: Values) -> float:
    """Mean absolute error of the last scored hours as the tutorial stores them: the forecast a rate, the hour a sum."""
    forecasts = forecasts[: len(rates)]
    is_scored = ~np.isnan(forecasts) & ~np.isnan(rates)
    scored = np.flatnonzero(is_scored)[-SCORED:]
    if not len(scored):
        return 0.0
    errors = np.abs(forecasts[scored] - POINTS_PER_HOUR * rates[scored])
    return float(errors.mean())


def _forecast(rates: Values) -> Values:
    """[HORIZON] rates that follow the model's training data, which end HELD_OUT hours before the forecast's dates."""
    from sklearn.ensemble import RandomForestRegressor

    training = rates[-WINDOW:-HELD_OUT]
    training = np.where(np.isnan(training), np.nanmean(training), training)
    rows = [_predictors(training[:end]) for end in range(ROLLING, len(training))]
    forest = RandomForestRegressor(
        n_estimators=TREES,
        max_depth=DEPTH,
        random_state=123,
        n_jobs=1,
    )
    forest.fit(np.array(rows), training[ROLLING:])
    path = list(training)
    for _ in range(HORIZON):
        newest = np.array(path[-ROLLING:])
        row = _predictors(newest).astype(np.float32)[None]
        rate = np.mean([tree.tree_.predict(row) for tree in forest.estimators_])
        path.append(float(rate))
    return np.array(path[-HORIZON:])


def _predictors(past: Values) -> Values:
    """[LAGS + 1] the newest rates, newest first, and the mean of the last ROLLING ones."""
    newest_first = past[-LAGS:][::-1]
    return np.append(newest_first, past[-ROLLING:].mean())

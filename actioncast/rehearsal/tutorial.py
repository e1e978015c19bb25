"""The tutorial's own recipe and policy on the same hours, as a small port, to be compared with.

Recipe: a random forest on 10 lags and the mean of 20 hours, fitted on the last 200 hours without the last 36, which it
holds out and never uses; the dates of its forecasts begin where the training data end, 36 h after what the model saw.
Policy: every 2 h the mean absolute error of the last 48 scored hours against the limit 6; no cooldown, no gate.
Its stored forecasts, some 2.9 where 12.7 happened, fit rates beside sums of four: that limit can never be met.

The live error shown for it reads its forecasts as the rates that they are, in the series' unit: kinder than its own.
Each retrain is counted; a model is fitted only when one of its two forecasts a week needs it.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from actioncast import times
from actioncast.arrays import Values
from actioncast.hours import Grid, to_grid, to_hours
from actioncast.rehearsal import score
from actioncast.rehearsal.loop import Progress
from actioncast.rehearsal.plan import CHECK_EVERY, Plan
from actioncast.rehearsal.policies import Policy
from actioncast.rehearsal.score import Outcome

LIMIT = 6.0  # on the mean absolute error, in sums of rates
POINTS_AN_HOUR = 4  # that it sums up, on average
WINDOW, HELD_OUT, SCORED = 200, 36, 48  # hours
LAGS, ROLLING = 10, 20
FORECAST_EVERY = 84  # hours: twice a week
HORIZON = WEEK = 168
BYTES = 130_000  # its 388 commits made a pack of 50 MiB
TREES, DEPTH = 100, 5  # in the middle of its grid


def rehearse(plan: Plan, policy: Policy) -> Outcome:
    """The whole live span; the hours are what a perfect ingestion would have stored."""
    known = _hours(plan)
    first = int((times.floor_hour(plan.start) - known.start) / timedelta(hours=1))
    scale = plan.settings.series[plan.series_id].scale
    forecasts, retrains = _live(known.values / scale, first, plan.ticks)
    actual, said = known.values[first:], scale * forecasts[first : len(known)]
    naive = np.abs(known.values[max(first, WEEK) :] - known.values[max(first, WEEK) - WEEK : -WEEK])
    misses = np.abs(said - actual)
    progress = Progress(
        ticks=plan.ticks, runs={"ingest": plan.ticks, "check": plan.ticks // CHECK_EVERY, "train": retrains}
    )
    progress.runs["forecast"] = plan.ticks // FORECAST_EVERY
    progress.trainings = [(plan.start.isoformat(), True)] + [("", True)] * retrains
    rows = [
        {"prediction_date": known.start + timedelta(hours=first + i), "absolute_error": miss}
        for i, miss in enumerate(misses)
        if not np.isnan(miss)
    ]
    errors = score.rolling_errors(rows, plan.start)
    return Outcome(
        policy=policy,
        hours=len(rows),
        live_mae=float(np.nanmean(misses)),
        day_ahead_mae=None,
        naive_mae=float(np.nanmean(naive)) if len(naive) else None,
        coverage=None,
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
    wanted = plan.settings.series[plan.series_id]
    hours = to_hours(
        plan.recording, minimum_points=wanted.minimum_points_per_hour, scale=wanted.scale, since=None, now=plan.end
    )
    return to_grid(hours.starts, hours.values)


def _live(rates: Values, first: int, ticks: int) -> tuple[Values, int]:
    """(forecast of each hour, NaN where there is none; how many retrains)."""
    forecasts = np.full(len(rates) + ticks + HORIZON, np.nan)
    trained_at, retrains = first, 0
    for tick in range(ticks):
        here = first + tick  # the hours before are known
        if tick % FORECAST_EVERY == 0:
            forecasts[trained_at : trained_at + HORIZON] = _forecast(rates[:trained_at])
            # It overwrites the hours that it forecast before, those that are over included.
        if tick % CHECK_EVERY == 0 and stored_error(forecasts[:here], rates[:here]) > LIMIT:
            trained_at, retrains = here, retrains + 1
    return forecasts, retrains


def stored_error(forecasts: Values, rates: Values) -> float:
    """Mean absolute error of the last scored hours as the tutorial stores them: the forecast a rate, the hour a sum."""
    forecasts = forecasts[: len(rates)]
    scored = np.flatnonzero(~np.isnan(forecasts) & ~np.isnan(rates))[-SCORED:]
    return float(np.abs(forecasts[scored] - POINTS_AN_HOUR * rates[scored]).mean()) if len(scored) else 0.0


def _forecast(rates: Values) -> Values:
    """[HORIZON] rates that follow what the model saw, which ends HELD_OUT hours before its dates begin."""
    from sklearn.ensemble import RandomForestRegressor

    seen = rates[-WINDOW:-HELD_OUT]
    seen = np.where(np.isnan(seen), np.nanmean(seen), seen)
    rows = [_predictors(seen[:end]) for end in range(ROLLING, len(seen))]
    forest = RandomForestRegressor(n_estimators=TREES, max_depth=DEPTH, random_state=123, n_jobs=1)
    forest.fit(np.array(rows), seen[ROLLING:])
    path = list(seen)
    for _ in range(HORIZON):
        row = _predictors(np.array(path[-ROLLING:])).astype(np.float32)[None]
        path.append(float(np.mean([tree.tree_.predict(row) for tree in forest.estimators_])))
    return np.array(path[-HORIZON:])


def _predictors(past: Values) -> Values:
    return np.append(past[-LAGS:][::-1], past[-ROLLING:].mean())

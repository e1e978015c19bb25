"""The champion and the one that challenges it: who they are, and on which hours they are compared."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from actioncast.forecasting import forecaster, intervals, level_shifts, outliers
from actioncast.forecasting.card import Card, ModelError, read_card
from actioncast.forecasting.champion import Champion, Facts, load_champion, make_card, pack_numbers
from actioncast.forecasting.exogenous import HOLIDAY
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.recipes import ForecastError
from actioncast.hours import Grid
from actioncast.settings import Settings
from actioncast.times import HOUR, to_seconds
from actioncast.tracking import run
from actioncast.training import inputs, leaderboard, metrics
from actioncast.training.backtest import Backtest
from actioncast.training.gate import FEWEST_GATE_HOURS, Gate, decide, stored_forecasts
from actioncast.training.leaderboard import Candidate

log = logging.getLogger("actioncast")


def stored_champion(settings: Settings, series_id: str) -> Champion | None:
    """The champion; one that cannot be loaded cannot serve either, so that any challenger replaces it."""
    directory = settings.model_directory(series_id)
    try:
        return load_champion(directory) if read_card(directory) else None
    except ModelError as error:
        log.warning("the stored champion cannot be used and will be replaced: %s", error)
        return None


def best_challenger(
    settings: Settings,
    series_id: str,
    board: list[Candidate],
    test: Backtest,
    known: Grid,
    now: datetime,
    seasonality: tuple[int, ...],
) -> tuple[Candidate, Card, bytes]:
    """The best candidate whose file may lie in git, fitted on everything known."""
    for candidate in leaderboard.challengers(board):
        fitted = fit_challenger(candidate, test, known, seasonality, settings.train.coverage)
        facts = Facts(
            series=series_id,
            name=candidate.name,
            created_at=now,
            window_start=known.start,
            window_end=known.end,
            hours=int(np.count_nonzero(~np.isnan(known.values))),
            mae=candidate.mae,
            mase=candidate.mase,
            mae_by_lead=metrics.mae_by_lead(candidate.forecasts, test.actual),
            libraries=run.library_versions(run.LIBRARIES),
            holidays=inputs.holidays_of(settings.series[series_id], known) if HOLIDAY in fitted.columns else None,
        )
        try:
            numbers = pack_numbers(fitted, candidate.name)
            return candidate, make_card(fitted, numbers, facts), numbers
        except ModelError as error:
            log.warning("%s; the next candidate is tried", error)
    raise ForecastError("no candidate's file is small enough; add seasonal_naive to train.candidates")


def run_gate(settings: Settings, champion: Champion | None, challenger: Candidate, test: Backtest, known: Grid) -> Gate:
    """Compare on hours that the champion has not learned from, where there are enough of them."""
    newest_hours, paths = settings.train.gate_hours, None
    if champion is not None:
        paths = stored_forecasts(champion.forecaster, known, test)
        unseen = int((known.end - champion.card.window_end) / timedelta(hours=1))
        newest_hours = min(newest_hours, max(unseen, FEWEST_GATE_HOURS))
    margin = settings.train.gate_margin
    return decide(challenger, paths, test, hours=len(known), newest_hours=newest_hours, margin=margin)


def scored(model: Card, gate_mae: float | None) -> dict[str, Any]:
    """`mae` is the backtest's; `gate_mae` that on the hours of the gate, None where there was nothing to compare."""
    return {"name": model.name, "mae": model.mae, "version": model.version, "gate_mae": gate_mae}


def fit_challenger(
    winner: Candidate, test: Backtest, known: Grid, seasonality: Sequence[int], coverage: float
) -> Forecaster:
    """The winner, fitted on everything known, its interval calibrated on its own backtest residuals."""
    first_hour, values = to_seconds(known.start) // HOUR, level_shifts.restate(known, test.shifts).values
    learned = outliers.without(values, seasonality, test.spike_limit)
    chosen = np.flatnonzero(winner.weights)
    members: tuple[FittedRecipe, ...] = tuple(
        forecaster.fit(
            learned, test.recipes[i], first_hour=first_hour, seasonality=seasonality, columns=known.exogenous
        )
        for i in chosen
    )
    spread = intervals.calibrate(
        test.actual - winner.forecasts,
        winner.forecasts,
        first_hour + test.origins[:, None] + np.arange(test.actual.shape[1]),
        nonnegative=bool(np.nanmin(values) >= 0),
        span=test.window,
    )
    return Forecaster(
        members, winner.weights[chosen], spread, coverage, tuple(seasonality), test.shifts, test.spike_limit
    )

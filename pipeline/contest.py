"""The champion and the one that challenges it: who they are, and on which hours they are compared."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipeline import card, evaluation, tracking, training
from pipeline.card import Card, Champion
from pipeline.evaluation import Backtest, Candidate, Gate
from pipeline.exogenous import HOLIDAY
from pipeline.forecaster import ForecastError
from pipeline.series import Grid
from pipeline.settings import Settings

log = logging.getLogger("actioncast")


def stored_champion(settings: Settings, series_id: str) -> Champion | None:
    """The champion; one that cannot be loaded cannot serve either, so that any challenger replaces it."""
    directory = settings.model_directory(series_id)
    try:
        return card.load(directory) if card.read_card(directory) else None
    except card.ModelError as error:
        log.warning("the stored champion cannot be used and will be replaced: %s", error)
        return None


def challenger(
    settings: Settings,
    series_id: str,
    board: list[Candidate],
    test: Backtest,
    known: Grid,
    now: datetime,
    seasonality: tuple[int, ...],
) -> tuple[Candidate, Card, bytes]:
    """The best candidate whose file may lie in git, fitted on everything known."""
    for candidate in evaluation.challengers(board):
        fitted = evaluation.build(candidate, test, known, seasonality, settings.train.coverage)
        facts = card.Facts(
            series=series_id,
            name=candidate.name,
            created_at=now,
            window_start=known.start,
            window_end=known.end,
            hours=int(np.count_nonzero(~np.isnan(known.values))),
            mae=candidate.mae,
            mase=candidate.mase,
            mae_by_lead=evaluation.mae_by_lead(candidate.forecasts, test.actual),
            libraries=tracking.library_versions(training.LIBRARIES),
            holidays=training.holidays_of(settings.series[series_id], known) if HOLIDAY in fitted.columns else None,
        )
        try:
            return candidate, *card.encode(fitted, facts)
        except card.ModelError as error:
            log.warning("%s; the next candidate is tried", error)
    raise ForecastError("no candidate's file is small enough; add seasonal_naive to train.candidates")


def gate(settings: Settings, champion: Champion | None, challenger: Candidate, test: Backtest, known: Grid) -> Gate:
    """Compare on hours that the champion has not learned from, where there are enough of them."""
    newest_hours, paths = settings.train.gate_hours, None
    if champion is not None:
        paths = evaluation.stored_forecasts(champion.forecaster, known, test)
        unseen = int((known.end - champion.card.window_end) / timedelta(hours=1))
        newest_hours = min(newest_hours, max(unseen, evaluation.FEWEST_GATE_HOURS))
    margin = settings.train.gate_margin
    return evaluation.gate(challenger, paths, test, hours=len(known), newest_hours=newest_hours, margin=margin)


def scored(model: Card, gate_mae: float | None) -> dict[str, Any]:
    """`mae` is the backtest's; `gate_mae` that on the hours of the gate, None where there was nothing to compare."""
    return {"name": model.name, "mae": model.mae, "version": model.version, "gate_mae": gate_mae}

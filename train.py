"""Train: backtest the candidates, let the best one challenge the champion, and promote it only if it is better.

Every candidate forecasts the same newest hours from the same origins. The best of the leaderboard is the challenger; it
replaces the champion only if it is better by a margin on the newest hours, which both have forecast. Whatever the
verdict, the run goes to `training_runs` and to the trackers that the environment names (MLflow, Neptune offline).

    python train.py
    python train.py --json
    python train.py --all --shard 1/4

Reads `reality`, `exogenous` and model/<series>/; writes model/<series>/ when a challenger is promoted, and
`training_runs`. With --all or --shard many series are trained, by processes or on a Dask cluster
(DASK_SCHEDULER_ADDRESS).
Exit codes: 0 trained, whatever the verdict; 1 too little data, or the database failed, or a series of --all did;
2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipeline import card, evaluation, explain, fleet, forecaster, tracking, training
from pipeline.card import Card, Champion
from pipeline.database import Database
from pipeline.evaluation import Backtest, Candidate, Gate
from pipeline.exogenous import HOLIDAY
from pipeline.forecaster import ForecastError
from pipeline.script import run_script
from pipeline.series import HOUR, Grid, to_seconds
from pipeline.settings import Settings
from pipeline.terminal import progress
from pipeline.training import Report

log = logging.getLogger("actioncast")


def run(settings: Settings, database: Database, now: datetime, *, series_id: str) -> Report:
    """Backtest, compare, promote or keep, record. Raises ActioncastError when there is too little to learn from."""
    begun = time.monotonic()
    trackers = tracking.open_trackers(os.environ, settings.folder)
    wanted, policy = settings.series[series_id], settings.train
    known = _known_hours(database, series_id, now, int(policy.history_days * 24))
    found = training.seasons_of(wanted, known)
    known, left_out = training.with_columns(settings, database, series_id, known)
    champion = _stored_champion(settings, series_id)
    test = _backtest(settings, series_id, known, found.periods, gated=champion is not None)
    test = replace(test, skipped=test.skipped | left_out)
    board = evaluation.leaderboard(test, known, found.periods, policy.candidates)
    challenger, new_card, numbers = _challenger(settings, series_id, board, test, known, now, found.periods)
    gate = _gate(settings, champion, challenger, test, known)
    why = explain.explanation(board, challenger, test, gate, found, to_seconds(known.start) // HOUR)
    new_card = new_card.model_copy(update={"explanation": why})
    serving = new_card if gate.promoted or champion is None else champion.card
    report = Report(
        series=series_id,
        unit=wanted.unit,
        board=board,
        skipped=test.skipped,
        gate=gate,
        champion=_scored(serving, gate.challenger_mae if gate.promoted else gate.champion_mae),
        challenger=_scored(new_card, gate.challenger_mae),
        seconds=time.monotonic() - begun,
        tracked=[],
    )
    row = report.as_row(now, known, settings)
    database.store_training_run(row)  # before the deed: no champion without a record
    if gate.promoted:
        drawing = explain.drawing(wanted.title or series_id, wanted.unit, why, board, challenger, test)
        card.save(settings.model_directory(series_id), new_card, numbers, drawing)
    written = (card.CARD, card.DRAWING) if gate.promoted else ()
    files = [settings.model_directory(series_id) / name for name in written]
    return replace(report, tracked=tracking.record_everywhere(trackers, tracking.TrainingRun(**row, files=files)))


def _known_hours(database: Database, series_id: str, now: datetime, newest: int) -> Grid:
    known = database.reality(series_id, until=now, newest=newest)
    hours = 0 if known is None else int(np.count_nonzero(~np.isnan(known.values)))
    if known is None or hours < forecaster.SHORTEST_HISTORY:
        raise ForecastError(
            f"{hours} hours of {series_id} are stored, {forecaster.SHORTEST_HISTORY} are the least to learn from; "
            f"run: python update_real_data.py --series {series_id}"
        )
    return known


def _backtest(
    settings: Settings, series_id: str, known: Grid, seasonality: tuple[int, ...], *, gated: bool
) -> Backtest:
    wanted, policy = settings.series[series_id], settings.train
    columns = list(known.exogenous)
    pool = forecaster.recipes(seasonality, policy.candidates, policy.seed, hours=len(known), columns=columns)
    how = wanted.horizon, policy.backtest_days, seasonality
    with progress("candidates", len(pool)) as advance:
        return evaluation.backtest(known, pool, *how, advance, policy.budget_seconds, gated)


def _stored_champion(settings: Settings, series_id: str) -> Champion | None:
    """The champion; one that cannot be loaded cannot serve either, so that any challenger replaces it."""
    directory = settings.model_directory(series_id)
    try:
        return card.load(directory) if card.read_card(directory) else None
    except card.ModelError as error:
        log.warning("the stored champion cannot be used and will be replaced: %s", error)
        return None


def _challenger(
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


def _gate(settings: Settings, champion: Champion | None, challenger: Candidate, test: Backtest, known: Grid) -> Gate:
    """Compare on hours that the champion has not learned from, where there are enough of them."""
    newest_hours, paths = settings.train.gate_hours, None
    if champion is not None:
        paths = evaluation.stored_forecasts(champion.forecaster, known, test)
        unseen = int((known.end - champion.card.window_end) / timedelta(hours=1))
        newest_hours = min(newest_hours, max(unseen, evaluation.FEWEST_GATE_HOURS))
    margin = settings.train.gate_margin
    return evaluation.gate(challenger, paths, test, hours=len(known), newest_hours=newest_hours, margin=margin)


def _scored(model: Card, gate_mae: float | None) -> dict[str, Any]:
    """`mae` is the backtest's; `gate_mae` that on the hours of the gate, None where there was nothing to compare."""
    return {"name": model.name, "mae": model.mae, "version": model.version, "gate_mae": gate_mae}


def _story(arguments: argparse.Namespace, settings: Settings, database: Database) -> Report | fleet.FleetReport:
    if fleet.wanted(arguments):
        return fleet.run("train", arguments, settings)
    return run(settings, database, arguments.now, series_id=arguments.series)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _story, fleet.add_flags)


if __name__ == "__main__":
    sys.exit(main())

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
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from pipeline import card, contest, evaluation, explain, fleet, forecaster, tracking, training
from pipeline.database import Database
from pipeline.evaluation import Backtest
from pipeline.forecaster import ForecastError
from pipeline.script import run_script
from pipeline.series import HOUR, Grid, to_seconds
from pipeline.settings import Settings
from pipeline.terminal import progress
from pipeline.training import Report


def run(settings: Settings, database: Database, now: datetime, *, series_id: str) -> Report:
    """Backtest, compare, promote or keep, record. Raises ActioncastError when there is too little to learn from."""
    begun = time.monotonic()
    trackers = tracking.open_trackers(os.environ, settings.folder)
    wanted, policy = settings.series[series_id], settings.train
    known = _known_hours(database, series_id, now, int(policy.history_days * 24))
    found = training.seasons_of(wanted, known)
    known, left_out = training.with_columns(settings, database, series_id, known)
    champion = contest.stored_champion(settings, series_id)
    test = _backtest(settings, series_id, known, found.periods, gated=champion is not None)
    test = replace(test, skipped=test.skipped | left_out)
    board = evaluation.leaderboard(test, known, found.periods, policy.candidates)
    challenger, new_card, numbers = contest.challenger(settings, series_id, board, test, known, now, found.periods)
    gate = contest.gate(settings, champion, challenger, test, known)
    why = explain.explanation(board, challenger, test, gate, found, to_seconds(known.start) // HOUR)
    new_card = new_card.model_copy(update={"explanation": why})
    serving = new_card if gate.promoted or champion is None else champion.card
    report = Report(
        series=series_id,
        unit=wanted.unit,
        board=board,
        skipped=test.skipped,
        gate=gate,
        champion=contest.scored(serving, gate.challenger_mae if gate.promoted else gate.champion_mae),
        challenger=contest.scored(new_card, gate.challenger_mae),
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


def _story(arguments: argparse.Namespace, settings: Settings, database: Database) -> Report | fleet.FleetReport:
    if fleet.wanted(arguments):
        return fleet.run("train", arguments, settings)
    return run(settings, database, arguments.now, series_id=arguments.series)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _story, fleet.add_flags)


if __name__ == "__main__":
    sys.exit(main())

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

from actioncast.cli import many_series
from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.forecasting import recipes
from actioncast.forecasting.champion import save_champion
from actioncast.forecasting.recipes import ForecastError
from actioncast.hours import Grid
from actioncast.paths import CARD, DRAWING
from actioncast.settings import Settings
from actioncast.text import progress
from actioncast.times import HOUR, to_seconds
from actioncast.tracking import record
from actioncast.tracking.run import TrainingRun
from actioncast.training import backtest, explanation, inputs, leaderboard
from actioncast.training.backtest import Backtest
from actioncast.training.challenger import best_challenger, run_gate, scored, stored_champion
from actioncast.training.drawing import draw
from actioncast.training.report import TrainingReport


def run(settings: Settings, database: Database, now: datetime, *, series_id: str) -> TrainingReport:
    """Backtest, compare, promote or keep, record. Raises ActioncastError when there is too little to learn from."""
    begun = time.monotonic()
    trackers = record.open_trackers(os.environ, settings.folder)
    wanted, policy = settings.series[series_id], settings.train
    known = _known_hours(database, series_id, now, int(policy.history_days * 24))
    found = inputs.seasons_of(wanted, known)
    known, left_out = inputs.with_columns(settings, database, series_id, known)
    champion = stored_champion(settings, series_id)
    test = _backtest(settings, series_id, known, found.periods, gated=champion is not None)
    test = replace(test, skipped=test.skipped | left_out)
    board = leaderboard.leaderboard(test, known, found.periods, policy.candidates)
    challenger, new_card, numbers = best_challenger(settings, series_id, board, test, known, now, found.periods)
    gate = run_gate(settings, champion, challenger, test, known)
    why = explanation.explain(board, challenger, test, gate, found, to_seconds(known.start) // HOUR)
    new_card = new_card.model_copy(update={"explanation": why})
    serving = new_card if gate.promoted or champion is None else champion.card
    report = TrainingReport(
        series=series_id,
        unit=wanted.unit,
        board=board,
        skipped=test.skipped,
        gate=gate,
        champion=scored(serving, gate.challenger_mae if gate.promoted else gate.champion_mae),
        challenger=scored(new_card, gate.challenger_mae),
        seconds=time.monotonic() - begun,
        tracked=[],
    )
    row = report.as_row(now, known, settings)
    database.store_training_run(row)  # before the deed: no champion without a record
    if gate.promoted:
        drawing = draw(wanted.title or series_id, wanted.unit, why, board, challenger, test)
        save_champion(settings.model_directory(series_id), new_card, numbers, drawing)
    written = (CARD, DRAWING) if gate.promoted else ()
    files = [settings.model_directory(series_id) / name for name in written]
    return replace(report, tracked=record.record_everywhere(trackers, TrainingRun(**row, files=files)))


def _known_hours(database: Database, series_id: str, now: datetime, newest: int) -> Grid:
    known = database.reality(series_id, until=now, newest=newest)
    hours = 0 if known is None else int(np.count_nonzero(~np.isnan(known.values)))
    if known is None or hours < recipes.SHORTEST_HISTORY:
        raise ForecastError(
            f"{hours} hours of {series_id} are stored, {recipes.SHORTEST_HISTORY} are the least to learn from; "
            f"run: python update_real_data.py --series {series_id}"
        )
    return known


def _backtest(
    settings: Settings, series_id: str, known: Grid, seasonality: tuple[int, ...], *, gated: bool
) -> Backtest:
    wanted, policy = settings.series[series_id], settings.train
    columns = list(known.exogenous)
    pool = recipes.recipe_pool(seasonality, policy.candidates, policy.seed, hours=len(known), columns=columns)
    how = wanted.horizon, policy.backtest_days, seasonality
    with progress("candidates", len(pool)) as advance:
        return backtest.backtest(known, pool, *how, advance, policy.budget_seconds, gated)


def _story(
    arguments: argparse.Namespace, settings: Settings, database: Database
) -> TrainingReport | many_series.FleetReport:
    if many_series.are_asked_for(arguments):
        return many_series.run("train", arguments, settings)
    return run(settings, database, arguments.now, series_id=arguments.series)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _story, many_series.add_flags)


if __name__ == "__main__":
    sys.exit(main())

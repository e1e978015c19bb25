"""Train: backtest the candidates, let the best one challenge the champion, and promote it only if
it is better.

Every candidate forecasts the same newest hours from the same origins. The best of the leaderboard
is the challenger; it replaces the champion only if it is better by a margin on the newest hours,
which both have forecast. Whatever the verdict, the run goes to `training_runs` and to the trackers
that the environment names (MLflow, Neptune offline).

    python train.py
    python train.py --json
    python train.py --all --shard 1/4

Reads `reality`, `exogenous` and model/<series>/; writes model/<series>/ when a challenger is
promoted, and `training_runs`. With --all or --shard many series are trained, by processes or on a
Dask cluster (DASK_SCHEDULER_ADDRESS).
Exit codes: 0 trained, whatever the verdict; 1 too little data, or the database failed, or a series
of --all did; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from actioncast.cli import many_series
from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.forecasting import recipes
from actioncast.forecasting.card import Card, Explanation
from actioncast.forecasting.champion import save_champion
from actioncast.paths import CARD, DRAWING
from actioncast.settings import Settings
from actioncast.text import progress
from actioncast.tracking import record
from actioncast.tracking.run import TrainingRun
from actioncast.training.backtest import Backtest, backtest
from actioncast.training.challenger import Challenger, best_challenger, describe, stored_champion
from actioncast.training.drawing import draw
from actioncast.training.explanation import explain
from actioncast.training.gate import run_gate
from actioncast.training.inputs import TrainingInputs, prepare, read_history
from actioncast.training.leaderboard import Candidate, rank_candidates
from actioncast.training.report import TrainingReport, scores_of


def run(settings: Settings, database: Database, now: datetime, *, series_id: str) -> TrainingReport:
    """Backtest, compare, promote or keep, record.

    Raises ActioncastError when there is too little to learn from.
    """
    begun = time.monotonic()
    policy = settings.train_of(series_id)
    trackers = record.open_trackers(os.environ, settings.folder)

    history = read_history(settings, database, now, series_id=series_id)
    champion = stored_champion(settings, series_id)
    gated = champion is not None  # then a large change of level may be believed early: the gate decides
    inputs = prepare(settings, database, history, series_id=series_id, gated=gated, now=now)

    test = _backtest(settings, inputs)
    board = rank_candidates(test, policy.candidates)
    challenger = best_challenger(board, test, coverage=policy.coverage, levels=policy.quantiles)
    gate = run_gate(champion, challenger.candidate, test, policy=policy)
    explanation = explain(board, challenger.candidate, test, gate=gate, seasons=inputs.seasons)
    card = describe(challenger, test, inputs, now=now, explanation=explanation)

    serving = card if gate.promoted or champion is None else champion.card
    report = TrainingReport(
        series=series_id,
        unit=settings.series[series_id].unit,
        board=board,
        skipped=test.skipped | inputs.unusable,
        gate=gate,
        champion=scores_of(serving, gate.serving_mae),
        challenger=scores_of(card, gate.challenger_mae),
        seconds=time.monotonic() - begun,
        tracked=[],
    )
    row = report.as_row(now, inputs.series, settings)
    database.store_training_run(row)  # first, so that no champion is without a record
    files = []
    if gate.promoted:
        files = _promote(settings, challenger, card, explanation=explanation, board=board, test=test)
    training = TrainingRun(**row, files=files)
    return replace(report, tracked=record.record_everywhere(trackers, training))


def _backtest(settings: Settings, inputs: TrainingInputs) -> Backtest:
    """Try every recipe of the candidates that config.toml names; a person at a terminal sees a progress bar."""
    policy = settings.train_of(inputs.series_id)
    pool = recipes.recipe_pool(
        inputs.seasons.periods,
        policy.candidates,
        policy.seed,
        periods=len(inputs.series),
        timeline=inputs.series.history.timeline,
        columns=list(inputs.series.history.exogenous),
        horizon=settings.series[inputs.series_id].horizon_periods,
    )
    pool += inputs.borrowed
    with progress("candidates", len(pool)) as advance:
        return backtest(
            inputs.series,
            pool,
            horizon=settings.series[inputs.series_id].horizon_periods,
            longest=policy.backtest,
            watch=advance,
            budget=policy.budget,
        )


def _promote(
    settings: Settings,
    challenger: Challenger,
    card: Card,
    *,
    explanation: Explanation,
    board: Sequence[Candidate],
    test: Backtest,
) -> list[Path]:
    """Save the challenger as the champion, with the drawing that explains it; returns the files for people."""
    series_settings = settings.series[card.series]
    directory = settings.model_directory(card.series)
    drawing = draw(
        title=series_settings.title or card.series,
        unit=series_settings.unit,
        explanation=explanation,
        board=board,
        challenger=challenger.candidate,
        test=test,
    )
    save_champion(directory, card, challenger.numbers, drawing)
    return [directory / CARD, directory / DRAWING]


def _run(
    arguments: argparse.Namespace, settings: Settings, database: Database
) -> TrainingReport | many_series.FleetReport:
    if many_series.are_asked_for(arguments):
        return many_series.run("train", arguments, settings)
    return run(settings, database, arguments.now, series_id=arguments.series)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run, many_series.add_flags)


if __name__ == "__main__":
    sys.exit(main())

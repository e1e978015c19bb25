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
from datetime import datetime

from actioncast.cli import many_series
from actioncast.cli.many_series import FleetReport
from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.monitoring import retrain_request
from actioncast.monitoring.look import look
from actioncast.monitoring.retrain_request import CheckReport
from actioncast.settings import Settings


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


def run_many(arguments: argparse.Namespace, settings: Settings, database: Database) -> FleetReport:
    """Look at many series, wherever the work is done, and send one dispatch for all that are due."""
    options = {"max_mae": arguments.max_mae}
    looks = many_series.run("check_retrain", arguments, settings, options)
    results, refusal = retrain_request.dispatch_due(settings, database, arguments.now, looks.results)
    return replace(looks, results=results, fault=refusal)


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

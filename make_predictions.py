"""Forecast: the champion, applied to the newest stored periods, for the next ones of a series.

The first forecast is the period after the last complete one; observing new ones needs no retraining. The forecasts are
stored as one vintage in `predictions`, beside the earlier ones: always the whole horizon of the series, however few
periods are asked for, because the newest vintage is what everybody sees. POST /forecast makes the same call.

    python make_predictions.py
    python make_predictions.py --num-predictions 24
    python make_predictions.py --all

Reads `reality` and model/<series>/; writes `predictions`.
Where the champion cannot forecast, or its forecast is absurd, that of the seasonal naive is stored, with the reason.
Exit codes: 0 forecast and stored; 1 a fallback was stored, no champion, no data, or the database failed, or a series of
--all did; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from actioncast.cli import many_series
from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.forecasting import recipes
from actioncast.forecasting.vintage import Vintage
from actioncast.periods.words import Words
from actioncast.report import Report
from actioncast.serving.issue import issue
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.times import isoformat

SHOWN_ROWS = 6  # periods of a forecast that a person sees


@dataclass(frozen=True, kw_only=True)
class ForecastReport(Vintage, Report):
    """The beginning of the vintage that was stored, as far as it was asked for, in the words of its timeline."""

    words: Words

    def as_text(self) -> str:
        rows = []
        for row in self.rows[:SHOWN_ROWS]:
            period = isoformat(row["prediction_date"])
            rows.append([period, row["prediction"], row["lower"], row["upper"]])
        text = (
            f"{self.series}: the next {self.words.count(len(self.rows))}, "
            f"last known {self.words.noun} {isoformat(self.origin)}, "
            f"model {self.model_version}\n\n"
            f"{table([self.words.noun, 'prediction', 'lower', 'upper'], rows)}"
        )
        if len(self.rows) > len(rows):
            text += f"\n... and {self.words.count(len(self.rows) - len(rows), 'more ')}"
        if self.fallback:
            text += f"\n\nThis is a fallback, the champion's forecast is not served: {self.fallback}"
        return text

    @property
    def failed(self) -> bool:
        return self.fallback is not None


def run(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    horizon: int | None = None,
) -> ForecastReport:
    """Forecast and store the series' horizon, or more when more is asked for; report the first `horizon` periods.

    See `actioncast.serving.issue` for who makes it. Raises ActioncastError where nobody can.
    """
    series = settings.series[series_id]
    periods = max(horizon or 0, series.horizon_periods)
    issued = issue(settings, database, now, series_id=series_id, horizon=periods)
    return ForecastReport(
        series=series_id,
        issued_at=issued.issued_at,
        origin=issued.origin,
        model_version=issued.model_version,
        rows=issued.rows[:horizon],
        fallback=issued.fallback,
        words=Words(series.timeline),
    )


def horizon_flag(text: str) -> int:
    """A whole number of periods from 1 on."""
    if not text.isdigit() or not 1 <= int(text) <= recipes.LONGEST_HORIZON:
        raise argparse.ArgumentTypeError(f"expected 1 to {recipes.LONGEST_HORIZON} periods, got {text!r}")
    return int(text)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--num-predictions", type=horizon_flag, help="periods to show (default: the series' horizon)")
    many_series.add_flags(parser)


def _run(
    arguments: argparse.Namespace, settings: Settings, database: Database
) -> ForecastReport | many_series.FleetReport:
    horizon = arguments.num_predictions
    if many_series.are_asked_for(arguments):
        return many_series.run("make_predictions", arguments, settings, {"horizon": horizon})
    return run(settings, database, arguments.now, series_id=arguments.series, horizon=horizon)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

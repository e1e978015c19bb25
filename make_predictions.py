"""Forecast: the champion, applied to the newest stored periods, for the next ones of a series.

The first forecast is the period after the last complete one; observing new ones needs no retraining. The forecasts are
stored as one vintage in `predictions`, beside the earlier ones: always the whole horizon of the series, however few
periods are asked for, because the newest vintage is what everybody sees. POST /forecast makes the same call.

    python make_predictions.py
    python make_predictions.py --num-predictions 24
    python make_predictions.py --all

Reads `reality` and model/<series>/; writes `predictions`.
Exit codes: 0 forecast and stored; 1 no champion, no data, or the database failed, or a series of --all did; 2 wrong
flags, config.toml or environment.
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
from actioncast.errors import ActioncastError
from actioncast.forecasting import exogenous, features, forecaster, recipes
from actioncast.forecasting.champion import Champion, load_champion
from actioncast.forecasting.vintage import Vintage, vintage_rows
from actioncast.periods.grid import Grid
from actioncast.periods.words import Words
from actioncast.report import Report
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.times import isoformat

SHOWN_ROWS = 6  # periods of a forecast that a person sees


class NoDataError(ActioncastError):
    """There is nothing to forecast from."""


@dataclass(frozen=True)
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
        return text


def run(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    horizon: int | None = None,
) -> ForecastReport:
    """Forecast and store the series' horizon, or more when more is asked for; report the first `horizon` periods.

    Raises ActioncastError when it cannot.
    """
    champion = load_champion(settings.model_directory(series_id))
    periods = max(horizon or 0, settings.series[series_id].horizon_periods)
    history = _newest_periods(settings, database, series_id, now, champion)
    history = _with_columns(history, database, series_id, champion, horizon=periods)
    forecast = forecaster.forecast(champion.forecaster, history, periods)
    rows = vintage_rows(
        forecast,
        series_id=series_id,
        issued_at=now,
        history=history,
        seasonality=champion.forecaster.seasonality,
        model_version=champion.card.version,
    )
    database.store_vintage(rows)
    return ForecastReport(
        series=series_id,
        issued_at=now,
        origin=history.end,
        model_version=champion.card.version,
        rows=rows[:horizon],
        words=Words(history.timeline),
    )


def _newest_periods(settings: Settings, database: Database, series_id: str, now: datetime, champion: Champion) -> Grid:
    """The periods the champion needs as history, plus some to fill gaps from."""
    fitted = champion.forecaster
    timeline = settings.series[series_id].timeline
    newest = fitted.reach + features.fill_periods(timeline, fitted.seasonality)
    if fitted.since is not None:
        newest = max(newest, timeline.last_over(now) - fitted.since + 1)
    history = database.reality(series_id, until=now, newest=newest, timeline=timeline)
    if history is None:
        raise NoDataError(f"nothing of {series_id} is stored; run: python update_real_data.py --series {series_id}")
    return history


def _with_columns(
    history: Grid,
    database: Database,
    series_id: str,
    champion: Champion,
    *,
    horizon: int,
) -> Grid:
    """The periods with the columns that the champion needs: stored ones, and the holidays of its card."""
    names = [name for name in champion.forecaster.columns if name != exogenous.HOLIDAY]
    if names:
        until = history.timeline.shift(history.end, horizon)
        stored = database.exogenous(series_id, names, since=history.start, until=until)
        history = exogenous.attach(history, stored, horizon)
    calendar = champion.card.holidays
    if calendar:
        history = exogenous.attach_holidays(
            history,
            calendar.days,
            calendar.timezone,
            horizon,
            until=calendar.until,
        )
    return history


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

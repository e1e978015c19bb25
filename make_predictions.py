"""Forecast: the champion, applied to the newest stored hours, for the next hours of a series.

The first forecast is the hour after the last complete one; observing new hours needs no retraining. The forecasts are
stored as one vintage in `predictions`, beside the earlier ones: always the whole horizon of the series, however few
hours are asked for, because the newest vintage is what everybody sees. POST /forecast makes the same call.

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
from datetime import datetime, timedelta

from actioncast.cli import many_series
from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.forecasting import exogenous, features, forecaster, recipes
from actioncast.forecasting.champion import Champion, load_champion
from actioncast.forecasting.vintage import Vintage
from actioncast.hours import Grid
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.times import isoformat


class NoDataError(ActioncastError):
    """There is nothing to forecast from."""


@dataclass(frozen=True)
class ForecastReport(Vintage):
    """The beginning of the vintage that was stored, as far as it was asked for."""

    failed: bool = False

    def as_text(self) -> str:
        rows = [[isoformat(r["prediction_date"]), r["prediction"], r["lower"], r["upper"]] for r in self.rows[:6]]
        more = f"\n... and {len(self.rows) - len(rows)} more hours" if len(self.rows) > len(rows) else ""
        return (
            f"{self.series}: the next {len(self.rows)} hours, last known hour {isoformat(self.origin)}, "
            f"model {self.model_version}\n\n{table(['hour', 'prediction', 'lower', 'upper'], rows)}{more}"
        )


def run(
    settings: Settings, database: Database, now: datetime, *, series_id: str, horizon: int | None = None
) -> ForecastReport:
    """Forecast and store the series' horizon, or more when more is asked for; report the first `horizon` hours.

    Raises ActioncastError when it cannot.
    """
    champion = load_champion(settings.model_directory(series_id))
    hours = max(horizon or 0, settings.series[series_id].horizon)
    known = _with_columns(_newest_hours(database, series_id, now, champion), database, series_id, champion, hours)
    ahead = forecaster.forecast(champion.forecaster, known, hours)
    rows = [
        {
            "series_id": series_id,
            "prediction_date": known.end + timedelta(hours=lead),
            "issued_at": now,
            "prediction": float(ahead.prediction[lead - 1]),
            "lower": float(ahead.lower[lead - 1]),
            "upper": float(ahead.upper[lead - 1]),
            "lead": lead,
            "model_version": champion.card.version,
        }
        for lead in range(1, len(ahead.prediction) + 1)
    ]
    database.store_vintage(rows)
    return ForecastReport(series_id, now, known.end, champion.card.version, rows[:horizon])


def _newest_hours(database: Database, series_id: str, now: datetime, champion: Champion) -> Grid:
    """As much of the stored hours as the champion looks back on, and some more to fill gaps from."""
    known = database.reality(series_id, until=now, newest=champion.forecaster.reach + features.FILL_HOURS)
    if known is None:
        raise NoDataError(f"no hour of {series_id} is stored; run: python update_real_data.py --series {series_id}")
    return known


def _with_columns(known: Grid, database: Database, series_id: str, champion: Champion, horizon: int) -> Grid:
    """The hours with the columns that the champion needs: stored ones, and the holidays of its card."""
    names = [name for name in champion.forecaster.columns if name != exogenous.HOLIDAY]
    if names:
        until = known.end + timedelta(hours=horizon)
        known = exogenous.attach(known, database.exogenous(series_id, names, since=known.start, until=until), horizon)
    if calendar := champion.card.holidays:
        known = exogenous.attach_holidays(known, calendar.days, calendar.timezone, horizon, until=calendar.until)
    return known


def horizon_flag(text: str) -> int:
    """A whole number of hours from 1 on."""
    if not text.isdigit() or not 1 <= int(text) <= recipes.LONGEST_HORIZON:
        raise argparse.ArgumentTypeError(f"expected 1 to {recipes.LONGEST_HORIZON} hours, got {text!r}")
    return int(text)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--num-predictions", type=horizon_flag, help="hours to show (default: the series' horizon)")
    many_series.add_flags(parser)


def _story(
    arguments: argparse.Namespace, settings: Settings, database: Database
) -> ForecastReport | many_series.FleetReport:
    horizon = arguments.num_predictions
    if many_series.are_asked_for(arguments):
        return many_series.run("make_predictions", arguments, settings, {"horizon": horizon})
    return run(settings, database, arguments.now, series_id=arguments.series, horizon=horizon)


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _story, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

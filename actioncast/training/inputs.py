"""What a training learns from: seasons, columns known in the future, holidays."""

from __future__ import annotations

from datetime import timedelta

from actioncast.database.database import Database
from actioncast.forecasting import exogenous, seasons
from actioncast.forecasting.card import Holidays
from actioncast.forecasting.seasons import Seasons
from actioncast.hours import Grid
from actioncast.settings import SeriesSettings, Settings
from actioncast.training import backtest


def seasons_of(wanted: SeriesSettings, known: Grid) -> Seasons:
    """Those of config.toml, or those that the data show."""
    given = wanted.seasonality
    return seasons.detect(known.values) if given == "auto" else seasons.given(given, known.values)


def with_columns(settings: Settings, database: Database, series_id: str, known: Grid) -> tuple[Grid, dict[str, str]]:
    """The hours with the columns known in the future that candidates can use, and why not the others."""
    wanted = settings.series[series_id]
    until = known.end + timedelta(hours=wanted.horizon)
    stored = database.exogenous(series_id, list(wanted.exogenous), since=known.start, until=until)
    known = exogenous.attach(known, stored, wanted.horizon)
    if calendar := holidays_of(wanted, known):
        known = exogenous.attach_holidays(known, calendar.days, calendar.timezone, wanted.horizon, until=calendar.until)
    origins, _ = backtest.plan(len(known), wanted.horizon, settings.train.backtest_days)
    return exogenous.usable(known, int(origins[0]), wanted.horizon)


def holidays_of(wanted: SeriesSettings, known: Grid) -> Holidays | None:
    """The holidays of the history and of some years after it, None where config.toml asks for none."""
    if not wanted.holidays:
        return None
    first, until = exogenous.local_days(known, wanted.holiday_timezone)
    days = exogenous.holidays_of(wanted.holidays, first, until)
    return Holidays(code=wanted.holidays, timezone=wanted.holiday_timezone, until=until, days=days)

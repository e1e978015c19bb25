"""What a champion looks back on: the newest stored periods, with the columns that it needs."""

from __future__ import annotations

from datetime import datetime

from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.forecasting import exogenous, features
from actioncast.forecasting.champion import Champion
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline


class NoDataError(ActioncastError):
    """There is nothing to forecast from."""


def history_of(
    champion: Champion,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    timeline: Timeline,
    horizon: int,
) -> Grid:
    """The periods that the champion needs up to `now`, some to fill gaps from, and its columns over the horizon.

    Raises NoDataError where nothing is stored, DatabaseError.
    """
    fitted = champion.forecaster
    newest = fitted.reach + features.fill_periods(timeline, fitted.seasonality)
    if fitted.since is not None:
        newest = max(newest, timeline.last_over(now) - fitted.since + 1)
    history = newest_periods(database, now, series_id=series_id, timeline=timeline, newest=newest)
    return _with_columns(history, database, series_id, champion, horizon=horizon)


def newest_periods(database: Database, now: datetime, *, series_id: str, timeline: Timeline, newest: int) -> Grid:
    """So many of the newest stored periods up to `now`. Raises NoDataError without one."""
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

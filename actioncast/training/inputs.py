"""What a training learns from: the stored hours, their seasons, the columns known in the future and the holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actioncast.arrays import np
from actioncast.database.database import Database
from actioncast.forecasting import exogenous, seasons
from actioncast.forecasting.card import Holidays
from actioncast.forecasting.recipes import ForecastError, Recipe
from actioncast.forecasting.seasons import Seasons
from actioncast.periods.axis import Cycles
from actioncast.periods.grid import Grid
from actioncast.periods.wall import seen_by, wall_of
from actioncast.policies import SHORTEST_HISTORY
from actioncast.settings import SeriesSettings, Settings
from actioncast.training import backtest
from actioncast.training.clean import CleanSeries, clean
from actioncast.training.donors import borrowed


@dataclass(frozen=True)
class TrainingInputs:
    """One series as a training learns from it."""

    series_id: str
    series: CleanSeries  # with the columns that candidates can use
    seasons: Seasons
    holidays: Holidays | None  # None where config.toml asks for none
    unusable: dict[str, str]  # column -> why no candidate can use it
    borrowed: list[Recipe]  # from other series, for a short history


def read_history(settings: Settings, database: Database, now: datetime, *, series_id: str) -> Grid:
    """The newest hours up to `now`, as many as config.toml says.

    Raises ForecastError when they are too few.
    """
    newest = settings.train_of(series_id).history
    history = database.reality(series_id, until=now, newest=newest, timeline=settings.series[series_id].timeline)
    hours = 0 if history is None else int(np.count_nonzero(~np.isnan(history.values)))
    if history is None or hours < SHORTEST_HISTORY:
        plural = settings.series[series_id].frequency.plural
        raise ForecastError(
            f"{hours} {plural} of {series_id} are stored, {SHORTEST_HISTORY} are the least to learn from; "
            f"wait for {SHORTEST_HISTORY - hours} more, or load older ones, if the source has them: "
            f"python update_real_data.py --series {series_id} --backfill"
        )
    return history


def prepare(
    settings: Settings,
    database: Database,
    history: Grid,
    *,
    series_id: str,
    gated: bool,
    now: datetime,
) -> TrainingInputs:
    """Find the seasons, add the columns known in the future, and clean the series.

    `gated`: a champion stands against a change of level that is believed too soon; see
    `level_shifts.find`.
    """
    series_settings = settings.series[series_id]
    holidays = find_holidays(series_settings, history)
    history = _with_columns(database, history, series_settings, series_id=series_id)
    history = _with_holidays(history, holidays, horizon=series_settings.horizon_periods)
    history = seen_by(wall_of(history.timeline), history, 0).history
    found_seasons = find_seasons(series_settings, history)
    history, unusable = _usable_columns(settings, history, series_id=series_id)
    return TrainingInputs(
        series_id=series_id,
        series=clean(history, found_seasons.periods, gated=gated),
        seasons=found_seasons,
        holidays=holidays,
        unusable=unusable,
        borrowed=borrowed(
            settings, database, history, now, series_id=series_id, longest_season=max(found_seasons.periods)
        ),
    )


def find_seasons(series_settings: SeriesSettings, history: Grid) -> Seasons:
    """The seasons of config.toml, or those that the data show."""
    if series_settings.season_periods:
        return seasons.given(series_settings.season_periods, history.values)
    return seasons.detect(history.values, history.timeline)


def find_holidays(series_settings: SeriesSettings, history: Grid) -> Holidays | None:
    """The holidays of the history and of some years after it, None where config.toml asks for none."""
    code = series_settings.holidays
    timezone = series_settings.timezone
    if not code:
        return None
    first, until = exogenous.local_days(history, timezone)
    return Holidays(
        code=code,
        timezone=timezone,
        until=until,
        days=exogenous.holidays_of(code, first, until),
    )


def _with_columns(
    database: Database,
    history: Grid,
    series_settings: SeriesSettings,
    *,
    series_id: str,
) -> Grid:
    """The history with the stored columns that config.toml names."""
    horizon = series_settings.horizon_periods
    columns = database.exogenous(
        series_id,
        list(series_settings.exogenous),
        since=history.start,
        until=history.timeline.shift(history.end, horizon),
    )
    return exogenous.attach(history, columns, horizon)


def _with_holidays(history: Grid, holidays: Holidays | None, *, horizon: int) -> Grid:
    if holidays is None:
        return history
    return exogenous.attach_holidays(
        history,
        holidays.days,
        holidays.timezone,
        horizon,
        until=holidays.until,
    )


def _usable_columns(settings: Settings, history: Grid, *, series_id: str) -> tuple[Grid, dict[str, str]]:
    """The history with the columns that candidates can use, and why not the others."""
    horizon = settings.series[series_id].horizon_periods
    folds = backtest.plan(
        len(history), horizon=horizon, longest=settings.train_of(series_id).backtest, cycles=Cycles(history.timeline)
    )
    return exogenous.usable(history, folds.first_origin, horizon)

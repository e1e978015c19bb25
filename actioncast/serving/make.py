"""Makes a forecast: by the champion, or, where it cannot or its forecast is absurd, by the seasonal naive."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from actioncast.arrays import np
from actioncast.database.database import Database
from actioncast.forecasting import forecaster, seasons
from actioncast.forecasting.card import ModelError, NoChampionError
from actioncast.forecasting.champion import Champion, load_champion
from actioncast.forecasting.exogenous import Assumptions
from actioncast.forecasting.features import fill_periods
from actioncast.forecasting.forecaster import Forecast
from actioncast.forecasting.intervals import Width
from actioncast.forecasting.recipes import ForecastError
from actioncast.forecasting.vintage import Vintage, vintage_rows
from actioncast.periods.grid import Grid
from actioncast.serving import fallback, live_width
from actioncast.serving.history import history_of, newest_periods
from actioncast.serving.restatement import standing
from actioncast.settings import Settings
from actioncast.times import to_seconds

MANY = 10_000  # periods, in which each usual season can be seen

log = logging.getLogger("actioncast")


@dataclass(frozen=True)
class Made:
    """A forecast, what it was made from and by whom; `fallback` says why not by the champion."""

    forecast: Forecast
    history: Grid
    seasonality: Sequence[int]
    model_version: str
    fallback: str | None = None

    def vintage(self, series_id: str, issued_at: datetime) -> Vintage:
        """The forecast as it is stored and answered."""
        rows = vintage_rows(
            self.forecast,
            series_id=series_id,
            issued_at=issued_at,
            history=self.history,
            seasonality=self.seasonality,
            model_version=self.model_version,
            fallback=self.fallback,
        )
        return Vintage(
            series=series_id,
            issued_at=issued_at,
            origin=self.history.end,
            model_version=self.model_version,
            rows=rows,
            fallback=self.fallback,
        )


def make(settings: Settings, database: Database, now: datetime, *, series_id: str, horizon: int) -> Made:
    """The forecast of the next `horizon` periods.

    Raises NoChampionError where none was ever trained, NoDataError where nothing is stored,
    ForecastError where no value is known, DatabaseError.
    """
    try:
        champion = load_champion(settings.model_directory(series_id))
        return by_the_champion(champion, settings, database, now, series_id, horizon)
    except NoChampionError:
        raise
    except (ModelError, ForecastError) as error:
        return _by_the_naive(settings, database, now, series_id, horizon, reason=str(error))


def by_the_champion(
    champion: Champion,
    settings: Settings,
    database: Database,
    now: datetime,
    series_id: str,
    horizon: int,
    assumptions: Assumptions | None = None,
) -> Made:
    """The champion's forecast, under assumptions if there are any.

    Raises ForecastError where it cannot make one that may be served.
    """
    timeline = settings.series[series_id].timeline
    reach = horizon + (len(assumptions.newest) if assumptions else 0)
    history = history_of(champion, database, now, series_id=series_id, timeline=timeline, horizon=reach)
    if assumptions:
        history = assumptions.apply(history)
    width = _live_width(champion, database, series_id, history)
    fitted = champion.forecaster
    level = standing(history, fitted.shifts, fitted.seasonality)
    made = forecaster.forecast(fitted, level.history, horizon, width=width)
    if level.ended:
        made = level.ended.undo(made)
    absurd = fallback.why_absurd(made, history, fitted)
    if absurd:
        raise ForecastError(absurd)
    return Made(made, history, champion.forecaster.seasonality, champion.card.version)


def _live_width(champion: Champion, database: Database, series_id: str, history: Grid) -> Width | None:
    """How wide the champion's intervals are, after its errors up to the end of the history.

    None where there are none yet, or where the series has other periods now than the champion knows.
    """
    fitted = champion.forecaster
    if fitted.timeline.frequency != history.timeline.frequency:
        return None
    memory = live_width.memory_of(history.timeline)
    rows = database.live_errors(
        series_id,
        champion.card.version,
        since=history.timeline.shift(history.end, -memory.span),
        until=history.end,
        longest_lead=memory.longest_lead,
    )
    if not rows:
        return None
    starts, leads, predictions, reality = zip(*rows, strict=True)
    errors = live_width.LiveErrors(
        starts=np.array([to_seconds(start) for start in starts]),
        leads=np.array(leads),
        predictions=np.array(predictions),
        reality=np.array(reality),
    )
    return live_width.width_of(fitted, errors, fitted.timeline.number_of(history.end))


def _by_the_naive(
    settings: Settings,
    database: Database,
    now: datetime,
    series_id: str,
    horizon: int,
    *,
    reason: str,
) -> Made:
    """The forecast of the seasonal naive; `reason` says why the champion's is not served."""
    log.warning("%s: the champion's forecast is not served: %s", series_id, reason)
    series = settings.series[series_id]
    timeline = series.timeline
    seasonality = series.season_periods or seasons.usual(timeline, MANY)
    newest = fallback.SEASONS_BACK * max(seasonality) + fill_periods(timeline, seasonality)
    history = newest_periods(database, now, series_id=series_id, timeline=timeline, newest=newest)
    policy = settings.train_of(series_id)
    made = fallback.substitute(
        history,
        seasonality,
        horizon,
        coverage=policy.coverage,
        levels=policy.quantiles,
    )
    return Made(made.forecast, history, seasonality, made.name, fallback=reason)

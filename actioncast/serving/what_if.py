"""A forecast under assumptions: other values of columns known in the future, or newer values than the stored ones.

It is made by the champion as any forecast, and never stored.
"""

from __future__ import annotations

from datetime import datetime

from actioncast.database.database import Database
from actioncast.errors import InputError
from actioncast.forecasting.champion import load_champion
from actioncast.forecasting.exogenous import HOLIDAY, Assumptions
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.recipes import ForecastError
from actioncast.forecasting.vintage import Vintage
from actioncast.serving.make import by_the_champion
from actioncast.settings import Settings


def hypothetical(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_id: str,
    horizon: int,
    assumptions: Assumptions,
) -> Vintage:
    """The forecast of the next `horizon` periods under assumptions.

    Raises InputError for a column that the champion does not use and where it cannot forecast so, ModelError and
    NoDataError where it cannot forecast at all.
    """
    champion = load_champion(settings.model_directory(series_id))
    _check(assumptions, champion.forecaster, series_id)
    try:
        made = by_the_champion(champion, settings, database, now, series_id, horizon, assumptions)
    except ForecastError as error:
        raise InputError(str(error)) from None
    return made.vintage(series_id, now)


def _check(assumptions: Assumptions, forecaster: Forecaster, series_id: str) -> None:
    known = [name for name in forecaster.columns if name != HOLIDAY]
    for name in (*assumptions.shifts, *assumptions.columns):
        if name not in known:
            names = ", ".join(known) or "none"
            raise InputError(f"columns: {name!r} is none of those that the champion of {series_id} uses: {names}")

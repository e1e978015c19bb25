"""Issues a forecast: makes and stores it, or falls back on the newest stored one where none can be made."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from actioncast.database.database import Database
from actioncast.forecasting.recipes import ForecastError
from actioncast.forecasting.vintage import Vintage
from actioncast.serving.history import NoDataError
from actioncast.serving.make import make
from actioncast.settings import Settings
from actioncast.times import isoformat


def issue(settings: Settings, database: Database, now: datetime, *, series_id: str, horizon: int) -> Vintage:
    """The stored forecast of the next `horizon` periods.

    Where the champion cannot, the seasonal naive makes it, and where that cannot, the newest stored
    one stands, which is not stored again. Raises ActioncastError where there is none.
    """
    try:
        made = make(settings, database, now, series_id=series_id, horizon=horizon)
    except (NoDataError, ForecastError) as error:
        last = _last_vintage(settings, database, now, series_id)
        if last is None:
            raise
        reason = f"{error}; this is what the forecast of {isoformat(last.issued_at)} says"
        return replace(last, fallback=reason)
    issued = made.vintage(series_id, now)
    database.store_vintage(issued.rows)
    return issued


def _last_vintage(settings: Settings, database: Database, now: datetime, series_id: str) -> Vintage | None:
    """What the newest stored forecast says of the periods that are not over; None where it says nothing of them."""
    moments = database.newest_vintages(series_id, newest=1)
    if not moments:
        return None
    timeline = settings.series[series_id].timeline
    stored = Vintage.of_rows(database.vintage(series_id, moments[0]), timeline)
    ahead = [row for row in stored.rows if row["prediction_date"] > timeline.shift(now, -1)]
    return replace(stored, rows=ahead) if ahead else None

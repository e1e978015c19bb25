"""Has the level ended that the champion was trained for?"""

from __future__ import annotations

from datetime import datetime

from actioncast.database.database import Database
from actioncast.forecasting.card import Card
from actioncast.periods.axis import Cycles
from actioncast.periods.timeline import Timeline
from actioncast.serving.restatement import LOOKED_BACK, Ended, standing


def ended_level(database: Database, now: datetime, series_id: str, card: Card, timeline: Timeline) -> Ended | None:
    """The champion's newest change of level if the old level is back; None otherwise. Raises DatabaseError."""
    if not card.shifts:
        return None
    newest = Cycles(timeline).days(LOOKED_BACK)
    history = database.reality(series_id, until=now, newest=newest, timeline=timeline)
    return standing(history, card.shifts, card.seasonality).ended if history else None

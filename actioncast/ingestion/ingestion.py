"""What an ingestion asks its sources for, which points it believes, and what it reports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from actioncast import hours, times
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.hours import Hours, Points, Rejection
from actioncast.ingestion import sources
from actioncast.settings import Settings
from actioncast.times import isoformat

HOLE_HOURS = 24 * 14  # newest stored hours in which a missing one is asked for again: sources back-fill late
MAXIMUM_DAYS = 36_500  # of history; more is all there is


@dataclass(frozen=True)
class IngestionReport:
    """What a run did. `hours_loaded` counts new and changed hours."""

    series: str
    hours_loaded: int
    hours_missing: int
    points_read: int
    rejections: list[Rejection]
    last_hour: datetime | None
    outcome: str
    exogenous: dict[str, str]  # column -> how far it is known, or why it was not loaded
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "hours_loaded": self.hours_loaded,
            "hours_missing": self.hours_missing,
            "points_read": self.points_read,
            "points_rejected": len(self.rejections),
            "rejections": [str(rejection) for rejection in self.rejections[:20]],
            "last_hour": isoformat(self.last_hour) if self.last_hour else None,
            "outcome": self.outcome,
            "exogenous": self.exogenous,
        }

    def as_text(self) -> str:
        lines = [
            f"{self.series}: {self.outcome}: {self.hours_loaded} hours new or changed, {self.hours_missing} missing "
            f"(too few points), last hour {isoformat(self.last_hour) if self.last_hour else 'none'}"
        ]
        if self.rejections:
            lines.append(f"{len(self.rejections)} points rejected: {hours.describe(self.rejections)}")
        lines += [f"{name}: {state}" for name, state in self.exogenous.items()]
        return "\n".join(lines)


def first_hour(
    settings: Settings, database: Database, now: datetime, series_id: str, backfill: datetime | bool
) -> datetime | None:
    """The first hour to read; None for all the source has."""
    if isinstance(backfill, datetime):
        return times.floor_hour(backfill)
    known = None if backfill else database.reality(series_id, until=now, newest=HOLE_HOURS)
    if known is not None:
        reread = known.end - timedelta(hours=settings.series[series_id].reread_hours)
        holes = np.flatnonzero(np.isnan(known.values))
        return min([reread, *(known.start + timedelta(hours=int(hole)) for hole in holes[:1])])
    return None if backfill else _beginning(settings, now, series_id)


def _beginning(settings: Settings, now: datetime, series_id: str) -> datetime | None:
    """Where the history begins when nothing is stored; None for all the source has."""
    days = settings.series[series_id].history_days
    return None if days > MAXIMUM_DAYS else times.floor_hour(now - timedelta(days=days))


def columns(
    settings: Settings, database: Database, now: datetime, series_id: str, since: datetime | None
) -> tuple[dict[str, Hours], dict[str, str]]:
    """The hours of the exogenous columns up to the horizon ahead, and why those that failed did."""
    wanted, known, lost = settings.series[series_id], {}, {}
    until = times.floor_hour(now) + timedelta(hours=wanted.horizon + 1)
    for name in wanted.exogenous:
        try:
            begin = since if database.last_exogenous_hour(series_id, name) else _beginning(settings, now, series_id)
            rows = sources.fetch(settings, series_id, begin, until, name)
            points, rejections = checked(rows, until, -math.inf)
            beyond = [r for r in rejections if not r.reason.startswith(hours.FUTURE)]  # a forecast may reach further
            hours.refuse_too_many(beyond, len(rows), wanted.maximum_rejected_share)
            known[name] = hours.to_hours(points, minimum_points=1, scale=1, since=begin, now=until)
            if not len(known[name]):
                raise sources.SourceError(
                    f"{sources.name_of(settings, series_id, name)}: no hour of what was asked for"
                )
        except ActioncastError as error:
            known.pop(name, None)
            lost[name] = str(error)
    return known, lost


def checked(rows: sources.Rows, now: datetime, minimum_value: float) -> tuple[Points, list[Rejection]]:
    """Raw rows -> the points that can be true, and the others."""
    points, unreadable = hours.read_points(rows)
    points, untrue = hours.check_points(points, now, minimum_value)
    return points, unreadable + untrue

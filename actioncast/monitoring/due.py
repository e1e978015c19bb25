"""Which series are due for a look at their live error, when the hourly load comes by. Pure: rows in, names out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from actioncast.monitoring.live_error import Row

EARLY = timedelta(minutes=30)  # a load that starts late must not push the check after it to the next hour


def due_series(
    series_ids: Sequence[str],
    newest_checks: Mapping[str, Row],
    check_hours: float,
    now: datetime,
) -> list[str]:
    """The series whose newest check (series_id -> row of `checks`) is missing, old enough, or an alarm.

    An alarm is looked at each time, so that its issue stays open until a check takes it back.
    """
    pause = timedelta(hours=check_hours) - EARLY
    return [series_id for series_id in series_ids if _is_due(newest_checks.get(series_id), pause, now)]


def _is_due(newest_check: Row | None, pause: timedelta, now: datetime) -> bool:
    if newest_check is None or newest_check["verdict"] == "alarm":
        return True
    checked_at: datetime = newest_check["checked_at"]
    return now - checked_at >= pause

"""An outage: since when something fails, how often it has, and when people heard of it last.

It is kept in the body of its issue, as a comment that GitHub does not show. Pure: `now` comes in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actioncast.times import isoformat, parse_time

ONE_DAY = timedelta(days=1)
EARLY = timedelta(minutes=30)  # a daily look that comes a little early still counts as the next day
LIMIT_TOLERANCE = timedelta(seconds=20)  # the runner sets up before the clock that we read begins
_MARK = re.compile(r"<!-- outage since=(\S+) failures=(\d+) noticed=(\S+) -->\s*\Z")


@dataclass(frozen=True)
class Outage:
    """`failures` counts the runs that failed; `noticed` is the last time that people were notified."""

    since: datetime
    failures: int
    noticed: datetime

    @classmethod
    def starting(cls, now: datetime) -> Outage:
        """The first failure, of which people hear at once."""
        return cls(since=now, failures=1, noticed=now)

    @classmethod
    def of_body(cls, body: str, created_at: str) -> Outage:
        """What the body of an issue keeps; one without a mark began when it was opened."""
        match = _MARK.search(body)
        if match is None:
            return cls.starting(parse_time(created_at))
        return cls(
            since=parse_time(match[1]),
            failures=int(match[2]),
            noticed=parse_time(match[3]),
        )

    def failed_again(self, now: datetime) -> Outage:
        """One more failure; people hear of it once a day."""
        again = replace(self, failures=self.failures + 1)
        return replace(again, noticed=now) if self.reminder_is_due(now) else again

    def reminder_is_due(self, now: datetime) -> bool:
        """Whether a new day of the outage has begun since people were notified."""
        return self._day(now) > self._day(self.noticed)

    def _day(self, moment: datetime) -> int:
        """Days since the beginning. They are counted from there, so that reminders do not drift."""
        return (moment - self.since + EARLY) // ONE_DAY

    def mark(self) -> str:
        """The comment that keeps it at the end of a body."""
        since = isoformat(self.since)
        noticed = isoformat(self.noticed)
        return f"<!-- outage since={since} failures={self.failures} noticed={noticed} -->"


@dataclass(frozen=True)
class PastRun:
    """An earlier run of the same workflow, which did not end by being cancelled."""

    started: datetime
    failed: bool


def event_of_runs(previous: PastRun | None, now: datetime, *, failed: bool) -> str:
    """What has happened, where no issue keeps it: "opened", "lasting", "recovered" or "" for no news.

    Only the previous run is there to compare with, so an outage that lasts is news in the first run
    of each day (UTC). Without a previous run, or when it may not be read, each failure is news.
    """
    was_failing = previous is not None and previous.failed
    if not failed:
        return "recovered" if was_failing else ""
    if previous is None or not was_failing:
        return "opened"
    return "lasting" if previous.started.date() < now.date() else ""


def hit_the_limit(started: datetime | None, now: datetime, limit_minutes: float) -> bool:
    """Whether a cancelled job ran as long as it may: GitHub calls that "cancelled" too.

    `started` is None where nobody knows it.
    """
    if started is None or limit_minutes <= 0:
        return False
    return now - started >= timedelta(minutes=limit_minutes) - LIMIT_TOLERANCE

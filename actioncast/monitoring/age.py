"""The one verdict on what is too old: for issues, `/ready` and the lights of the page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.times import ONE_HOUR


@dataclass(frozen=True)
class Age:
    """How old the newest thing of a kind is, beside the age it may have."""

    newest: datetime | None
    age: timedelta | None
    allowed: timedelta

    @property
    def missing(self) -> bool:
        """Whether there is nothing whose age could be measured."""
        return self.age is None

    @property
    def stale(self) -> bool:
        """Whether it is older than allowed; a missing thing has no age."""
        return self.age is not None and self.age > self.allowed

    @property
    def ageing(self) -> bool:
        """Whether more than half of the allowed age has passed, and not yet all of it."""
        return self.age is not None and self.allowed / 2 < self.age <= self.allowed

    @property
    def hours(self) -> float | None:
        return None if self.age is None else self.age / ONE_HOUR

    @property
    def allowed_hours(self) -> float:
        return self.allowed / ONE_HOUR


def age_verdict(
    newest: datetime | None,
    now: datetime,
    allowed: timedelta,
    timeline: Timeline = UTC_HOURS,
) -> Age:
    """How old the newest thing is at `now`, beside the age it may have. Closed hours of a timeline do not count.

    `newest` is when the newest thing came to be; of a stored period it is the end.
    """
    return Age(newest, None if newest is None else timeline.open_time(newest, now), allowed)

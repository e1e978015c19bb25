"""The one verdict on what is too old: for issues, `/ready` and the lights of the page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actioncast.times import ONE_HOUR


@dataclass(frozen=True)
class Age:
    """How old the newest thing of a kind is, beside the age it may have."""

    newest: datetime | None
    hours: float | None
    allowed_hours: float

    @property
    def missing(self) -> bool:
        """Whether there is nothing whose age could be measured."""
        return self.hours is None

    @property
    def stale(self) -> bool:
        """Whether it is older than allowed; a missing thing has no age."""
        return self.hours is not None and self.hours > self.allowed_hours

    @property
    def ageing(self) -> bool:
        """Whether more than half of the allowed age has passed, and not yet all of it."""
        return self.hours is not None and self.allowed_hours / 2 < self.hours <= self.allowed_hours


def age_verdict(newest: datetime | None, now: datetime, allowed_hours: float) -> Age:
    """How old the newest thing is at `now`, beside the age it may have.

    `newest` is when the newest thing came to be; of a stored hour it is the end.
    """
    hours = None if newest is None else (now - newest) / ONE_HOUR
    return Age(newest, hours, allowed_hours)

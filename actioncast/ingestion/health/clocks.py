"""Do people's clocks show in a series? Their days begin one hour earlier or later in UTC when a
zone changes its clocks. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actioncast.arrays import Values, np
from actioncast.hours import Grid
from actioncast.ingestion.health.medians import medians
from actioncast.times import HOURS_PER_DAY, ONE_HOUR

ZONES = {"Europe": "Europe/Berlin", "North America": "America/New_York", "Australia": "Australia/Sydney"}
WEEKS = 2  # on either side of a change that are compared
BETTER = 0.5  # times the misfit that the moved profile may leave
NEAR = timedelta(days=2)  # of a change: a shift there is the clock's


@dataclass(frozen=True)
class Change:
    """A clock change: the first hour (UTC) of the new time; days begin `hours` later in UTC since then."""

    zone: str
    moment: datetime
    hours: int


def changes(zone: str, start: datetime, end: datetime) -> list[Change]:
    """The clock changes of a zone of ZONES between two hours."""
    clock = ZoneInfo(ZONES[zone])
    moments = []
    # Every change has a day whose length is odd; the hour is searched there.
    day = start
    while day < end:
        next_day = day + timedelta(days=1)
        if day.astimezone(clock).utcoffset() != next_day.astimezone(clock).utcoffset():
            moments.append(_change_within(zone, clock, day))
        day = next_day
    return moments


def _change_within(zone: str, clock: ZoneInfo, day: datetime) -> Change:
    """The change of the clock within the 24 hours from `day` on."""
    before = day.astimezone(clock).utcoffset() or timedelta(0)
    moment = day
    while moment.astimezone(clock).utcoffset() == before:
        moment += ONE_HOUR
    after = moment.astimezone(clock).utcoffset() or timedelta(0)
    return Change(zone, moment, hours=(before - after) // ONE_HOUR)


def hints(history: Grid) -> list[str]:
    """A sentence for each part of the world whose clock changes move the daily profile, as they should in UTC."""
    sentences = []
    for zone in ZONES:
        judged = []
        for change in changes(zone, history.start, history.end):
            verdict = _follows(history, change)
            if verdict is not None:
                judged.append(verdict)
        if judged and sum(judged) > len(judged) / 2:
            sentences.append(
                f"the daily profile moved by one hour at {sum(judged)} of {len(judged)} clock changes of {zone}: "
                "people's days there, in UTC"
            )
    return sentences


def is_clock_change(first: datetime, hours: int, start: datetime, end: datetime) -> bool:
    """Whether a shift of the profile by so many hours, from `first` on, is what a clock change of some zone does."""
    for zone in ZONES:
        for change in changes(zone, max(start, first - 2 * NEAR), min(end, first + 2 * NEAR)):
            if change.hours == hours and abs(change.moment - first) <= NEAR:
                return True
    return False


def _follows(history: Grid, change: Change) -> bool | None:
    """Whether the profile of the weeks after fits that of the weeks before better when moved as the clock was.

    None where hours are missing.
    """
    index = (change.moment - history.start) // ONE_HOUR
    length = WEEKS * 7 * HOURS_PER_DAY
    if index < length or index + length > len(history):
        return None
    before = _profile(history.values[index - length : index])
    after = _profile(history.values[index : index + length])
    if np.isnan(before).any() or np.isnan(after).any():
        return None
    moved = np.roll(before, change.hours)
    return _misfit(after, moved) < BETTER * _misfit(after, before)


def _profile(values: Values) -> Values:
    """[24] the median of each hour of the day less their mean; NaN where one has none."""
    typical = medians(values.reshape(-1, HOURS_PER_DAY))
    profile: Values = typical - typical.mean()
    return profile


def _misfit(one: Values, other: Values) -> float:
    return float(np.abs(one - other).sum())

"""Do people's clocks show in a series? Their days begin one hour earlier or later in UTC when a
zone changes its clocks. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actioncast.arrays import Values, np
from actioncast.ingestion.health.medians import medians
from actioncast.periods.grid import Grid
from actioncast.times import HOURS_PER_DAY, ONE_HOUR

ZONES = {
    "Europe": "Europe/Berlin",
    "North America": "America/New_York",
    "Australia": "Australia/Sydney",
}
WEEKS = 2  # on either side of a change that are compared
BETTER = 0.5  # times the misfit that the moved profile may leave
AROUND_CHANGE = timedelta(days=2)  # before and after a change: a shift there is the clock's


@dataclass(frozen=True)
class Change:
    """A clock change of a zone, at the first hour (UTC) of the new time.

    Days begin `hours` later in UTC since then.
    """

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
        if _utc_offset(day, clock) != _utc_offset(next_day, clock):
            change = _change_within(zone, clock, day)
            moments.append(change)
        day = next_day
    return moments


def _change_within(zone: str, clock: ZoneInfo, day: datetime) -> Change:
    """The change of the clock within the 24 hours from `day` on."""
    before = _utc_offset(day, clock)
    moment = day
    while _utc_offset(moment, clock) == before:
        moment += ONE_HOUR
    after = _utc_offset(moment, clock)
    hours = (before - after) // ONE_HOUR
    return Change(zone, moment, hours)


def _utc_offset(moment: datetime, clock: ZoneInfo) -> timedelta:
    local = moment.astimezone(clock)
    return local.utcoffset() or timedelta(0)


def hints(history: Grid) -> list[str]:
    """A sentence for each zone whose clock changes move the daily profile, as is right in UTC."""
    sentences = []
    for zone in ZONES:
        verdicts = _verdicts(history, zone)
        count = len(verdicts)
        moved = sum(verdicts)
        if moved > count / 2:
            sentences.append(
                f"the daily profile moved by one hour at {moved} of {count} clock changes "
                f"of {zone}: people's days there, in UTC"
            )
    return sentences


def _verdicts(history: Grid, zone: str) -> list[bool]:
    """For each clock change of the zone that can be judged, whether the profile follows it."""
    verdicts = []
    for change in changes(zone, history.start, history.end):
        verdict = _follows(history, change)
        if verdict is not None:
            verdicts.append(verdict)
    return verdicts


def is_clock_change(first: datetime, hours: int, start: datetime, end: datetime) -> bool:
    """Whether a clock change of some zone explains a shift of the profile.

    The shift begins at `first` and has so many hours; the series goes from `start` to `end`.
    """
    earliest = max(start, first - 2 * AROUND_CHANGE)
    latest = min(end, first + 2 * AROUND_CHANGE)
    for zone in ZONES:
        for change in changes(zone, earliest, latest):
            distance = abs(change.moment - first)
            if change.hours == hours and distance <= AROUND_CHANGE:
                return True
    return False


def _follows(history: Grid, change: Change) -> bool | None:
    """Whether the profile after a change fits the one before better when moved as the clock was.

    None where hours are missing.
    """
    index = (change.moment - history.start) // ONE_HOUR
    length = WEEKS * 7 * HOURS_PER_DAY
    before = _profile(history, index - length, index)
    after = _profile(history, index, index + length)
    if before is None or after is None:
        return None
    moved = np.roll(before, change.hours)
    allowed = BETTER * _misfit(after, before)
    return _misfit(after, moved) < allowed


def _profile(history: Grid, first: int, end: int) -> Values | None:
    """[24] the median of each hour of the day less their mean, from `first` until before `end`.

    None where an hour of the day has no value, or where the history does not hold all hours.
    """
    if first < 0 or end > len(history):
        return None
    by_day = history.values[first:end].reshape(-1, HOURS_PER_DAY)
    typical = medians(by_day)
    if np.isnan(typical).any():
        return None
    profile: Values = typical - typical.mean()
    return profile


def _misfit(one: Values, other: Values) -> float:
    """The sum of the differences between two profiles."""
    differences = np.abs(one - other)
    return float(differences.sum())

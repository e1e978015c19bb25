"""Periods that are missing: long gaps, hours of the day that never come, another frequency. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from actioncast.arrays import Flags, Numbers, Values, np
from actioncast.ingestion.health.findings import FUTURE, SILENT, HealthFinding, Suspicion, runs
from actioncast.ingestion.health.medians import median
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline
from actioncast.text import duration
from actioncast.times import HOURS_PER_DAY

FEWEST_MISSING = 24  # hours of a gap that is worth a word
FEWEST_DAYS = 21  # that show which hours come
OFTEN = 0.5  # of the days on which an hour of the day is missing
RARELY = 0.1  # of the other hours
DAYS_BACK = 28  # that show a pattern


def gaps(values: Values, judged: int, plural: str = "hours") -> list[Suspicion]:
    """Gaps of a day and more that are longer than any before."""
    suspicions = []
    longest = 0
    for first, last in runs(np.isnan(values)):
        length = last - first + 1
        if length < FEWEST_MISSING:
            continue
        if length <= longest:
            continue
        if last + 1 >= judged:
            evidence = f"{length} {plural} are missing; {_comparison(longest)}"
            suspicions.append(Suspicion(first, last, evidence))
        longest = length
    return suspicions


def _comparison(longest: int) -> str:
    """The longest gap before (hours) in words."""
    if longest:
        return f"the longest before had {longest}"
    return "there was no such gap before"


def repeating(values: Values, judged: int, _plural: str = "hours") -> list[Suspicion]:
    """One suspicion if the same hours of the day are missing on most days, but not the others."""
    newest = values[-DAYS_BACK * HOURS_PER_DAY :]
    days = len(newest) // HOURS_PER_DAY
    if days < FEWEST_DAYS:
        return []
    if step_of(newest) != 1:
        return []
    skipped = len(values) - days * HOURS_PER_DAY
    is_missing = np.isnan(values[skipped:])
    by_day = is_missing.reshape(days, HOURS_PER_DAY)
    share = by_day.mean(axis=0)
    if not _is_pattern(share):
        return []
    often = np.flatnonzero(share >= OFTEN)
    last = _last_of(is_missing, often) + skipped
    if last < judged:
        return []
    evidence = _repeating_evidence(share[often], days)
    return [Suspicion(skipped, last, evidence)]


def _repeating_evidence(share: Values, days: int) -> str:
    hours = f"{len(share)} of the 24 hours of the day"
    return f"{hours} are missing on {share.mean():.0%} of {days} days"


def _is_pattern(share: Values) -> bool:
    """Whether some hours of the day are often missing, and the others rarely.

    `share` [24]: of the days on which the hour is missing.
    """
    is_often = share >= OFTEN
    if not is_often.any():
        return False
    if is_often.all():
        return False
    others = share[~is_often]
    return bool(others.mean() <= RARELY)


def _last_of(missing: Flags, hours_of_day: Numbers) -> int:
    """The index of the newest missing hour among those of these hours of the day."""
    indices = np.flatnonzero(missing)
    is_concerned = np.isin(indices % HOURS_PER_DAY, hours_of_day)
    concerned = indices[is_concerned]
    return int(concerned[-1])


def frequency(values: Values, judged: int, _plural: str = "hours") -> list[Suspicion]:
    """One suspicion if values come less often than every hour."""
    present = np.flatnonzero(~np.isnan(values))
    if len(present) < HOURS_PER_DAY:
        return []
    first = int(present[0])
    last = int(present[-1])
    if last < judged:
        return []
    step = step_of(values)
    if step == 1:
        return []
    evidence = f"values come every {step} hours"
    return [Suspicion(first, last, evidence)]


def step_of(values: Values) -> int:
    """Periods from one value to the next, for most of them; 1 where nothing shows it."""
    present = np.flatnonzero(~np.isnan(values))
    if len(present) < 2:
        return 1
    steps = np.diff(present).astype(np.float64)
    return int(median(steps))


def future(history: Grid, now: datetime) -> list[HealthFinding]:
    """One finding if periods are stored that are not over."""
    running = history.timeline.last_over(now) + 1
    last = history.first + len(history) - 1
    if last < running:
        return []
    first = max(running, history.first)
    evidence = f"stored, though it is only {now:%Y-%m-%d %H:%MZ}"
    return [_of_periods(history.timeline, FUTURE, first, last, evidence)]


def _of_periods(timeline: Timeline, kind: str, first: int, last: int, evidence: str) -> HealthFinding:
    """A finding about the periods of these numbers."""
    return HealthFinding(
        kind=kind,
        first=timeline.start_of(first),
        last=timeline.start_of(last),
        evidence=evidence,
        periods=last - first + 1,
    )


def silent(history: Grid, now: datetime, allowed: timedelta) -> list[HealthFinding]:
    """One finding if the newest period ended longer ago than it may."""
    timeline = history.timeline
    newest = history.first + len(history) - 1
    age = now - timeline.end_of(newest)
    if age <= allowed:
        return []
    evidence = f"no {timeline.frequency.noun} came for {duration(age)}; {duration(allowed)} are allowed"
    return [_of_periods(timeline, SILENT, newest + 1, max(timeline.number_of(now), newest + 1), evidence)]

"""Hours that are missing: long gaps, hours of the day that never come, another frequency. Pure."""

from __future__ import annotations

from datetime import datetime

from actioncast.arrays import Flags, Numbers, Values, np
from actioncast.hours import Grid
from actioncast.ingestion.health.findings import FUTURE, SILENT, HealthFinding, Suspicion, runs
from actioncast.ingestion.health.medians import median
from actioncast.times import HOURS_PER_DAY, ONE_HOUR, floor_hour

FEWEST_MISSING = 24  # hours of a gap that is worth a word
FEWEST_DAYS = 21  # that show which hours come
OFTEN = 0.5  # of the days on which an hour of the day is missing
RARELY = 0.1  # of the other hours
DAYS_BACK = 28  # that show a pattern


def gaps(values: Values, judged: int) -> list[Suspicion]:
    """Gaps of a day and more that are longer than any before."""
    suspicions = []
    longest = 0
    for first, last in runs(np.isnan(values)):
        length = last - first + 1
        if length < FEWEST_MISSING or length <= longest:
            continue
        if last + 1 >= judged:
            before = f"the longest before had {longest}" if longest else "there was no such gap before"
            suspicions.append(Suspicion(first, last, f"{length} hours are missing; {before}"))
        longest = length
    return suspicions


def repeating(values: Values, judged: int) -> list[Suspicion]:
    """One suspicion if the same hours of the day are missing on most days, but not the others."""
    newest = values[-DAYS_BACK * HOURS_PER_DAY :]
    days = len(newest) // HOURS_PER_DAY
    if days < FEWEST_DAYS or step_of(newest) != 1:
        return []
    skipped = len(values) - days * HOURS_PER_DAY
    missing = np.isnan(values[skipped:]).reshape(days, HOURS_PER_DAY)
    share = missing.mean(axis=0)
    often = np.flatnonzero(share >= OFTEN)
    seldom = share < OFTEN
    if not len(often) or not seldom.any() or share[seldom].mean() > RARELY:
        return []
    last = _last_of(missing.ravel(), often) + skipped
    if last < judged:
        return []
    evidence = f"{len(often)} of the 24 hours of the day are missing on {share[often].mean():.0%} of {days} days"
    return [Suspicion(skipped, last, evidence)]


def _last_of(missing: Flags, hours_of_day: Numbers) -> int:
    """The index of the newest missing hour among those of these hours of the day."""
    indices = np.flatnonzero(missing)
    concerned = indices[np.isin(indices % HOURS_PER_DAY, hours_of_day)]
    return int(concerned[-1])


def frequency(values: Values, judged: int) -> list[Suspicion]:
    """One suspicion if values come less often than every hour."""
    present = np.flatnonzero(~np.isnan(values))
    step = step_of(values)
    if step == 1 or len(present) < HOURS_PER_DAY or present[-1] < judged:
        return []
    evidence = f"values come every {step} hours"
    return [Suspicion(int(present[0]), int(present[-1]), evidence)]


def step_of(values: Values) -> int:
    """Hours from one value to the next, for most of them; 1 where nothing shows it."""
    present = np.flatnonzero(~np.isnan(values))
    if len(present) < 2:
        return 1
    return int(median(np.diff(present).astype(np.float64)))


def future(history: Grid, now: datetime) -> list[HealthFinding]:
    """One finding if hours are stored that are not over."""
    open_hour = floor_hour(now)
    if history.end < open_hour:
        return []
    first = max(open_hour, history.start)
    evidence = f"stored, though it is only {now:%Y-%m-%d %H:%MZ}"
    return [HealthFinding(FUTURE, first, history.end, evidence)]


def silent(history: Grid, now: datetime, allowed_hours: float) -> list[HealthFinding]:
    """One finding if the newest hour ended longer ago than it may."""
    end = history.end + ONE_HOUR
    age_hours = (now - end) / ONE_HOUR
    if age_hours <= allowed_hours:
        return []
    evidence = f"no hour came for {age_hours:,.0f} h; {allowed_hours:g} h are allowed"
    return [HealthFinding(SILENT, end, floor_hour(now), evidence)]

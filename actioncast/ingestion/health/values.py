"""Values that no source should give: zeros instead of an outage, one value for ever, another unit.

Each function takes values [hours] (NaN where missing) and the index `judged` of the first hour that
is looked at; what lies before shows what is usual. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from actioncast.arrays import Flags, Values, np
from actioncast.ingestion.health.findings import Suspicion, runs
from actioncast.ingestion.health.medians import median, medians

FEWEST_BEFORE = 336  # hours that must have shown what is usual
FEWEST_ZEROS = 3
FEWEST_EQUAL = 6
LONGER = 1.5  # times the longest run of equal values before
IMPROBABLE = 1e-4  # expected number of such runs, if equal neighbours came by chance
WEEK = 168
WEEKS_BACK = 4
FACTORS = {
    "x 1000": 1000.0,
    "x 0.001": 0.001,
    "x 1,000,000": 1e6,
    "x 0.000001": 1e-6,
    "x 100": 100.0,
    "x 0.01": 0.01,
    "x 60": 60.0,
    "x 1/60": 1 / 60,
    "x 3600": 3600.0,
    "x 1/3600": 1 / 3600,
    "x 3.6": 3.6,
    "x 1/3.6": 1 / 3.6,
    "x 10": 10.0,
    "x 0.1": 0.1,
    "x 24": 24.0,
    "x 1/24": 1 / 24,
}
LARGE_FACTOR = math.log(20)  # no level changes that much by itself
FEWEST_IN_LARGE_UNIT = 6  # hours
FEWEST_IN_UNIT = 18  # hours of a smaller factor, which a real change can have too
CLOSE = 0.1  # log: how near to a factor the level must be where hours of the weeks are alike
RARE = 0.995  # share of the hours before that lay nearer to what was expected than a rare one
BEYOND_RARE = 1.5  # times as far a factor must be


def zeros(values: Values, judged: int) -> list[Suspicion]:
    """Runs of exact zeros in a series that was positive at all hours before."""
    suspicions = []
    clean = values.copy()
    # An hour that is missing between zeros does not end their run.
    for first, end in runs(_carried_on(values) == 0):
        before = _present(clean[:first])
        zero_hours = first + np.flatnonzero(values[first : end + 1] == 0)
        length = len(zero_hours)
        last = int(zero_hours[-1])
        if len(before) < FEWEST_BEFORE or length < FEWEST_ZEROS or before.min() <= 0:
            continue
        clean[first : last + 1] = np.nan
        if last >= judged:
            evidence = f"{length} hours are exactly 0; the least of {len(before):,} before was {before.min():g}"
            suspicions.append(Suspicion(first, last, evidence, strong=True))
    return suspicions


def stuck(values: Values, judged: int) -> list[Suspicion]:
    """Runs of one value, far longer than any before and too long for chance."""
    suspicions = []
    clean = values.copy()
    for second, last in runs(_repeats(values)):
        first = second - 1
        before = clean[:first]
        length = last - first + 1
        hours = len(_present(before))
        if length < FEWEST_EQUAL or hours < FEWEST_BEFORE:
            continue
        repeats = _repeats(before)
        longest = max((end - start + 2 for start, end in runs(repeats)), default=1)
        share = (int(repeats.sum()) + 1) / (hours + 2)
        by_chance = hours * share ** (length - 1)
        if length <= LONGER * longest + 2 or by_chance > IMPROBABLE:
            continue
        clean[first : last + 1] = np.nan
        if last >= judged:
            evidence = f"{length} hours are all {values[last]:g}; the longest run before had {longest}"
            suspicions.append(Suspicion(first, last, evidence, strong=True))
    return suspicions


@dataclass(frozen=True)
class _InUnit:
    """Hours that look as if they came in another unit."""

    suspicion: Suspicion
    length: int  # hours
    distance: float  # of their level from the factor, log


def units(values: Values, judged: int) -> list[Suspicion]:
    """Runs of hours whose level is a well-known factor times that of the same hours of the weeks before."""
    present = _present(values)
    if len(present) < FEWEST_BEFORE or median(present[:FEWEST_BEFORE]) <= 0:
        return []
    logarithms = log_ratios(values)
    # What is usual is seen before what is judged: a lie is no example of it.
    usual = _present(np.abs(logarithms[:judged]))
    if len(usual) < FEWEST_BEFORE / 2:
        return []
    usual_error = median(usual)
    rare_error = float(np.sort(usual)[int(RARE * (len(usual) - 1))])
    candidates: list[_InUnit] = []
    for name, factor in FACTORS.items():
        size = math.log(factor)
        if abs(size) < BEYOND_RARE * rare_error:
            continue
        candidates += _in_unit(logarithms, name, size, usual_error)
    return [each.suspicion for each in _apart(candidates) if each.suspicion.last >= judged]


def log_ratios(values: Values) -> Values:
    """[n] log of each hour over the median of the same hour of the weeks before; NaN where there is none."""
    positive = np.where(values > 0, values, np.nan)
    logarithms = np.log(positive)
    earlier = np.full((WEEKS_BACK, len(values)), np.nan)
    for row in range(WEEKS_BACK):
        back = (row + 1) * WEEK
        if back < len(values):
            earlier[row, back:] = logarithms[:-back]
    result: Values = logarithms - medians(earlier)
    return result


def _in_unit(logarithms: Values, name: str, size: float, usual_error: float) -> list[_InUnit]:
    """The runs in which the level is this factor away (`size`: its log)."""
    is_large = abs(size) >= LARGE_FACTOR
    fewest = FEWEST_IN_LARGE_UNIT if is_large else FEWEST_IN_UNIT
    allowed = abs(size) / 4 if is_large else max(CLOSE, 2 * usual_error)
    near = np.abs(logarithms - size) <= abs(size) / 2
    candidates = []
    for first, last in runs(near):
        distance = abs(median(logarithms[first : last + 1]) - size)
        length = last - first + 1
        if length >= fewest and distance <= allowed:
            evidence = f"{length} hours are {name} of the same hours of the weeks before"
            candidates.append(_InUnit(Suspicion(first, last, evidence, strong=is_large), length, distance))
    return candidates


def _apart(candidates: list[_InUnit]) -> list[_InUnit]:
    """Of those that overlap the longest one, and of two that are equally long the one that fits better."""
    chosen: list[_InUnit] = []
    for each in sorted(candidates, key=lambda candidate: (-candidate.length, candidate.distance)):
        if not any(each.suspicion.overlaps(other.suspicion) for other in chosen):
            chosen.append(each)
    return sorted(chosen, key=lambda candidate: candidate.suspicion.first)


def _repeats(values: Values) -> Flags:
    """[n] whether an hour has exactly the value of the one before."""
    repeats = np.zeros(len(values), dtype=np.bool_)
    repeats[1:] = values[1:] == values[:-1]
    return repeats


def _carried_on(values: Values) -> Values:
    """[n] the values, each missing one replaced by the one before it."""
    indices = np.arange(len(values))
    last_present = np.maximum.accumulate(np.where(np.isnan(values), 0, indices))
    carried_on: Values = values[last_present]
    return carried_on


def _present(values: Values) -> Values:
    """The values of the hours that are not missing."""
    return values[~np.isnan(values)]

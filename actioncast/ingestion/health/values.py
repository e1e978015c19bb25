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
CLOSE = 0.1  # log: the level may lie so far from a factor where the weeks are alike
RARE = 0.995  # share of the hours before whose error is smaller than a rare one
BEYOND_RARE = 1.5  # times the rare error that a factor must have


def zeros(values: Values, judged: int, plural: str = "hours") -> list[Suspicion]:
    """Runs of exact zeros in a series that was positive at all hours before."""
    suspicions = []
    clean = values.copy()
    # An hour that is missing between zeros does not end their run.
    is_zero = _carried_on(values) == 0
    for first, end in runs(is_zero):
        zero_hours = first + np.flatnonzero(values[first : end + 1] == 0)
        length = len(zero_hours)
        last = int(zero_hours[-1])
        before = _present(clean[:first])
        if length < FEWEST_ZEROS or not _were_positive(before):
            continue
        clean[first : last + 1] = np.nan
        if last < judged:
            continue
        comparison = f"the least of {len(before):,} before was {before.min():g}"
        evidence = f"{length} {plural} are exactly 0; {comparison}"
        suspicions.append(Suspicion(first, last, evidence, strong=True))
    return suspicions


def _were_positive(before: Values) -> bool:
    """Whether all hours before were positive, and enough of them to say so."""
    if len(before) < FEWEST_BEFORE:
        return False
    return bool(before.min() > 0)


def stuck(values: Values, judged: int, plural: str = "hours") -> list[Suspicion]:
    """Runs of one value, far longer than any before and too long for chance."""
    suspicions = []
    clean = values.copy()
    for second, last in runs(_repeats(values)):
        first = second - 1
        length = last - first + 1
        if length < FEWEST_EQUAL:
            continue
        before = clean[:first]
        longest = _longest_run(before)
        if not _is_too_long(length, before, longest):
            continue
        clean[first : last + 1] = np.nan
        if last < judged:
            continue
        evidence = f"{length} {plural} are all {values[last]:g}; the longest run before had {longest}"
        suspicions.append(Suspicion(first, last, evidence, strong=True))
    return suspicions


def _is_too_long(length: int, before: Values, longest: int) -> bool:
    """Whether so many equal hours are neither usual nor chance.

    `longest` is the length of the longest run in the hours before.
    """
    hours = len(_present(before))
    if hours < FEWEST_BEFORE:
        return False
    if length <= LONGER * longest + 2:
        return False
    repeats = int(_repeats(before).sum())
    share = (repeats + 1) / (hours + 2)
    by_chance = hours * share ** (length - 1)
    return by_chance <= IMPROBABLE


def _longest_run(values: Values) -> int:
    """Number of hours of the longest run of one value; 1 where no hour repeats another."""
    longest = 1
    for second, last in runs(_repeats(values)):
        longest = max(longest, last - second + 2)
    return longest


@dataclass(frozen=True)
class _InUnit:
    """Periods that look as if they came in another unit."""

    suspicion: Suspicion
    length: int  # hours
    distance: float  # of their level from the factor, log


def units(values: Values, judged: int, plural: str = "hours") -> list[Suspicion]:
    """Runs of hours in which the level changed by a well-known factor.

    The same hours of the weeks before show the usual level.
    """
    present = _present(values)
    if len(present) < FEWEST_BEFORE:
        return []
    first_level = median(present[:FEWEST_BEFORE])
    if first_level <= 0:
        return []
    logarithms = log_ratios(values)
    # What is usual is seen before what is judged: a lie is no example of it.
    usual = _present(np.abs(logarithms[:judged]))
    if len(usual) < FEWEST_BEFORE / 2:
        return []
    usual_error = median(usual)
    smallest_size = BEYOND_RARE * _rare_error(usual)
    candidates: list[_InUnit] = []
    for name, factor in FACTORS.items():
        size = math.log(factor)
        if abs(size) >= smallest_size:
            candidates += _in_unit(logarithms, f"{plural} are {name}", size, usual_error)
    suspicions = [candidate.suspicion for candidate in _apart(candidates)]
    return [suspicion for suspicion in suspicions if suspicion.last >= judged]


def _rare_error(errors: Values) -> float:
    """The error that only a share of 1 - RARE of the hours exceeds."""
    ordered = np.sort(errors)
    index = int(RARE * (len(errors) - 1))
    return float(ordered[index])


def log_ratios(values: Values) -> Values:
    """[n] log of each hour over the median of the same hour of the weeks before.

    NaN where there is none.
    """
    count = len(values)
    positive = np.where(values > 0, values, np.nan)
    logarithms = np.log(positive)
    earlier = np.full((WEEKS_BACK, count), np.nan)
    for row in range(WEEKS_BACK):
        back = (row + 1) * WEEK
        if back < count:
            earlier[row, back:] = logarithms[:-back]
    result: Values = logarithms - medians(earlier)
    return result


def _in_unit(
    logarithms: Values,
    name: str,
    size: float,
    usual_error: float,
) -> list[_InUnit]:
    """The runs in which the level is this factor away (`size`: its log)."""
    is_large = abs(size) >= LARGE_FACTOR
    fewest = FEWEST_IN_LARGE_UNIT if is_large else FEWEST_IN_UNIT
    allowed = _allowed_distance(size, usual_error)
    is_close = np.abs(logarithms - size) <= abs(size) / 2
    candidates = []
    for first, last in runs(is_close):
        length = last - first + 1
        level = median(logarithms[first : last + 1])
        distance = abs(level - size)
        if length < fewest:
            continue
        if distance > allowed:
            continue
        evidence = f"{length} {name} of the same hours of the weeks before"
        suspicion = Suspicion(first, last, evidence, strong=is_large)
        candidates.append(_InUnit(suspicion, length, distance))
    return candidates


def _allowed_distance(size: float, usual_error: float) -> float:
    """How far the level may lie from a factor (`size`: its log)."""
    if abs(size) >= LARGE_FACTOR:
        return abs(size) / 4
    return max(CLOSE, 2 * usual_error)


def _apart(candidates: list[_InUnit]) -> list[_InUnit]:
    """Of candidates that overlap, the longest one; of one length, the one that fits better."""
    chosen: list[_InUnit] = []
    for candidate in sorted(candidates, key=_length_and_fit):
        suspicion = candidate.suspicion
        if not any(suspicion.overlaps(other.suspicion) for other in chosen):
            chosen.append(candidate)
    return sorted(chosen, key=_first_hour)


def _length_and_fit(candidate: _InUnit) -> tuple[int, float]:
    """Sorts the longest first, then the one that fits better."""
    return -candidate.length, candidate.distance


def _first_hour(candidate: _InUnit) -> int:
    return candidate.suspicion.first


def _repeats(values: Values) -> Flags:
    """[n] whether an hour has exactly the value of the one before."""
    repeats = np.zeros(len(values), dtype=np.bool_)
    repeats[1:] = values[1:] == values[:-1]
    return repeats


def _carried_on(values: Values) -> Values:
    """[n] the values, each missing one replaced by the one before it."""
    indices = np.arange(len(values))
    present_indices = np.where(np.isnan(values), 0, indices)
    last_present = np.maximum.accumulate(present_indices)
    carried_on: Values = values[last_present]
    return carried_on


def _present(values: Values) -> Values:
    """The values of the hours that are not missing."""
    return values[~np.isnan(values)]

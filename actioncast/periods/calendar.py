"""Terms of the calendar that no week repeats: month, season of the year, week of the month, its ends.

They are known for every period, past and to come, on the clocks of the series' zone. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from actioncast.arrays import Numbers, Values, np
from actioncast.periods.axis import MONTHS, YEAR, Axis
from actioncast.periods.frequency import DAY

HARMONICS = 4  # of the year: the shortest wave is a quarter long
WEEKS_OF_MONTH = 5
DAYS_OF_WEEK = 7


def _months_and_days(axis: Axis, at: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Of each position: months since 1970, the day of the month from 0 on, and the days of that month."""
    days = axis.local(at) // DAY
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    following = (months + 1).astype("datetime64[D]").astype(np.int64)
    return months.astype(np.int64), days - first, following - first


def _month(axis: Axis, at: Numbers) -> Values:
    months, _, _ = _months_and_days(axis, at)
    return np.asarray(np.eye(MONTHS)[months % MONTHS])


def _day_of_year(axis: Axis, at: Numbers) -> Values:
    """Waves of the year, whose days are 365.25 on average."""
    angle = 2 * np.pi * (axis.local(at) / DAY) / YEAR
    waves: list[Values] = []
    for harmonic in range(1, HARMONICS + 1):
        waves += [np.sin(harmonic * angle), np.cos(harmonic * angle)]
    return np.stack(waves, axis=-1)


def _week_of_month(axis: Axis, at: Numbers) -> Values:
    _, day, _ = _months_and_days(axis, at)
    return np.asarray(np.eye(WEEKS_OF_MONTH)[day // DAYS_OF_WEEK])


def _end_of_month(axis: Axis, at: Numbers) -> Values:
    """The first day of a month, its last one and the two before."""
    _, day, length = _months_and_days(axis, at)
    left = length - 1 - day
    return np.stack([day == 0, left == 0, left == 1, left == 2], axis=-1).astype(np.float64)


TERMS: dict[str, tuple[int, Callable[[Axis, Numbers], Values]]] = {
    "month": (MONTHS, _month),
    "day_of_year": (2 * HARMONICS, _day_of_year),
    "week_of_month": (WEEKS_OF_MONTH, _week_of_month),
    "end_of_month": (4, _end_of_month),
}


def dated(calendar: Sequence[str]) -> list[str]:
    """Those of these calendar terms that no week repeats."""
    return [name for name in calendar if name in TERMS]


def width(calendar: Sequence[str]) -> int:
    """How many columns the dated ones of these terms have."""
    return sum(TERMS[name][0] for name in dated(calendar))


def dated_terms(calendar: Sequence[str], axis: Axis, at: Numbers) -> Values:
    """[*at.shape, width] the dated terms at the positions `at`."""
    parts = [np.zeros((*at.shape, 0))]
    parts += [TERMS[name][1](axis, at) for name in dated(calendar)]
    return np.concatenate(parts, axis=-1)

"""Doubts about the moments of an answer whose points are good one by one.

Do the points lie as densely as `points_per_hour` promises? An hour that holds more, or a series that
comes once a day, would be stored as another series than the source has. Pure functions: the points
in, what to doubt out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actioncast.arrays import Flags, Numbers, Seconds, np
from actioncast.times import HOUR, HOURS_PER_DAY, from_seconds

DAY = HOURS_PER_DAY * HOUR
MINUTE = 60
FEWEST = 3  # hours, or points, that make a pattern; fewer are noted
LARGEST_SHARE = 0.05  # of the hours may hold more points than promised, as a jittering poller's do,
POINTS_OF_A_MEAN = 4  # where one more changes little; among fewer points a smaller share
FEWEST_IN_A_ROW = 6  # hours that hold more: from then on the source gives more
FEWEST_GAPS = 5  # between points, to call them sparse
REGULAR_SHARE = 0.8  # of the gaps that are alike where points come regularly
NEAR_HOUR = MINUTE  # seconds from a full hour in which a stamp means that hour
STEADY_SECONDS = 10  # in which stamps lie that all mean the full hour
ROUNDINGS = (MINUTE, 5 * MINUTE)  # seconds to which such stamps can be rounded; a minute, where that is enough
LONGEST_GAP = 1.5 * HOUR  # the typical one of an hourly series
COARSEST_GAP = 5 * MINUTE  # denser points lie near each full hour anyway


@dataclass(frozen=True)
class Doubt:
    """What speaks against an answer: a pattern fails the run, a single case is noted."""

    message: str
    fails: bool


@dataclass(frozen=True)
class _Stamps:
    """The moments of an answer, hour by hour. `times` [n] ascend and are unique."""

    times: Seconds
    promised: int  # points in an hour
    counts: Numbers  # [hours that hold a point]
    gap: float  # the typical number of seconds from one point to the next
    regular: bool  # nearly all gaps are alike

    @property
    def over(self) -> Flags:
        """[hours that hold a point] whether the hour holds more points than promised."""
        return self.counts > self.promised

    @property
    def most(self) -> int:
        return int(self.counts.max())


def find(times: Seconds, promised: int, *, end_labels: bool = False) -> Doubt | None:
    """What to doubt about the moments of points that ascend and are unique; None is nothing.

    `promised` is points_per_hour. With `end_labels` a point at 01:00 belongs to the hour before, and
    so does one a second earlier.
    """
    if not len(times):
        return None
    checks: list[Callable[[_Stamps], str]] = [_sparse, _early, _dense]
    if end_labels:
        times = times - 1
        checks.remove(_early)
    stamps = _stamps(times, promised)
    for check in checks:
        pattern = check(stamps)
        if pattern:
            return Doubt(pattern, fails=True)
    return _single_hours(stamps)


def _stamps(times: Seconds, promised: int) -> _Stamps:
    _, counts = np.unique(times // HOUR, return_counts=True)
    gaps = np.diff(times)
    gap = float(np.median(gaps)) if len(gaps) else 0.0
    alike = np.abs(gaps - gap) <= max(MINUTE, 0.1 * gap)
    return _Stamps(
        times=times,
        promised=promised,
        counts=counts,
        gap=gap,
        regular=bool(len(gaps) and np.mean(alike) >= REGULAR_SHARE),
    )


def find_sparse(times: Seconds) -> Doubt | None:
    """Whether points come too rarely for hours; how many an hour holds does not matter."""
    stamps = _stamps(times, promised=1)
    pattern = _sparse(stamps)
    return Doubt(pattern, fails=True) if pattern else None


# Stamps just before the hour that they mean ------------------------------------------------------


def _early(stamps: _Stamps) -> str:
    """Stamps seconds before a full hour where others lie on time, as spreadsheets write them.

    Stamps that are all early alike are left alone: 59:59 is how some write the end of an hour.
    """
    offsets = stamps.times % HOUR
    is_early = offsets >= HOUR - NEAR_HOUR
    is_near = is_early | (offsets < NEAR_HOUR)
    early = int(np.count_nonzero(is_early))
    on_time = int(np.count_nonzero(offsets % _mark(stamps) < NEAR_HOUR))
    hours = len(stamps.counts)
    if stamps.gap < COARSEST_GAP or not on_time or early < FEWEST:
        return ""
    few_are_near = np.count_nonzero(is_near) < 0.5 * hours
    few_are_early = stamps.promised > 1 and early <= LARGEST_SHARE * hours
    if few_are_near or few_are_early:
        return ""
    seconds = (offsets[is_near] + NEAR_HOUR) % HOUR - NEAR_HOUR  # from the hour that is meant; early is negative
    if _drifts(seconds):
        return ""
    rounding = ROUNDINGS[0] if seconds.min() >= -ROUNDINGS[0] // 2 else ROUNDINGS[-1]
    # Irregular points come near a full hour too: their hours hold too many after rounding as well.
    if _share_too_full(rounded(stamps.times, rounding), stamps.promised) > LARGEST_SHARE:
        return ""
    lead = -np.median(seconds[seconds < 0])
    example = _moment(stamps.times[is_early][0])
    return (
        f"{_too_full(stamps)}: {early} stamps lie {lead:.0f} s before the full hour, such as {example}, "
        f"and {on_time} on time, so that values would count for the hour before. "
        f"Do they mean the full hour? Then say round_seconds = {rounding}"
    )


def _mark(stamps: _Stamps) -> int:
    """Seconds between the moments of the clock that stamps mean: a quarter of an hour, or the hour."""
    step = round(stamps.gap / MINUTE) * MINUTE
    return step if step and HOUR % step == 0 else HOUR


def _drifts(seconds: Seconds) -> bool:
    """Whether the clock of the source runs freely: stamps that pass the full hour slowly mean themselves."""
    crossings = np.count_nonzero(np.diff(seconds < 0))
    return bool(crossings < FEWEST and np.ptp(seconds) > STEADY_SECONDS)


def rounded(times: Seconds, unit_seconds: int) -> Seconds:
    """Moments rounded to the nearest multiple of so many seconds."""
    nearest: Seconds = (times + unit_seconds // 2) // unit_seconds * unit_seconds
    return nearest


def _share_too_full(times: Seconds, promised: int) -> float:
    _, counts = np.unique(times // HOUR, return_counts=True)
    return float(np.mean(counts > promised))


# Fewer points than promised ----------------------------------------------------------------------


def _sparse(stamps: _Stamps) -> str:
    """Points that come less than half as often as promised, all along."""
    if len(stamps.times) <= FEWEST_GAPS:
        return ""
    if stamps.gap > LONGEST_GAP:
        return _sparse_hours(stamps)
    if stamps.regular and stamps.gap * stamps.promised >= 1.9 * HOUR:
        fitting = max(1, round(HOUR / stamps.gap))
        return (
            f"points lie {_every(stamps.gap)}, where {stamps.promised} in an hour are promised: "
            f"points_per_hour = {fitting}"
        )
    return ""


def _sparse_hours(stamps: _Stamps) -> str:
    if stamps.regular:
        return (
            f"points come {_how_often(stamps)}: this is no hourly series, and most hours would be "
            'missing. frequency = "1h" needs a point in each hour: ask the source for hourly values'
        )
    if _share_of_commonest(stamps.times % HOUR // MINUTE) > 0.5:
        return ""  # an hourly series with many holes
    hours = stamps.gap / HOUR
    return (
        f"points come at irregular times, typically {hours:.1f} h apart: changes of state? "
        'Then aggregate = "time_weighted"'
    )


def _how_often(stamps: _Stamps) -> str:
    """The rhythm of regular points in words."""
    if abs(stamps.gap - DAY) > HOUR:
        return _every(stamps.gap)
    clock = from_seconds(int(stamps.times[-1])).strftime("%H:%M")
    return f"once a day at {clock} UTC (daily data)"


def _every(seconds: float) -> str:
    """A gap between points in words: every 15 minutes, every 7 days."""
    units = {"day": DAY, "hour": HOUR, "minute": MINUTE, "second": 1}
    name = next(name for name, unit in units.items() if seconds >= 0.95 * unit)
    number = f"{seconds / units[name]:.3g}"
    return f"every {name}" if number == "1" else f"every {number} {name}s"


# More points than promised -----------------------------------------------------------------------


def _dense(stamps: _Stamps) -> str:
    """Hours that hold more points than promised, where they are a pattern."""
    if not _is_pattern(stamps):
        return ""
    fitting = round(HOUR / stamps.gap)
    # Bursts are regular within, but an hour holds fewer of their points than it could.
    fills_the_hour = np.median(stamps.counts) >= 0.75 * fitting
    if stamps.regular and fills_the_hour and fitting > stamps.promised:
        return f"{_too_full(stamps)}: points lie {_every(stamps.gap)}: points_per_hour = {fitting}"
    minutes = np.unique(stamps.times % HOUR // MINUTE)
    if len(minutes) <= stamps.most:
        clock = ", ".join(f"{minute:02d}" for minute in minutes[:6])
        return (
            f"{_too_full(stamps)}, at the minutes {clock}: two series in one file? Name one "
            f"with where = {{…}}; if all belong to one, points_per_hour = {stamps.most}"
        )
    return (
        f"{_too_full(stamps)}, at irregular times: changes of state? "
        'Then aggregate = "time_weighted"; several series in one file? Name one with where = {…}; '
        f"if a plain mean of all is right, points_per_hour = {stamps.most}"
    )


def _is_pattern(stamps: _Stamps) -> bool:
    """Whether the hours that hold more are many, or lie in a row, or hold far more."""
    over = stamps.over
    number = int(np.count_nonzero(over))
    if number < FEWEST:
        return False
    largest_share = LARGEST_SHARE * min(1, stamps.promised / POINTS_OF_A_MEAN)
    far_more = int(np.count_nonzero(stamps.counts > stamps.promised + 1))
    return (
        number > largest_share * len(over)
        or far_more >= max(FEWEST, LARGEST_SHARE / 5 * len(over))
        or _longest_run(over) >= FEWEST_IN_A_ROW
    )


def _longest_run(flags: Flags) -> int:
    """The most true flags in a row."""
    ends = np.flatnonzero(~np.concatenate([[False], flags, [False]]))
    return int(np.diff(ends).max()) - 1


def _single_hours(stamps: _Stamps) -> Doubt | None:
    if not stamps.over.any():
        return None
    hour = stamps.times // HOUR
    first = np.unique(hour)[stamps.over][0] * HOUR
    return Doubt(f"{_too_full(stamps)}; the first is {_moment(first)}", fails=False)


def _too_full(stamps: _Stamps) -> str:
    """680 hours hold 2 points where 1 is promised."""
    number = int(np.count_nonzero(stamps.over))
    if not number:
        return f"{len(stamps.times)} points were read"
    hours = "1 hour holds" if number == 1 else f"{number} hours hold"
    typical = int(np.median(stamps.counts[stamps.over]))
    most = f" (up to {stamps.most})" if stamps.most > typical else ""
    promise = "1 is promised" if stamps.promised == 1 else f"{stamps.promised} are promised"
    return f"{hours} {typical} points{most} where {promise}"


def _share_of_commonest(numbers: Numbers) -> float:
    _, counts = np.unique(numbers, return_counts=True)
    return float(counts.max() / counts.sum())


def _moment(seconds: int) -> str:
    return from_seconds(int(seconds)).strftime("%Y-%m-%d %H:%M:%SZ")

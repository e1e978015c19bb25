"""Doubts about the moments of an answer whose points are good one by one.

Do the points lie as densely as `points_per_period` promises? A period that holds more, or an hourly
series that comes once a day, would be stored as another series than the source has. Pure functions: the
points in, what to doubt out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actioncast.arrays import Flags, Numbers, Seconds, np
from actioncast.periods.aggregates import ROUNDING, scaled
from actioncast.periods.frequency import FREQUENCIES, Frequency
from actioncast.periods.points import rounded
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.times import HOUR, HOURS_PER_DAY, from_seconds

DAY = HOURS_PER_DAY * HOUR
MINUTE = 60
FEWEST = 3  # hours, or points, that make a pattern; fewer are noted
LARGEST_SHARE = 0.05  # of the hours may hold more points than promised, as a jittering poller's do,
POINTS_OF_A_MEAN = 4  # where one more changes little; among fewer points a smaller share
FEWEST_IN_A_ROW = 6  # hours that hold more: from then on the source gives more
FEWEST_GAPS = 5  # between points, to call them sparse
REGULAR_SHARE = 0.8  # of the gaps that are alike where points come regularly
TOLERANCE = 0.06  # by which months differ in length
AROUND_HOUR = MINUTE  # before and after a full hour: a stamp there means that hour
STEADY_SECONDS = 10  # in which stamps lie that all mean the full hour
FINE_ROUNDING = MINUTE  # to which such stamps are rounded, where that is enough
COARSE_ROUNDING = 5 * MINUTE  # else
LONGEST_GAP = 1.5  # periods, the typical one
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
    timeline: Timeline
    promised: int  # points in a period of usual length
    numbers: Numbers  # [periods that hold a point]
    counts: Numbers  # [periods that hold a point]
    gap: float  # the typical number of seconds from one point to the next
    regular: bool  # nearly all gaps are alike

    @property
    def length(self) -> int:
        """Seconds of a period."""
        return self.frequency.seconds

    @property
    def frequency(self) -> Frequency:
        return self.timeline.frequency

    @property
    def over(self) -> Flags:
        """[periods that hold a point] whether the period holds more points than promised."""
        possible = scaled(self.promised, self.timeline, self.timeline.starts(self.numbers))
        allowed = np.maximum(np.ceil(possible - ROUNDING), 1)
        return np.asarray(self.counts > allowed)

    @property
    def most(self) -> int:
        return int(self.counts.max())


def find(times: Seconds, promised: int, timeline: Timeline = UTC_HOURS, *, end_labels: bool = False) -> Doubt | None:
    """What to doubt about the moments of points that ascend and are unique; None is nothing.

    `promised` is points_per_period. With `end_labels` a point at 01:00 belongs to the hour before,
    and so does one a second earlier.
    """
    if not len(times):
        return None
    checks: list[Callable[[_Stamps], str]]
    if end_labels:
        stamps = _stamps(times - 1, promised, timeline)
        checks = [_sparse, _dense]
    else:
        stamps = _stamps(times, promised, timeline)
        # Only hours are what spreadsheets miss by seconds.
        is_hourly = timeline == UTC_HOURS
        checks = [_sparse, _early, _dense] if is_hourly else [_sparse, _dense]
    for check in checks:
        pattern = check(stamps)
        if pattern:
            return Doubt(pattern, fails=True)
    return _single_hours(stamps)


def _stamps(times: Seconds, promised: int, timeline: Timeline = UTC_HOURS) -> _Stamps:
    gaps = np.diff(times)
    gap = float(np.median(gaps)) if len(gaps) else 0.0
    numbers, counts = np.unique(timeline.numbers(times), return_counts=True)
    return _Stamps(
        times=times,
        timeline=timeline,
        promised=promised,
        numbers=numbers,
        counts=counts,
        gap=gap,
        regular=_are_alike(gaps, gap),
    )


def _counts(times: Seconds) -> Numbers:
    """[hours that hold a point] the number of points in each."""
    hour = times // HOUR
    _, counts = np.unique(hour, return_counts=True)
    return counts


def _are_alike(gaps: Seconds, typical: float) -> bool:
    """Whether nearly all gaps have the typical length."""
    if not len(gaps):
        return False
    tolerance = max(MINUTE, 0.1 * typical)
    is_alike = np.abs(gaps - typical) <= tolerance
    return bool(np.mean(is_alike) >= REGULAR_SHARE)


def find_sparse(times: Seconds, timeline: Timeline = UTC_HOURS) -> Doubt | None:
    """Whether points come too rarely for the periods; how many one holds does not matter."""
    stamps = _stamps(times, 1, timeline)
    pattern = _sparse(stamps)
    if not pattern:
        return None
    return Doubt(pattern, fails=True)


# Stamps just before the hour that they mean ------------------------------------------------------


def _early(stamps: _Stamps) -> str:
    """Stamps seconds before a full hour where others lie on time, as spreadsheets write them.

    Stamps that are all early alike are left alone: 59:59 is how some write the end of an hour.
    """
    is_early = stamps.times % HOUR >= HOUR - AROUND_HOUR
    early = int(np.count_nonzero(is_early))
    on_time = _on_time(stamps)
    if not _is_mixture(stamps, early, on_time):
        return ""
    seconds = _seconds_from_hour(stamps.times)
    if _drifts(seconds):
        return ""
    rounding = _rounding(seconds)
    # Irregular points lie around full hours too: their hours hold too many after rounding as well.
    rounded_times = rounded(stamps.times, rounding)
    if _share_too_full(rounded_times, stamps.promised) > LARGEST_SHARE:
        return ""
    lead = -np.median(seconds[seconds < 0])
    example = _moment(stamps.times[is_early][0])
    early_stamps = f"{early} stamps lie {lead:.0f} s before the full hour, such as {example}"
    effect = "so that values would count for the hour before"
    return (
        f"{_too_full(stamps)}: {early_stamps}, and {on_time} on time, {effect}. "
        f"Do they mean the full hour? Then say round_seconds = {rounding}"
    )


def _on_time(stamps: _Stamps) -> int:
    """Number of stamps at, or seconds after, a moment of the clock that stamps mean."""
    late = stamps.times % HOUR % _mark(stamps)
    return int(np.count_nonzero(late < AROUND_HOUR))


def _is_mixture(stamps: _Stamps, early: int, on_time: int) -> bool:
    """Whether stamps mean full hours, and so many are early, so many on time, that it matters."""
    if stamps.gap < COARSEST_GAP:
        return False
    if not on_time or early < FEWEST:
        return False
    hours = len(stamps.counts)
    around_hours = len(_seconds_from_hour(stamps.times))
    if around_hours < 0.5 * hours:
        return False
    few_are_early = early <= LARGEST_SHARE * hours
    return not (stamps.promised > 1 and few_are_early)


def _seconds_from_hour(times: Seconds) -> Seconds:
    """Seconds from the full hour of the stamps that lie around one; early ones are negative."""
    seconds: Seconds = (times + AROUND_HOUR) % HOUR - AROUND_HOUR
    return seconds[seconds < AROUND_HOUR]


def _rounding(seconds: Seconds) -> int:
    """The unit (seconds) that takes all these distances from the full hour to that hour."""
    if seconds.min() >= -FINE_ROUNDING // 2:
        return FINE_ROUNDING
    return COARSE_ROUNDING


def _mark(stamps: _Stamps) -> int:
    """Seconds between the moments of the clock that stamps mean: 15 minutes, say, or the hour."""
    step = round(stamps.gap / MINUTE) * MINUTE
    if not step:
        return HOUR
    divides_the_hour = HOUR % step == 0
    return step if divides_the_hour else HOUR


def _drifts(seconds: Seconds) -> bool:
    """Whether the clock of the source runs freely.

    Stamps that pass the full hour slowly mean themselves.
    """
    is_early = seconds < 0
    crossings = np.count_nonzero(np.diff(is_early))
    if crossings >= FEWEST:
        return False
    return bool(np.ptp(seconds) > STEADY_SECONDS)


def _share_too_full(times: Seconds, promised: int) -> float:
    is_too_full = _counts(times) > promised
    return float(np.mean(is_too_full))


# Fewer points than promised ----------------------------------------------------------------------


def _sparse(stamps: _Stamps) -> str:
    """Points that come less than half as often as promised, all along."""
    if len(stamps.times) <= FEWEST_GAPS:
        return ""
    if stamps.gap > LONGEST_GAP * stamps.length:
        return _sparse_hours(stamps)
    if not stamps.regular:
        return ""
    if stamps.gap * stamps.promised < 1.9 * stamps.length:
        return ""
    fitting = max(1, round(stamps.length / stamps.gap))
    promise = f"{stamps.promised} per {stamps.frequency.noun} are promised"
    return f"points lie {_every(stamps.gap)}, where {promise}: points_per_period = {fitting}"


def _sparse_hours(stamps: _Stamps) -> str:
    if stamps.regular:
        effect = f"most {stamps.frequency.plural} would be missing"
        return f"points come {_how_often(stamps)}: {effect}. {_fitting_frequency(stamps)}"
    minutes = stamps.times % HOUR // MINUTE
    if stamps.frequency.is_within_day and _share_of_commonest(minutes) > 0.5:
        return ""  # a series with many holes
    hours = stamps.gap / HOUR
    return (
        f"points come at irregular times, typically {hours:.1f} h apart: changes of state? "
        'Then aggregate = "time_weighted"'
    )


def _fitting_frequency(stamps: _Stamps) -> str:
    """The frequency that fits regular points, as config.toml states it."""
    for frequency in FREQUENCIES:
        if abs(stamps.gap - frequency.seconds) <= TOLERANCE * frequency.seconds:
            return f'Say frequency = "{frequency}" and points_per_period = 1, or ask the source for finer values'
    return f'Ask the source for finer values, or set a longer frequency than "{stamps.frequency}"'


def _how_often(stamps: _Stamps) -> str:
    """The rhythm of regular points in words."""
    is_daily = abs(stamps.gap - DAY) <= HOUR
    if not is_daily:
        return _every(stamps.gap)
    newest = from_seconds(int(stamps.times[-1]))
    return f"once a day at {newest:%H:%M} UTC (daily data)"


def _every(seconds: float) -> str:
    """A gap between points in words: every 15 minutes, every 7 days."""
    units = {"day": DAY, "hour": HOUR, "minute": MINUTE, "second": 1}
    fitting = [name for name, unit in units.items() if seconds >= 0.95 * unit]
    name = fitting[0]
    number = f"{seconds / units[name]:.3g}"
    if number == "1":
        return f"every {name}"
    return f"every {number} {name}s"


# More points than promised -----------------------------------------------------------------------


def _dense(stamps: _Stamps) -> str:
    """Periods that hold more points than promised, where they are a pattern."""
    if not _is_pattern(stamps):
        return ""
    full_hours = _too_full(stamps)
    fitting = round(stamps.length / stamps.gap)
    if _is_finer(stamps, fitting):
        return f"{full_hours}: points lie {_every(stamps.gap)}: points_per_period = {fitting}"
    minutes = np.unique(stamps.times % HOUR // MINUTE)
    if stamps.timeline == UTC_HOURS and len(minutes) <= stamps.most:
        clock = ", ".join(f"{minute:02d}" for minute in minutes[:6])
        return (
            f"{full_hours}, at the minutes {clock}: two series in one file? Name one "
            f"with where = {{…}}; if all belong to one, points_per_period = {stamps.most}"
        )
    return (
        f"{full_hours}, at irregular times: changes of state? "
        'Then aggregate = "time_weighted"; several series in one file? Name one with where = {…}; '
        f"if a plain mean of all is right, points_per_period = {stamps.most}"
    )


def _is_finer(stamps: _Stamps, fitting: int) -> bool:
    """Whether points come regularly, and more often than promised: `fitting` in an hour.

    Bursts are regular within, but an hour holds fewer of their points than it could.
    """
    if not stamps.regular:
        return False
    if fitting <= stamps.promised:
        return False
    return bool(np.median(stamps.counts) >= 0.75 * fitting)


def _is_pattern(stamps: _Stamps) -> bool:
    """Whether the hours that hold more are many, or lie in a row, or hold far more."""
    over = stamps.over
    hours = len(over)
    number = int(np.count_nonzero(over))
    if number < FEWEST:
        return False
    largest_share = LARGEST_SHARE * min(1, stamps.promised / POINTS_OF_A_MEAN)
    if number > largest_share * hours:
        return True
    holds_far_more = stamps.counts > stamps.promised + 1
    fewest_far_more = max(FEWEST, LARGEST_SHARE / 5 * hours)
    if np.count_nonzero(holds_far_more) >= fewest_far_more:
        return True
    return _longest_run(over) >= FEWEST_IN_A_ROW


def _longest_run(flags: Flags) -> int:
    """The most true flags in a row."""
    padded = np.concatenate([[False], flags, [False]])
    ends = np.flatnonzero(~padded)
    distances = np.diff(ends)
    return int(distances.max()) - 1


def _single_hours(stamps: _Stamps) -> Doubt | None:
    if not stamps.over.any():
        return None
    first = stamps.timeline.starts(stamps.numbers[stamps.over][:1])
    message = f"{_too_full(stamps)}; the first is {_moment(first[0])}"
    return Doubt(message, fails=False)


def _too_full(stamps: _Stamps) -> str:
    """680 hours hold 2 points where 1 is promised."""
    over = stamps.over
    number = int(np.count_nonzero(over))
    if not number:
        return f"{len(stamps.times)} points were read"
    periods = f"1 {stamps.frequency.noun} holds" if number == 1 else f"{number} {stamps.frequency.plural} hold"
    typical = int(np.median(stamps.counts[over]))
    points = f"{typical} points"
    if stamps.most > typical:
        points += f" (up to {stamps.most})"
    is_or_are = "is" if stamps.promised == 1 else "are"
    return f"{periods} {points} where {stamps.promised} {is_or_are} promised"


def _share_of_commonest(numbers: Numbers) -> float:
    _, counts = np.unique(numbers, return_counts=True)
    return float(counts.max() / counts.sum())


def _moment(seconds: int) -> str:
    moment = from_seconds(int(seconds))
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"

"""Has the level of a series changed for good? Then the hours before are restated at the new one.
Pure functions.

A series that doubles overnight (a second meter, a new unit, a tariff) makes all it was before a
misleading lesson, to learn from and to look back on. Restated, it stays a good one: the daily shape
mostly survives such a change. What counts as a change is strict, since ordinary series have none:
see `find`. Christmas is none: known holidays and the days around them tell nothing about a level,
what the same weeks of the year before did as well must last longer than a festive season, and an
episode of some weeks after which the old level is back is no change, neither its begin nor its end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from actioncast.arrays import Values, np
from actioncast.forecasting.exogenous import without_holidays
from actioncast.periods.axis import Cycles
from actioncast.periods.grid import Grid
from actioncast.times import HOURS_PER_WEEK

LARGE = 0.55  # log of the factor (1.73), or an offset as a multiple of the typical value
SMALLEST = 0.1  # likewise; a smaller change is left to the models
SEASONS_BACK = 4  # seasons whose median an hour is compared with: one odd week is no level
QUIET = 0.3  # an hour that is usually below this share of the mean says nothing about a factor
SILENT = 0.01  # share of the mean; a smaller value counts as that much
USUAL = 0.999  # share of the days before that lay nearer to what was expected
BEYOND_USUAL = 1.5  # times as far the days since a change must lie
SHARE_OUTSIDE = 0.9  # of the days since, which must be unusual
LARGEST_FACTOR = 20.0  # more is a broken unit or a dead sensor, and a person's to look at
MOST = 3  # changes that are restated
STEEPEST = 8  # steepest hours that are looked at, of each kind
WEEKS_OF_YEAR = 52
AROUND_A_YEAR = 8  # days on either side of a year ago, in which the same is looked for
SAME_SHARE = 0.4  # of a change, which a day of these must have shown, too
BACK_SHARE = 0.2  # of a change, within which the old level is back
FESTIVE_SEASON = 21  # days; a change that came a year ago as well is believed after them
TINY = 1e-12  # keeps a series of zeros from dividing by zero


@dataclass(frozen=True)
class Reach:
    """How many periods are looked at; `hour` is the number of periods in one, a part of one at longer periods."""

    hour: float

    def _hours(self, count: float, least: int = 1) -> int:
        return max(least, round(count * self.hour))

    @property
    def fewest_after(self) -> int:
        """That must have shown a LARGE change before a challenger may build on it."""
        return self._hours(5, least=2)

    @property
    def longer_than_a_holiday(self) -> int:
        """That must have shown any other change: most of those end after a day."""
        return self._hours(30, least=3)

    @property
    def fewest_before(self) -> int:
        """That must have shown what is usual."""
        return self._hours(168)

    @property
    def first_after(self) -> int:
        """That must be near the new level at once."""
        return self._hours(3)

    @property
    def near(self) -> int:
        """On either side of a change, compared first."""
        return self._hours(6, least=2)

    @property
    def day(self) -> int:
        return self._hours(24, least=2)

    @property
    def step(self) -> int:
        """On either side of a change, whose medians give its size."""
        return self._hours(72, least=3)


@dataclass(frozen=True)
class Shift:
    """From `since` on (aware UTC, the start of a period) the level is `factor` times what it was, plus `offset`."""

    since: datetime
    factor: float
    offset: float

    def __str__(self) -> str:
        size = f"x {self.factor:.3g}" if self.factor != 1 else f"{self.offset:+.4g}"
        moment = f"{self.since:%Y-%m-%d %H:%MZ}"
        return f"the level changed at {moment} ({size}); earlier periods are restated"


def find(history: Grid, seasonality: Sequence[int], *, gated: bool = False) -> tuple[Shift, ...]:
    """The lasting changes of level in the series, ascending; mostly none.

    A change is a step: nearly all days since then, for a season at most, differ from the same hours
    of the seasons before by more than days ever did, and most of that difference came within a day.
    It is a factor, or an offset where there are negative values. It is believed after
    a day and a quarter. With `gated` a large change is believed after five hours: then a
    champion is there to win against a challenger that believes it too soon.
    """
    if not history.timeline.frequency.is_within_day:
        return ()  # what averages a day or more follows a new level by itself
    reach = Reach(Cycles(history.timeline).week / HOURS_PER_WEEK)
    history = without_holidays(history)
    fitting = [season for season in seasonality if len(history) >= 2 * season + reach.fewest_before]
    if not fitting:
        return ()
    season = max(fitting)
    shifts: list[Shift] = []
    while len(shifts) < MOST:
        shift = _first_lasting(history, season, gated, reach)
        # What the first restatement leaves of a change is no second one.
        if shift is None or _is_near(shift, shifts, history, season):
            break
        shifts.append(shift)
        history = restate(history, [shift])
    return tuple(sorted(shifts, key=lambda shift: shift.since))


def _came_a_year_ago(deviations: Values, position: int, size: float, cycles: Cycles) -> bool:
    """Whether a day around the same week of the year before lay as far from the days before it."""
    year = WEEKS_OF_YEAR * cycles.week
    around = cycles.days(AROUND_A_YEAR)
    day = cycles.days(1)
    middle = position - year
    if middle - 2 * around < 0:
        return False
    before = deviations[middle - 2 * around : middle - around]
    days = deviations[middle - around : middle + around]
    if np.isnan(before).all():
        return False
    medians = [np.nanmedian(part) for part in np.array_split(days, len(days) // day) if not np.isnan(part).all()]
    farthest = max((median - np.nanmedian(before)) * np.sign(size) for median in medians) if medians else 0.0
    return bool(farthest > SAME_SHARE * abs(size))


def _is_episode(history: Grid, position: int, size: float, season: int) -> bool:
    """Whether the level only came back here from some weeks elsewhere, or was back some weeks later."""
    cycles = Cycles(history.timeline)
    day = cycles.days(1)
    weeks = cycles.days(FESTIVE_SEASON)
    since = history.values[position : position + day]
    long_before = history.values[max(position - weeks - SEASONS_BACK * season, 0) : max(position - weeks, 0)]
    before = history.values[max(position - SEASONS_BACK * season, 0) : position]
    later = history.values[position + day : position + weeks]
    back = BACK_SHARE * abs(size)
    came_back = beside(since, long_before, season, offset=len(long_before) + weeks)
    if abs(came_back) < back:
        return True
    days = [later[at : at + day] for at in range(0, len(later) - day + 1, day)]
    levels = [beside(one, before, season, offset=len(before) + day * (at + 1)) for at, one in enumerate(days)]
    return any(abs(first) < back and abs(second) < back for first, second in itertools.pairwise(levels))


def beside(values: Values, reference: Values, season: int, *, offset: int) -> float:
    """The median deviation of the values from the same phases of the reference; infinite where nothing can be compared.

    `offset` is the number of periods from the begin of the reference to that of the values.
    """
    if len(reference) < season or not len(values):
        return np.inf
    whole = len(reference) // season * season
    seasons = reference[len(reference) - whole :].reshape(-1, season)
    known = ~np.isnan(seasons).all(axis=0)
    usual = np.where(known, np.nanmedian(np.where(known, seasons, 0.0), axis=0), np.nan)
    phase = (offset - (len(reference) - whole) + np.arange(len(values))) % season
    together = np.concatenate([usual[phase], values])
    deviations, _ = _deviations(together, len(values))
    newest = deviations[len(values) :]
    return float(np.nanmedian(newest)) if not np.isnan(newest).all() else np.inf


def _is_near(shift: Shift, others: Iterable[Shift], history: Grid, season: int) -> bool:
    """Whether the shift lies less than a season from another one."""
    at = index_of(history, shift)
    return any(abs(index_of(history, other) - at) < season for other in others)


def restate(history: Grid, shifts: Iterable[Shift]) -> Grid:
    """The series as if it had always had its newest level.

    A series without negative values does not get any.
    """
    values = history.values.copy()
    present = _known_values(values)
    lowest = 0.0 if (present >= 0).all() else -np.inf
    for shift in shifts:
        end = max(index_of(history, shift), 0)
        restated = values[:end] * shift.factor + shift.offset
        values[:end] = np.maximum(restated, lowest)
    return replace(history, values=values)


def _known_values(values: Values) -> Values:
    """The values of the hours that are not missing."""
    present = ~np.isnan(values)
    return values[present]


def index_of(history: Grid, shift: Shift) -> int:
    """Index in `history.values` of the first hour at the new level; negative if the change is older than the series."""
    return history.timeline.number_of(shift.since) - history.first


def _first_lasting(history: Grid, season: int, gated: bool, reach: Reach) -> Shift | None:
    """The first lasting change among the hours at which the level may have changed, the steepest first."""
    all_deviations, unit = _deviations(history.values, season)
    compared = ~np.isnan(all_deviations)
    periods = np.flatnonzero(compared)
    deviations = all_deviations[periods]
    for index in _steepest(deviations, season, reach):
        if not _is_lasting(deviations, index, season, reach):
            continue
        size = _step(deviations, index, reach.step)
        periods_since = len(deviations) - index
        if _is_too_early(size, periods_since, gated, reach):
            continue
        position = int(periods[index])
        if _is_episode(history, position, size, season):
            continue
        came_a_year_ago = _came_a_year_ago(all_deviations, position, size, Cycles(history.timeline))
        if came_a_year_ago and periods_since < FESTIVE_SEASON * reach.day:
            continue
        since = history.timeline.start_of(history.first + int(periods[index]))
        if unit:
            return Shift(since, factor=1.0, offset=size * unit)
        if abs(size) <= np.log(LARGEST_FACTOR):
            return Shift(since, factor=float(np.exp(size)), offset=0.0)
    return None


def _is_too_early(size: float, periods_since: int, gated: bool, reach: Reach) -> bool:
    """Whether too few hours have shown a change of this size."""
    if gated and abs(size) >= LARGE:
        return False
    return periods_since < reach.longer_than_a_holiday


def _deviations(values: Values, season: int) -> tuple[Values, float]:
    """[n] each hour beside what the seasons before lead to expect, and the unit of that.

    It is the log of a factor (unit 0), or, where there are negative values, an offset in multiples
    of the unit, which is the typical value. NaN where there is nothing to compare, or only quiet
    hours.
    """
    expected = _expected(values, season)
    typical = _typical(values)
    if (values < 0).any():
        offsets = (values - expected) / typical
        return offsets, typical
    quiet = QUIET * typical
    audible = np.maximum(values, SILENT * typical)
    factors = audible / np.maximum(expected, quiet)
    logarithms = np.log(factors)
    return np.where(expected >= quiet, logarithms, np.nan), 0.0


def _typical(values: Values) -> float:
    """The mean size of a value, in the series' unit; never 0."""
    sizes = np.abs(_known_values(values))
    mean = float(sizes.mean()) if len(sizes) else 0.0
    return mean + TINY


def _expected(values: Values, season: int) -> Values:
    """[n] the median of the same hour in the seasons before; NaN where none of them is known."""
    earlier = []
    for number in range(1, SEASONS_BACK + 1):
        back = number * season
        shifted = np.full(len(values), np.nan)
        shifted[back:] = values[:-back]
        earlier.append(shifted)
    unknown = np.isnan(earlier).all(axis=0)
    # Zeros where all are unknown: the median of nothing would warn.
    filled = np.where(unknown, 0.0, earlier)
    median = np.nanmedian(filled, axis=0)
    return np.where(unknown, np.nan, median)


def _steepest(deviations: Values, season: int, reach: Reach) -> list[int]:
    """The indices at which the level may have changed, the likeliest first.

    They are the steepest hours by medians of some hours and by medians of a day, of the whole
    series and of its last season.
    """
    indices: dict[int, None] = {}  # keeps the order, each index once
    last_season = max(len(deviations) - season, 0)
    for width in (reach.near, reach.day):
        if len(deviations) < 2 * width:
            break
        steps = _median_steps(deviations, width)
        for first in (0, last_season):
            for peak in _peaks(steps, first, width):
                index = _largest_change_near(deviations, peak, reach.near // 2)
                indices[index] = None
    return list(indices)


def _median_steps(deviations: Values, width: int) -> Values:
    """[n] how far the medians of the `width` hours on either side of each index lie apart; 0 near both ends."""
    medians = _medians(deviations, width)
    end = len(deviations) - width + 1
    steps = np.zeros(len(deviations))
    steps[width:end] = np.abs(medians[width:] - medians[:-width])
    return steps


def _largest_change_near(deviations: Values, peak: int, reach: int) -> int:
    """The index of the largest change from one hour to the next: medians show a step only roughly."""
    start = max(peak - reach, 0)
    before_start = max(start - 1, 0)
    end = peak + reach + 1
    earlier = deviations[before_start]
    changes = np.abs(np.diff(deviations[start:end], prepend=earlier))
    return start + int(np.argmax(changes))


def _peaks(steps: Values, first: int, width: int) -> list[int]:
    """The indices from `first` on of the STEEPEST highest steps that lie at least `width` apart."""
    remaining = steps.copy()
    remaining[:first] = 0.0
    peaks = []
    for _ in range(STEEPEST):
        peak = int(np.argmax(remaining))
        peaks.append(peak)
        start = max(peak - width, 0)
        end = peak + width
        remaining[start:end] = 0.0
    return peaks


def _is_lasting(deviations: Values, index: int, season: int, reach: Reach) -> bool:
    """Whether the level changed at this index: enough, suddenly, and for nearly all days since."""
    before = deviations[:index]
    since = deviations[index : index + season]
    if len(before) < reach.fewest_before or len(since) < reach.fewest_after:
        return False
    size = _step(deviations, index, reach.step)
    if abs(size) <= SMALLEST:
        return False
    if not _is_sudden(deviations, index, size, reach):
        return False
    return _is_unusual(before, since, size, reach.day)


def _is_sudden(deviations: Values, index: int, size: float, reach: Reach) -> bool:
    """Whether more than half of the step came within a day, and within the first hours."""
    direction = float(np.sign(size))
    half = 0.5 * abs(size)
    within_a_day = _step(deviations, index, reach.day)
    at_once = _step(deviations, index, reach.near, after=reach.first_after)
    return within_a_day * direction > half and at_once * direction > half


def _is_unusual(before: Values, since: Values, size: float, day: int) -> bool:
    """Whether the first day since, and nearly all others, lie further out than days ever did before."""
    direction = np.sign(size)
    centre = np.median(before)
    width = min(len(since), day)
    days_before = (_medians(before, width) - centre) * direction
    days_since = (_medians(since, width) - centre) * direction
    usual = np.quantile(days_before, USUAL)
    outside = days_since > BEYOND_USUAL * usual
    share = outside.mean()
    return bool(outside[0] and share >= SHARE_OUTSIDE)


def _medians(deviations: Values, width: int) -> Values:
    """At each i the median of the hours i..i + width - 1, so that a spike is no step."""
    windows = np.lib.stride_tricks.sliding_window_view(deviations, width)
    return np.asarray(np.median(windows, axis=1))


def _step(deviations: Values, index: int, before: int, *, after: int | None = None) -> float:
    """The step from the median of so many hours before the index to that of as many (or `after`) hours since."""
    start = max(index - before, 0)
    end = index + (after or before)
    earlier = np.median(deviations[start:index])
    later = np.median(deviations[index:end])
    return float(later - earlier)

"""What the points of an hour make of it: their mean, sum, last value, a mean weighted by time, or
the rise of a counter. Pure functions on arrays.

Moments are whole unix seconds, ascending and unique; an hour is named by its start.

- mean, sum, last: of the points in the hour, of which there must be enough.
- time_weighted: each row is a change of state, and a state holds until the next row. What follows
  the newest row is not known yet. A row without a value (NaN) ends the state before it.
- counter: each row is the reading of a meter that only rises. An hour is the rise from one full
  hour to the next. A fall is a restart: what was counted just before it is lost, so that the hours
  between the two readings are missing, as they are where readings are too far apart.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from actioncast.arrays import Flags, Numbers, Seconds, Values, np
from actioncast.periods.frequency import DAY
from actioncast.periods.timeline import UTC_HOURS, Timeline

Aggregate = Literal["mean", "sum", "last", "time_weighted", "counter"]
Stamps = Literal["start", "end"]  # which end of its period the time of a point names
MOMENTS: tuple[Aggregate, ...] = ("time_weighted", "counter")  # their points have no period

COVERED_SHARE = 0.9  # of a period whose state must be known
LONGEST_STATE = 7 * DAY  # a week without a row is an outage, and no state
CLOSE_SHARE = 0.25  # of a period, between two readings; the rise between them is spread evenly
USUAL_SECONDS = {1: 31 * DAY, 3: 92 * DAY, 12: 366 * DAY}  # by months in a period: the longest
OFTEN = 1.5  # points a day: more come within it
ROUNDING = 1e-6  # of a point
ON_THE_HOUR = 60  # seconds from a start of a period in which a reading counts as its own


class Aggregated(NamedTuple):
    """Periods: starts [n] ascending, values [n] unscaled, samples [n] how many points each has."""

    starts: Seconds
    values: Values
    samples: Numbers


def aggregated(
    kind: Aggregate,
    times: Seconds,
    values: Values,
    *,
    minimum_points: int,
    timeline: Timeline = UTC_HOURS,
    stamps: Stamps = "start",
) -> Aggregated:
    """The hours that these points make. `minimum_points` counts for mean, sum and last."""
    if kind == "time_weighted":
        return _time_weighted(times, values, timeline)
    if kind == "counter":
        return _rises(times, values, timeline)
    if stamps == "end":
        times = times - 1  # a period that ends at the full hour belongs to the hour before
    periods = _of_periods(kind, times, values, timeline)
    fewest = np.floor(scaled(minimum_points, timeline, periods.starts) + ROUNDING)
    return _part(periods, periods.samples >= fewest)


def scaled(points: int, timeline: Timeline, starts: Seconds) -> Values:
    """[n] how many points each of these periods can have, where one of usual length has so many.

    A day on which the clocks go forward has 23 of 24 hours, February 28 of 31 days. Points that come
    once a day or less do so by the clock on the wall, whatever the length of a day.
    """
    frequency = timeline.frequency
    usual = USUAL_SECONDS.get(frequency.months, frequency.seconds)
    ends = timeline.ends(timeline.numbers(starts))
    is_within_day = points * DAY > OFTEN * usual
    if not is_within_day and not frequency.is_within_day:
        ends, starts = timeline.clocks.local(ends), timeline.clocks.local(starts)
    return np.asarray(points * (ends - starts) / usual)


def _part(hours: Aggregated, keep: Flags) -> Aggregated:
    """The hours at which `keep` [n] is true."""
    return Aggregated(
        starts=hours.starts[keep],
        values=hours.values[keep],
        samples=hours.samples[keep],
    )


def _of_periods(kind: Aggregate, times: Seconds, values: Values, timeline: Timeline) -> Aggregated:
    """The mean, the sum or the last value of the points in each period that has any."""
    if timeline.opening:
        is_open = timeline.is_open(times)
        times, values = times[is_open], values[is_open]
    numbers, first, group, samples = np.unique(
        timeline.numbers(times),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    starts = timeline.starts(numbers)
    if kind == "last":
        last = first + samples - 1
        return Aggregated(starts, values[last], samples)
    sums = _sums(group, values, len(starts))
    if kind == "sum":
        return Aggregated(starts, sums, samples)
    return Aggregated(starts, sums / samples, samples)


def _sums(group: Numbers, values: Values, count: int) -> Values:
    """The sum of the values in each of so many groups; `group` [n] is the group of each value."""
    sums = np.bincount(
        group,
        weights=values,
        minlength=count,
    )
    return np.asarray(sums, dtype=np.float64)


# Changes of state ---------------------------------------------------------------------------------


def _time_weighted(times: Seconds, values: Values, timeline: Timeline) -> Aggregated:
    """Periods of which nine tenths have a state: the mean over these seconds."""
    starts, ends = _periods_between(times, timeline)
    if not len(starts):
        return _nothing()
    # Between two edges the state is the same, and both lie in the same period.
    edges = np.union1d(times, np.union1d(starts, ends))
    begins = edges[:-1]
    states = _states_at(begins, times, values)
    period = np.searchsorted(starts, begins, side="right") - 1
    has_state = np.isfinite(states) & (begins < ends[period])
    seconds = np.where(has_state, np.diff(edges), 0)
    weighted = seconds * np.where(has_state, states, 0.0)
    covered_seconds = _sums(period, seconds, len(starts))
    sums = _sums(period, weighted, len(starts))
    has_enough = covered_seconds >= COVERED_SHARE * (ends - starts)
    changes = times[np.isfinite(values)]
    samples = _samples(changes, starts, ends)
    return Aggregated(
        starts=starts[has_enough],
        values=sums[has_enough] / covered_seconds[has_enough],
        samples=samples[has_enough],
    )


def _states_at(moments: Seconds, times: Seconds, values: Values) -> Values:
    """The state at each moment, NaN where it is not known."""
    row = np.searchsorted(times, moments, side="right") - 1
    seconds_to_next = np.append(np.diff(times), 0)
    is_between_rows = (row >= 0) & (moments < times[-1])
    is_held = seconds_to_next[row] <= LONGEST_STATE
    return np.where(is_between_rows & is_held, values[row], np.nan)


def _periods_between(times: Seconds, timeline: Timeline) -> tuple[Seconds, Seconds]:
    """The starts and the ends of all periods from the first moment to the last."""
    if not len(times):
        return times, times
    first, last = timeline.numbers(times[[0, -1]])
    numbers = np.arange(first, last + 1, dtype=np.int64)
    return timeline.starts(numbers), timeline.ends(numbers)


def _samples(times: Seconds, starts: Seconds, ends: Seconds) -> Numbers:
    """How many of the moments lie in each of the periods."""
    first = np.searchsorted(times, starts)
    after = np.searchsorted(times, ends)
    return after - first


def _nothing() -> Aggregated:
    none = np.zeros(0, dtype=np.int64)
    return Aggregated(none, np.zeros(0), none)


# Counters -----------------------------------------------------------------------------------------


def _rises(times: Seconds, readings: Values, timeline: Timeline) -> Aggregated:
    """Periods at both ends of which the reading is certain, and no restart between them."""
    starts, ends = _periods_between(times, timeline)
    if not len(starts):
        return _nothing()
    longest = timeline.frequency.seconds * CLOSE_SHARE
    at_starts = _readings_at(starts, times, readings, longest)
    at_ends = _readings_at(ends, times, readings, longest)
    rises = at_ends - at_starts
    is_certain = np.isfinite(rises) & (rises >= 0)
    is_unbroken = ~_has_restart(starts, ends, times, readings)
    hours = Aggregated(
        starts=starts,
        values=rises,
        samples=_samples(times, starts, ends),
    )
    return _part(hours, is_certain & is_unbroken)


def _has_restart(starts: Seconds, ends: Seconds, times: Seconds, readings: Values) -> Flags:
    """Whether the readings fall within each period."""
    falls = np.diff(readings) < 0
    restarts = np.append(0, np.cumsum(falls))
    before = _last_until(starts, times)
    after = _first_from(ends, times)
    return np.asarray(restarts[before] != restarts[after])


def _readings_at(moments: Seconds, times: Seconds, readings: Values, longest: float) -> Values:
    """The reading at each moment, NaN where no two readings at most `longest` seconds apart say it."""
    before = _last_until(moments, times)
    after = _first_from(moments, times)
    spread = np.interp(
        moments,
        times,
        readings,
        left=np.nan,
        right=np.nan,
    )
    is_close = times[after] - times[before] <= longest
    at_moments = np.where(is_close, spread, np.nan)
    # A lone reading beside a full hour is its own: a poller is seldom there to the second.
    for neighbour in (before, after):
        distance = np.abs(times[neighbour] - moments)
        is_lone = ~np.isfinite(at_moments) & (distance <= ON_THE_HOUR)
        at_moments[is_lone] = readings[neighbour[is_lone]]
    return at_moments


def _last_until(moments: Seconds, times: Seconds) -> Numbers:
    """Index of the last time that is not after each moment; the first one where all are after."""
    index = np.searchsorted(times, moments, side="right") - 1
    return np.maximum(index, 0)


def _first_from(moments: Seconds, times: Seconds) -> Numbers:
    """Index of the first time that is not before each moment; the last one where all are before."""
    index = np.searchsorted(times, moments)
    return np.minimum(index, len(times) - 1)

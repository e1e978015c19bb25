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

from actioncast.arrays import Numbers, Seconds, Values, np
from actioncast.times import HOUR, HOURS_PER_DAY

Aggregate = Literal["mean", "sum", "last", "time_weighted", "counter"]
Stamps = Literal["start", "end"]  # which end of its period the time of a point names
MOMENTS: tuple[Aggregate, ...] = ("time_weighted", "counter")  # their points have no period

COVERED_SECONDS = 0.9 * HOUR  # of an hour whose state must be known
LONGEST_STATE = 7 * HOURS_PER_DAY * HOUR  # a week without a row is an outage, and no state
CLOSE_READINGS = HOUR // 4  # seconds between two readings; the rise between them is spread evenly
ON_THE_HOUR = 60  # seconds from a full hour in which a reading counts as its own


class Aggregated(NamedTuple):
    """Hours that hold enough: starts [n] ascending, values [n] unscaled, samples [n] points in each."""

    starts: Seconds
    values: Values
    samples: Numbers


def aggregated(
    kind: Aggregate,
    times: Seconds,
    values: Values,
    *,
    minimum_points: int,
    stamps: Stamps = "start",
) -> Aggregated:
    """The hours that these points make. `minimum_points` counts for mean, sum and last."""
    if kind in MOMENTS:
        of_moments = _time_weighted if kind == "time_weighted" else _rises
        return of_moments(times, values)
    # A period that ends at the full hour belongs to the hour before.
    in_period = times - 1 if stamps == "end" else times
    starts, first, group, samples = np.unique(
        in_period // HOUR * HOUR,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    if kind == "last":
        of_hours = values[first + samples - 1]
    else:
        of_hours = np.bincount(group, weights=values, minlength=len(starts))
    if kind == "mean":
        of_hours = of_hours / samples
    enough = samples >= minimum_points
    return Aggregated(starts[enough], of_hours[enough], samples[enough])


# Changes of state ---------------------------------------------------------------------------------


def _time_weighted(times: Seconds, values: Values) -> Aggregated:
    """Hours of which nine tenths have a state: the mean over these seconds."""
    starts = _hours_between(times)
    if not len(starts):
        return _nothing()
    edges = np.union1d(times, np.append(starts, starts[-1] + HOUR))
    row = np.searchsorted(times, edges[:-1], side="right") - 1
    holds = np.append(np.diff(times), 0) <= LONGEST_STATE
    is_known = (row >= 0) & (edges[:-1] < times[-1])
    is_known &= np.isfinite(values[row]) & holds[row]
    seconds = np.where(is_known, np.diff(edges), 0)
    weighted = seconds * np.where(is_known, values[row], 0.0)
    hour = (edges[:-1] - starts[0]) // HOUR
    known_seconds = np.bincount(hour, weights=seconds, minlength=len(starts))
    sums = np.bincount(hour, weights=weighted, minlength=len(starts))
    covered = known_seconds >= COVERED_SECONDS
    return Aggregated(
        starts=starts[covered],
        values=sums[covered] / known_seconds[covered],
        samples=_samples(times[np.isfinite(values)], starts)[covered],
    )


def _hours_between(times: Seconds) -> Seconds:
    """The starts of all hours from the first moment to the last."""
    if not len(times):
        return times
    return np.arange(times[0] // HOUR, times[-1] // HOUR + 1, dtype=np.int64) * HOUR


def _samples(times: Seconds, starts: Seconds) -> Numbers:
    """How many of the moments lie in each of the hours."""
    first = np.searchsorted(times, starts)
    after = np.searchsorted(times, starts + HOUR)
    return after - first


def _nothing() -> Aggregated:
    none = np.zeros(0, dtype=np.int64)
    return Aggregated(none, np.zeros(0), none)


# Counters -----------------------------------------------------------------------------------------


def _rises(times: Seconds, readings: Values) -> Aggregated:
    """Hours between two full hours at which the reading is certain, and no restart between them."""
    starts = _hours_between(times)
    if not len(starts):
        return _nothing()
    full_hours = np.append(starts, starts[-1] + HOUR)
    at_full_hours = _readings_at(full_hours, times, readings)
    restarts = np.append(0, np.cumsum(np.diff(readings) < 0))
    before = np.searchsorted(times, full_hours, side="right") - 1
    before[0] = max(before[0], 0)
    after = np.minimum(np.searchsorted(times, full_hours), len(times) - 1)
    unbroken = restarts[before[:-1]] == restarts[after[1:]]
    rises = np.diff(at_full_hours)
    complete = unbroken & np.isfinite(rises) & (rises >= 0)
    return Aggregated(
        starts=starts[complete],
        values=rises[complete],
        samples=_samples(times, starts)[complete],
    )


def _readings_at(moments: Seconds, times: Seconds, readings: Values) -> Values:
    """The reading at each moment, NaN where no readings lie close enough to say it."""
    after = np.minimum(np.searchsorted(times, moments), len(times) - 1)
    before = np.maximum(np.searchsorted(times, moments, side="right") - 1, 0)
    spread = np.interp(moments, times, readings, left=np.nan, right=np.nan)
    is_close = times[after] - times[before] <= CLOSE_READINGS
    at_moments = np.where(is_close, spread, np.nan)
    # A lone reading beside a full hour is its own: a poller is seldom there to the second.
    for nearest in (before, after):
        is_on = ~np.isfinite(at_moments) & (np.abs(times[nearest] - moments) <= ON_THE_HOUR)
        at_moments[is_on] = readings[nearest[is_on]]
    return at_moments

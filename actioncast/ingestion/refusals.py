"""When an answer is refused as a whole, because what is good in it cannot be told from what is not.

Each function raises, names the values and says what to do; nothing of the answer is used then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from actioncast.ingestion.documents import SourceError
from actioncast.periods.aggregates import ON_THE_HOUR
from actioncast.periods.frequency import DAY, HOURLY
from actioncast.periods.points import (
    CONTRADICTION,
    PLAUSIBLE,
    Checked,
    DataError,
    Points,
    Rejection,
    describe,
    readable_moment,
)
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.times import HOUR, ONE_HOUR, from_seconds, isoformat

FEWEST_MIDNIGHTS = 3  # points
CLOSE_READINGS = HOUR // 4  # seconds between two readings of a meter
QUARTER = HOUR // 4  # clocks of the world differ by multiples of it
LARGEST_SHARE_BESIDE = 0.1  # of hourly points may lie a quarter, half or three quarters past the hour
LARGEST_SHARE_FALLING = 0.1  # of the readings of a counter may be lower than the one before
SHOWN_VALUES = 3  # of one moment
FEWEST_READINGS = 3  # of a counter, to say how it is read


def refuse_nothing(checked: Checked, now: datetime, source_name: str) -> None:
    """Raise SourceError when no point is usable, with what there was instead."""
    if len(checked.points):
        return
    parts = []
    if len(checked.without_value):
        parts.append(f"{len(checked.without_value)} without a value ({_example(checked.without_value)})")
    if len(checked.ahead):
        parts.append(f"{len(checked.ahead)} later than that ({_example(checked.ahead)})")
    if checked.rejections:
        parts.append(f"{len(checked.rejections)} rejected: {describe(checked.rejections, most=1)}")
    what_there_was = f": {', '.join(parts)}" if parts else ""
    raise SourceError(f"{source_name}: no usable point up to {isoformat(now)}{what_there_was}; nothing was loaded")


def _example(points: Points) -> str:
    """The first of the points with a time, such as "e.g. 2022-03-04T03:00:00Z = 7"."""
    first = max(int(np.argmax(points.times >= 0)), 0)
    time = int(points.times[first])
    value = points.values[first]
    moment = readable_moment(time) if time >= 0 else "no time"
    return f"e.g. {moment} = {'nothing' if np.isnan(value) else f'{value:g}'}"


def refuse_old(
    points: Points, now: datetime, maximum_hours: float, source_name: str, timeline: Timeline = UTC_HOURS
) -> None:
    """Raise SourceError when the newest point is too old: a dead source may still answer."""
    seconds = int(points.times.max())
    newest = from_seconds(seconds)
    age_hours = timeline.open_time(newest, now) / ONE_HOUR
    if age_hours <= maximum_hours:
        return
    end = timeline.end_of(timeline.number_of(newest))
    advice = f"Is the source dead? For a finished recording pass --now {isoformat(end)}"
    if seconds not in PLAUSIBLE:
        advice = "Is it no unix time? Then say what the number means by date_format of the source"
    raise SourceError(
        f"{source_name}: the newest point is from {readable_moment(seconds)}, "
        f"{age_hours:,.0f} h{' of its opening times' if timeline.opening else ''} before {isoformat(now)}, more "
        f"than freshness.source = {maximum_hours:g} h; nothing was loaded. {advice}"
    )


def refuse_contradictions(rejections: Sequence[Rejection], source_name: str) -> None:
    """Raise DataError for moments with several values: which of them is right nobody can tell here."""
    contradicting = [point for point in rejections if point.reason == CONTRADICTION]
    if not contradicting:
        return
    moments = sorted({point.time for point in contradicting})
    values_of_first = [point.value for point in contradicting if point.time == moments[0]]
    values = " and ".join(values_of_first[:SHOWN_VALUES])
    comes = "moment comes" if len(moments) == 1 else "moments come"
    raise DataError(
        f"{source_name}: {len(moments)} {comes} with different values, such as {moments[0]} with {values}; "
        'nothing was loaded. Where a later row corrects an earlier one, say revisions = "last" for the '
        "series; where several series share the source, name one; where a clock that is put back in "
        "autumn repeats an hour, set `timezone` of the source"
    )


def refuse_half_hours(points: Points, source_name: str, timeline: Timeline = UTC_HOURS) -> None:
    """Raise DataError for hourly points that lie beside the full hours of UTC by a quarter, half or
    three quarters.

    So lie the hours of a zone such as Asia/Kolkata, and each would be stored under an hour that
    begins earlier.
    """
    if timeline.frequency != HOURLY:
        return
    since_start = points.times - timeline.starts(np.array([0]))[0]
    hours = np.unique(since_start // HOUR)
    if len(hours) < len(points) or not len(points):
        return
    offsets = since_start % HOUR
    for offset in (QUARTER, 2 * QUARTER, 3 * QUARTER):
        number = int(np.count_nonzero(offsets == offset))
        if number <= LARGEST_SHARE_BESIDE * len(points):
            continue
        minutes = offset // 60
        per_hour = 2 if offset == 2 * QUARTER else 4
        share = f"all {number}" if number == len(points) else f"{number} of {len(points)}"
        raise DataError(
            f"{source_name}: {share} points lie {minutes} minutes after the full hour, as the full "
            f"hours of a clock such as Asia/Kolkata do. Hours begin where those of {timeline.timezone} do, so "
            f"that each value would be stored {minutes} minutes early; nothing was loaded. Set `timezone` of "
            "the series to the zone of its source, such as Asia/Kolkata; ask the source for "
            f"{per_hour} points per hour and say points_per_period = {per_hour}; or, where each "
            'point is a reading taken at that minute, say aggregate = "last"'
        )


def refuse_no_counter(points: Points, source_name: str, timeline: Timeline = UTC_HOURS) -> None:
    """Raise DataError for readings that fall too often, or are too far from the full hours to tell an hour."""
    if len(points) < FEWEST_READINGS:
        return
    falls = int(np.count_nonzero(np.diff(points.values) < 0))
    if falls > LARGEST_SHARE_FALLING * len(points):
        raise DataError(
            f"{source_name}: {falls} of {len(points)} readings are lower than the one before; nothing was "
            'loaded. aggregate = "counter" is for a meter that only rises; do several share the source?'
        )
    if timeline.frequency != HOURLY:
        return
    gap = float(np.median(np.diff(points.times)))
    past_hour = points.times % HOUR
    beside = np.minimum(past_hour, HOUR - past_hour)
    if gap > CLOSE_READINGS and np.median(beside) > ON_THE_HOUR:
        raise DataError(
            f"{source_name}: readings lie {gap / 60:.0f} minutes apart and {np.median(beside) / 60:.0f} "
            "minutes beside the full hour; nothing was loaded. A counter tells an hour only when it is "
            f"read within {ON_THE_HOUR} s of the full hour, or every {CLOSE_READINGS // 60} minutes"
        )


def refuse_foreign_midnights(points: Points, source_name: str, timeline: Timeline) -> None:
    """Raise DataError for dates that were written as midnights of UTC, which the zone counts to the day before."""
    if timeline.frequency.is_within_day or len(points) < FEWEST_MIDNIGHTS:
        return
    local = timeline.clocks.local(points.times)
    are_midnights = not (points.times % DAY).any()
    if not are_midnights or not (local // DAY < points.times // DAY).all():
        return
    raise DataError(
        f"{source_name}: all {len(points)} points lie at midnight of UTC, which is the evening before in "
        f"{timeline.timezone}: each date would be stored one day early; nothing was loaded. If they name "
        'dates, set `timezone` of the series to "UTC"'
    )


def refuse_closed(points: Points, source_name: str, timeline: Timeline, maximum_share: float) -> None:
    """Raise DataError when more than this share of the points lies outside the opening times."""
    outside = ~timeline.is_open(points.times)
    share = float(np.mean(outside)) if len(points) else 0.0
    if share <= maximum_share:
        return
    first = from_seconds(int(points.times[outside][0]))
    raise DataError(
        f"{source_name}: {share:.0%} of the points lie outside open = {str(timeline.opening)!r} in "
        f"{timeline.timezone}, such as {isoformat(first)}, more than maximum_rejected_share = "
        f"{maximum_share:g}; nothing was loaded. Are opening times or the zone others?"
    )

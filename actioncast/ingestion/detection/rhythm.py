"""How often points come, and which end of its period a stamp names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.arrays import Seconds, Values, np
from actioncast.ingestion.detection.questions import Answers, NotHourlyError, QuestionError
from actioncast.ingestion.detection.stamps import BEGINS, DAY, ENDS
from actioncast.periods.frequency import ALLOWED, HOURLY, WEEK, Frequency, parse_frequency
from actioncast.times import HOUR, HOURS_PER_DAY, from_seconds

FEWEST = 24  # points, to say how often they come
FEWEST_SELDOM = 4  # likewise, of points that come less often than hourly
REGULAR = 0.6  # of the steps are near the typical one
LONGEST_STEP = 1.5 * HOUR
MONTH = 30.4 * DAY
PERIODS = {
    "year": 12 * MONTH,
    "quarter": 3 * MONTH,
    "month": MONTH,
    "week": 7 * DAY,
    "day": DAY,
}
SELDOM = ("2h", "3h", "4h", "6h", "8h", "12h", "1D", "1MS", "1QS", "1YS")
TOLERANCE = 0.09  # by which months differ in length
THURSDAY = 3  # 1970 began with one, counted from Monday 0
DAYS_OF_WEEK = 7
ENOUGH = 0.75  # of the points of an hour
DAY_ENDS_AT_24 = re.compile(r"[T ]24([:.]?00)*$|^\d{8}24(00)*$")
HOUR_ENDING = re.compile(r"\bhe\b|hour.?ending", re.IGNORECASE)
SECONDS_EARLY = 60  # before a full hour, in stamps that mean it
Keys = dict[str, Any]  # of the series
Lines = list[str]  # the reasons, for a person


@dataclass(frozen=True)
class Rhythm:
    """Points that ascend and are unique in time."""

    times: Seconds
    step: float  # typical seconds from one point to the next
    regular: bool
    frequency: Frequency = HOURLY  # of the series that they make

    @property
    def points_per_period(self) -> int:
        if self.frequency != HOURLY:
            return 1
        count = math.ceil(HOUR / self.step - 0.05)
        return max(1, count)


def find(times: Seconds) -> Rhythm:
    """How often these points come: hourly and denser ones make an hourly series.

    Raises NotHourlyError for a rhythm that no frequency has.
    """
    count = len(times)
    step = float(np.median(np.diff(times))) if count > 1 else 0.0
    fewest = FEWEST_SELDOM if step > LONGEST_STEP else FEWEST
    if count < fewest:
        reason = f"{fewest} are needed to see how often they come"
        raise NotHourlyError(f"only {count} points could be read; {reason}")
    steps = np.diff(times)
    if step > LONGEST_STEP:
        frequency = _seldom(times, step)
        if frequency is None:
            raise NotHourlyError(_too_seldom(times, step))
        return Rhythm(times, step, regular=True, frequency=frequency)
    tolerance = max(0.1 * step, 10)
    are_alike = np.abs(steps - step) <= tolerance
    is_regular = bool(np.mean(are_alike) >= REGULAR)
    return Rhythm(times, step, is_regular and _fills_the_hours(times, step))


def _fills_the_hours(times: Seconds, step: float) -> bool:
    """Whether a typical hour holds about as many points as it could.

    Bursts are regular within, but an hour holds fewer of their points.
    """
    _, counts = np.unique(times // HOUR, return_counts=True)
    possible = HOUR / step
    return bool(np.median(counts) >= ENOUGH * possible - 1)


def _seldom(times: Seconds, step: float) -> Frequency | None:
    """The frequency of points that come less often than hourly; None where none fits."""
    for text in SELDOM:
        frequency = parse_frequency(text)
        if abs(step - frequency.seconds) <= TOLERANCE * frequency.seconds:
            return frequency
    if abs(step - WEEK) <= TOLERANCE * WEEK:
        weekdays = (times // DAY + THURSDAY) % DAYS_OF_WEEK
        commonest = int(np.argmax(np.bincount(weekdays, minlength=DAYS_OF_WEEK)))
        return Frequency(1, "W", commonest)
    return None


def is_hourly(seconds: Values) -> bool:
    """Whether times come at least once an hour."""
    times = np.unique(seconds[np.isfinite(seconds)])
    if len(times) < 2:
        return False
    step = np.median(np.diff(times))
    return bool(step <= LONGEST_STEP)


def are_dates(seconds: Values) -> bool:
    """Whether times are midnights that come once a day or less often: they name days."""
    times = np.unique(seconds[np.isfinite(seconds)])
    if len(times) < 2 or (times % DAY).any():
        return False
    return bool(np.median(np.diff(times)) >= DAY)


def refuse_seldom(seconds: Values, columns: int) -> None:
    """Raises NotHourlyError where rows come less often than hourly.

    `columns` is the number of columns with values: a row may hold the hours of a day.
    """
    times = np.unique(seconds[np.isfinite(seconds)]).astype(np.int64)
    if len(times) < 2 or is_hourly(seconds):
        return
    step = float(np.median(np.diff(times)))
    holds_hours = columns >= HOURS_PER_DAY - 1
    if _seldom(times, step) is not None and not holds_hours:
        return
    fault = _too_seldom(times, step)
    if holds_hours:
        fault += f". Do the {columns} columns hold the hours of a day? Then write one line per hour"
    raise NotHourlyError(fault)


def _too_seldom(times: Seconds, step: float) -> str:
    """One value a day, with the first and the last."""
    frequency = _frequency(step)
    first = _date(times[0])
    last = _date(times[-1])
    return (
        f"{frequency}: {len(times)} from {first} to {last}. "
        f"A series can have the frequencies {ALLOWED}: ask the source for one of them"
    )


def _frequency(step: float) -> str:
    for name, length in PERIODS.items():
        if abs(step - length) <= 0.1 * length:
            return f"one value a {name}"
    hours = step / HOUR
    return f"one value every {hours:.3g} hours"


def _date(seconds: float) -> str:
    return from_seconds(int(seconds)).strftime("%Y-%m-%d")


# How many points an hour has ---------------------------------------------------------------------


def points_keys(rhythm: Rhythm) -> tuple[Keys, Lines]:
    """points_per_period and what belongs to it, and the words for it."""
    if rhythm.frequency != HOURLY:
        words = rhythm.frequency.noun
        return {"frequency": str(rhythm.frequency)}, [f"one value a {words}"]
    if not rhythm.regular:
        line = f"points come at irregular times, typically {rhythm.step:g} s apart"
        return {}, [line]
    count = rhythm.points_per_period
    keys: Keys = {}
    line = "one point an hour"
    if count > 1:
        line = f"one point every {duration(rhythm.step)}, {count} in an hour"
        keys["points_per_period"] = count
        keys["minimum_points_per_period"] = math.ceil(ENOUGH * count)
    if _is_early_at_times(rhythm):
        keys["round_seconds"] = SECONDS_EARLY
        line += "; some stamps lie seconds before the time that they mean"
    return keys, [line]


def duration(seconds: float) -> str:
    """Such as 15 minutes, or 30 s."""
    if seconds < 60:
        return f"{seconds:g} s"
    minutes = seconds / 60
    return f"{minutes:g} minutes"


def _is_early_at_times(rhythm: Rhythm) -> bool:
    """Whether some stamps lie just before a full hour, and all others on it."""
    if rhythm.points_per_period != 1:
        return False
    offsets = rhythm.times % HOUR
    early = np.count_nonzero(offsets >= HOUR - SECONDS_EARLY)
    on_time = np.count_nonzero(offsets == 0)
    if not early or not on_time:
        return False
    return bool(early + on_time == len(offsets))


# Which end of its period a stamp names -----------------------------------------------------------


def labels_key(
    clock: Values,
    texts: Sequence[Any],
    name: str,
    answers: Answers,
) -> tuple[Keys, Lines]:
    """`stamps`, and why. `clock` [rows] are the times as they are written.

    Raises QuestionError where the first and the last stamp say that a label may be the end.
    """
    if "stamps" in answers:
        stamps = answers["stamps"]
        keys: Keys = {"stamps": "end"} if stamps == "end" else {}
        return keys, [f"a stamp is the {stamps} of its period, as you said"]
    reason = _reason_for_end(name, texts)
    if reason:
        return {"stamps": "end"}, [f"a stamp is the end of its period{reason}"]
    if BEGINS.search(name):
        return {}, []
    times = np.unique(clock[np.isfinite(clock)])
    if len(times) >= FEWEST and _are_whole_days_of_ends(times):
        raise _which_end(times)
    return {}, []


def _reason_for_end(name: str, texts: Sequence[Any]) -> str:
    """The words why a stamp is the end of its period; empty where nothing says so."""
    is_named_end = ENDS.search(name) and not BEGINS.search(name)
    if HOUR_ENDING.search(name) or is_named_end:
        return f", as its name {name!r} says"
    if any(DAY_ENDS_AT_24.search(str(text).strip()) for text in texts):
        return ": the day ends at 24"
    return ""


def _are_whole_days_of_ends(times: Values) -> bool:
    """Whether the first period would begin at midnight and the last end there."""
    step = np.median(np.diff(times))
    if step > HOUR:
        return False
    first_begins = times[0] % DAY == step
    last_ends = times[-1] % DAY == 0
    return bool(first_begins and last_ends)


def _which_end(times: Values) -> QuestionError:
    first = _date_and_time(times[0])
    last = _date_and_time(times[-1])
    question = (
        f"The first stamp is {first}, the last {last}: "
        "whole days, if a stamp names the end of its period. "
        "Does 01:00 stand for 00:00-01:00 (end) or for 01:00-02:00 (start)?"
    )
    return QuestionError("stamps", question, ["end", "start"])


def _date_and_time(seconds: float) -> str:
    return from_seconds(int(seconds)).strftime("%Y-%m-%d %H:%M")

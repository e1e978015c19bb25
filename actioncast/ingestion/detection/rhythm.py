"""How often points come, what their label means, and what an hour makes of them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.arrays import Flags, Seconds, Values, np
from actioncast.ingestion.detection.questions import Answers, NotHourlyError, QuestionError
from actioncast.ingestion.detection.stamps import BEGINS, DAY, ENDS
from actioncast.times import HOUR, HOURS_PER_DAY, from_seconds

FEWEST = 24  # points, to say how often they come
REGULAR = 0.6  # of the steps are near the typical one
LONGEST_STEP = 1.5 * HOUR
MONTH = 30.4 * DAY
PERIODS = {"year": 12 * MONTH, "quarter": 3 * MONTH, "month": MONTH, "week": 7 * DAY, "day": DAY}
ENOUGH = 0.75  # of the points of an hour
LABELS = re.compile(r"[T ]24([:.]?00)*$|^\d{8}24(00)*$")  # the end of a day
HOUR_ENDING = re.compile(r"\bhe\b|hour.?ending", re.IGNORECASE)
COUNTS_UP = re.compile(
    r"total|count|cumul|meter|reading|stand|kwh|index|energy|energ|volume|z(ae|ä)hler|contador|compteur|import|export",
    re.IGNORECASE,
)
AMOUNT = re.compile(
    r"(?<![a-z])([kmg]?wh|count|calls|visits|rides|rain|precip|sales|orders|m3)(?![a-z])", re.IGNORECASE
)
LARGEST_RESTARTS = 0.02  # of the steps of a counter fall
OFTEN = 1 / 12  # of the steps fall, where a sum starts again each day
SECONDS_EARLY = 60  # before a full hour, in stamps that mean it


@dataclass(frozen=True)
class Rhythm:
    """Points that ascend and are unique in time."""

    times: Seconds
    step: float  # typical seconds from one point to the next
    regular: bool

    @property
    def points_per_hour(self) -> int:
        return max(1, math.ceil(HOUR / self.step - 0.05))


def find(times: Seconds) -> Rhythm:
    """Raises NotHourlyError for a series of another frequency than hourly or denser."""
    if len(times) < FEWEST:
        raise NotHourlyError(f"only {len(times)} points could be read; {FEWEST} are needed to see how often they come")
    steps = np.diff(times)
    step = float(np.median(steps))
    alike = np.abs(steps - step) <= max(0.1 * step, 10)
    if step > LONGEST_STEP:
        raise NotHourlyError(_too_seldom(times, step))
    _, counts = np.unique(times // HOUR, return_counts=True)
    # Bursts are regular within, but an hour holds fewer of their points than it could.
    fills_the_hour = np.median(counts) >= ENOUGH * (HOUR / step) - 1
    return Rhythm(times, step, bool(np.mean(alike) >= REGULAR and fills_the_hour))


def is_hourly(seconds: Values) -> bool:
    """Whether times come at least once an hour."""
    times = np.unique(seconds[np.isfinite(seconds)])
    return len(times) > 1 and bool(np.median(np.diff(times)) <= LONGEST_STEP)


def refuse_seldom(seconds: Values, columns: int) -> None:
    """Raise NotHourlyError where rows come less often than hourly, be it that a row holds the hours of a day."""
    times = np.unique(seconds[np.isfinite(seconds)]).astype(np.int64)
    if len(times) < 2 or is_hourly(seconds):
        return
    fault = _too_seldom(times, float(np.median(np.diff(times))))
    if columns >= HOURS_PER_DAY - 1:
        fault = f"{fault}. Do the {columns} columns hold the hours of a day? Then write one line per hour"
    raise NotHourlyError(fault)


def _too_seldom(times: Seconds, step: float) -> str:
    """One value a day, with the first and the last."""
    how_often = f"one value every {step / HOUR:.3g} hours"
    for name, length in PERIODS.items():
        if abs(step - length) <= 0.1 * length:
            how_often = f"one value a {name}"
    first = from_seconds(int(times[0])).strftime("%Y-%m-%d")
    last = from_seconds(int(times[-1])).strftime("%Y-%m-%d")
    return (
        f"{how_often}: {len(times)} from {first} to {last}. Only hourly series can be forecast, "
        "or denser ones, of which hours are made: ask the source for hourly values"
    )


def points_keys(rhythm: Rhythm) -> tuple[dict[str, Any], list[str]]:
    """points_per_hour and what belongs to it, and the words for it."""
    if not rhythm.regular:
        return {}, [f"points come at irregular times, typically {rhythm.step:g} s apart"]
    count = rhythm.points_per_hour
    keys: dict[str, Any] = {}
    if count == 1:
        line = "one point an hour"
    else:
        line = f"one point every {_minutes(rhythm.step)}, {count} in an hour"
        keys["points_per_hour"] = count
        keys["minimum_points_per_hour"] = math.ceil(ENOUGH * count)
    rounding = _rounding(rhythm)
    if rounding:
        keys["round_seconds"] = rounding
        line += "; some stamps lie seconds before the time that they mean"
    return keys, [line]


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} s"


def _rounding(rhythm: Rhythm) -> int:
    """Seconds to round to, where some stamps lie just before a full hour and others on it."""
    offsets = rhythm.times % HOUR
    early = np.count_nonzero(offsets >= HOUR - SECONDS_EARLY)
    on_time = np.count_nonzero(offsets == 0)
    is_hourly = rhythm.points_per_hour == 1
    return SECONDS_EARLY if is_hourly and early and on_time and early + on_time == len(offsets) else 0


# Which end of its period a stamp names -----------------------------------------------------------


def labels_key(
    clock: Values,
    texts: Sequence[Any],
    name: str,
    answers: Answers,
) -> tuple[dict[str, Any], list[str]]:
    """`stamps`, and why. `clock` [rows] are the times as they are written.

    Raises QuestionError where the first and the last stamp say that a label may be the end.
    """
    if "stamps" in answers:
        return _stamps_key(answers["stamps"]), [f"a stamp is the {answers['stamps']} of its period, as you said"]
    if HOUR_ENDING.search(name) or (ENDS.search(name) and not BEGINS.search(name)):
        return _stamps_key("end"), [f"a stamp is the end of its period, as its name {name!r} says"]
    if any(LABELS.search(str(text).strip()) for text in texts):
        return _stamps_key("end"), ["a stamp is the end of its period: the day ends at 24"]
    times = np.unique(clock[np.isfinite(clock)])
    if BEGINS.search(name) or len(times) < FEWEST:
        return {}, []
    step = np.median(np.diff(times))
    if times[0] % DAY == step and times[-1] % DAY == 0 and step <= HOUR:
        raise QuestionError(
            "stamps",
            f"The first stamp is {_clock(times[0])}, the last {_clock(times[-1])}: whole days, if a stamp "
            "names the end of its period. Does 01:00 stand for 00:00-01:00 (end) or for 01:00-02:00 (start)?",
            ["end", "start"],
        )
    return {}, []


def _stamps_key(stamps: str) -> dict[str, Any]:
    return {"stamps": "end"} if stamps == "end" else {}


def _clock(seconds: float) -> str:
    return from_seconds(int(seconds)).strftime("%Y-%m-%d %H:%M")


# What an hour makes of its points ----------------------------------------------------------------


def aggregate_key(values: Values, name: str, rhythm: Rhythm, answers: Answers) -> tuple[dict[str, Any], list[str]]:
    """`aggregate`, and why. `values` [n] are those of the points of the rhythm.

    Raises QuestionError where the values alone do not tell.
    """
    if "aggregate" in answers:
        return _aggregate(answers["aggregate"]), [f"an hour is the {answers['aggregate']} of its points, as you said"]
    falls = _falls(values)
    if _rises(values, falls):
        if falls.any() or COUNTS_UP.search(name):
            restarts = f", with {np.count_nonzero(falls)} restarts" if falls.any() else ""
            return _aggregate("counter"), [f"a counter: the values only rise{restarts}; an hour is its rise"]
        raise QuestionError(
            "aggregate",
            "The values only rise. Are they the readings of a counter, of which an hour is the rise?",
            ["counter", "mean"],
        )
    if _restarts_often(values, falls):
        raise QuestionError(
            "aggregate",
            "The values rise and start again at zero. Are they a sum since midnight or another restart, of which an "
            "hour is the rise? The hour of each restart will be missing then.",
            ["counter", "mean"],
        )
    if not rhythm.regular:
        raise QuestionError(
            "aggregate",
            f"Points come at irregular times, typically {_minutes(rhythm.step)} apart. Does each value hold until "
            "the next one (time_weighted), or is an hour the mean or the sum of its points?",
            ["time_weighted", "mean", "sum", "last"],
        )
    if rhythm.points_per_hour > 1 and AMOUNT.search(name):
        raise QuestionError(
            "aggregate",
            f"{rhythm.points_per_hour} points an hour, and the name {name!r} sounds like an amount. "
            "Is an hour the sum of its points, or their mean?",
            ["sum", "mean"],
        )
    if rhythm.points_per_hour > 1:
        return {}, ["an hour is the mean of its points (--aggregate sum, if they are amounts)"]
    return {}, []


def _aggregate(kind: str) -> dict[str, Any]:
    return {} if kind == "mean" else {"aggregate": kind}


def _falls(values: Values) -> Flags:
    falls: Flags = np.diff(values) < 0
    return falls


def _restarts_often(values: Values, falls: Flags) -> bool:
    """Whether values rise in nearly all steps and fall far in the others, such as each midnight."""
    if len(values) < 2 * FEWEST or not 0 < np.mean(falls) <= OFTEN:
        return False
    after = np.abs(values[1:][falls])
    before = np.abs(values[:-1][falls])
    return bool((after <= 0.5 * before).all() and np.mean(np.diff(values) > 0) > 0.3)


def _rises(values: Values, falls: Flags) -> bool:
    """Whether values only rise, but for restarts near zero."""
    if len(values) < 2 * FEWEST or np.mean(falls) > LARGEST_RESTARTS:
        return False
    rises = np.diff(values)
    after = values[1:][falls]
    before = values[:-1][falls]
    restarts_low = (after <= 0.1 * np.abs(before)).all()
    return bool(restarts_low and np.mean(rises > 0) > 0.3)

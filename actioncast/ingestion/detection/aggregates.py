"""What an hour makes of its points: their mean, their sum, or the rise of a counter."""

from __future__ import annotations

import re
from typing import Any

from actioncast.arrays import Flags, Values, np
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.rhythm import FEWEST, Rhythm, duration

COUNTS_UP = re.compile(
    r"total|count|cumul|meter|reading|stand|kwh|index|energy|energ|volume|"
    r"z(ae|ä)hler|contador|compteur|import|export",
    re.IGNORECASE,
)
AMOUNT = re.compile(
    r"(?<![a-z])"
    r"([kmg]?wh|count|calls|visits|rides|rain|precip|sales|orders|m3)"
    r"(?![a-z])",
    re.IGNORECASE,
)
LARGEST_RESTARTS = 0.02  # of the steps of a counter fall
OFTEN = 1 / 12  # of the steps fall, where a sum starts again each day
LEAST_RISES = 0.3  # of the steps of a counter or a sum rise
Keys = dict[str, Any]  # of the series
Lines = list[str]  # the reasons, for a person


def find(
    values: Values,
    name: str,
    rhythm: Rhythm,
    answers: Answers,
) -> tuple[Keys, Lines]:
    """`aggregate`, and why. `values` [n] are those of the points of the rhythm.

    Raises QuestionError where the values alone do not tell.
    """
    if "aggregate" in answers:
        kind = answers["aggregate"]
        keys = {} if kind == "mean" else {"aggregate": kind}
        return keys, [f"a period is the {kind} of its points, as you said"]
    falls: Flags = np.diff(values) < 0
    if _only_rise(values, falls):
        return _counter(name, falls)
    if _restart_often(values, falls):
        raise _is_it_a_sum()
    if not rhythm.regular:
        raise _irregular(rhythm)
    if rhythm.points_per_period == 1:
        return {}, []
    if AMOUNT.search(name):
        raise _sum_or_mean(name, rhythm)
    return {}, ["a period is the mean of its points (--aggregate sum, if they are amounts)"]


def _counter(name: str, falls: Flags) -> tuple[Keys, Lines]:
    """The key of a counter. Raises QuestionError where only the rise speaks for one."""
    count = np.count_nonzero(falls)
    if not count and not COUNTS_UP.search(name):
        raise _is_it_a_counter()
    restarts = f", with {count} restarts" if count else ""
    line = f"a counter: the values only rise{restarts}; a period is its rise"
    return {"aggregate": "counter"}, [line]


def _only_rise(values: Values, falls: Flags) -> bool:
    """Whether values only rise, but for restarts near zero."""
    if len(values) < 2 * FEWEST:
        return False
    if np.mean(falls) > LARGEST_RESTARTS:
        return False
    after = values[1:][falls]
    before = values[:-1][falls]
    restarts_low = (after <= 0.1 * np.abs(before)).all()
    return bool(restarts_low) and _often_rise(values)


def _restart_often(values: Values, falls: Flags) -> bool:
    """Whether values rise in nearly all steps and fall far in the others, such as each midnight."""
    if len(values) < 2 * FEWEST:
        return False
    if not 0 < np.mean(falls) <= OFTEN:
        return False
    after = np.abs(values[1:][falls])
    before = np.abs(values[:-1][falls])
    falls_far = (after <= 0.5 * before).all()
    return bool(falls_far) and _often_rise(values)


def _often_rise(values: Values) -> bool:
    rises = np.diff(values) > 0
    return bool(np.mean(rises) > LEAST_RISES)


# The questions -----------------------------------------------------------------------------------


def _is_it_a_counter() -> QuestionError:
    fact = "The values only rise."
    question = "Are they the readings of a counter, of which a period is the rise?"
    return QuestionError("aggregate", f"{fact} {question}", ["counter", "mean"])


def _is_it_a_sum() -> QuestionError:
    question = (
        "The values rise and start again at zero. "
        "Are they a sum since midnight or another restart, of which a period is the rise? "
        "The period of each restart will be missing then."
    )
    return QuestionError("aggregate", question, ["counter", "mean"])


def _irregular(rhythm: Rhythm) -> QuestionError:
    question = (
        f"Points come at irregular times, typically {duration(rhythm.step)} apart. "
        "Does each value hold until the next one (time_weighted), "
        "or is a period the mean or the sum of its points?"
    )
    choices = ["time_weighted", "mean", "sum", "last"]
    return QuestionError("aggregate", question, choices)


def _sum_or_mean(name: str, rhythm: Rhythm) -> QuestionError:
    question = (
        f"{rhythm.points_per_period} points an hour, "
        f"and the name {name!r} sounds like an amount. "
        "Is a period the sum of its points, or their mean?"
    )
    return QuestionError("aggregate", question, ["sum", "mean"])

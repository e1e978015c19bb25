"""Numbers that stand for "no value": -999, -9999, 9999, or -1 in a series that is never negative.

They are numbers, so no reader takes them for anything else, and one of them bends an hour. Pure
functions: values in, the doubt in words out.
"""

from __future__ import annotations

import re

from actioncast.arrays import Values, np

NINES = re.compile(r"-?99+(\.9+)?(\.0+)?")  # -99, -999.9, 9999
FEWEST_NINES = 4  # digits of one above all values: 99 and 999 may be counted
FEWEST = 3  # times that a number repeats
SMALLEST_DISTANCE = 0.3  # from the other values, as a share of their spread
LARGEST_DISTANCE = 1.0  # above the other values: peaks are lonely too


def find(values: Values, minimum_value: float | None) -> str:
    """The number among values [n] that looks as if it meant "no value", in words; empty for none.

    A series that sets `minimum_value` has said which low values are right.
    """
    if not len(values):
        return ""
    if minimum_value is None:
        sign = values.min()
        if _is_low_sign(sign, values):
            return _doubt(sign, values)
    sign = values.max()
    if _is_high_sign(sign, values):
        return _doubt(sign, values)
    return ""


def _is_low_sign(sign: float, values: Values) -> bool:
    """Whether this lowest value is one that no other comes close to, or a lonely -1."""
    if sign == -1:
        return _is_lonely_minus_one(values)
    if not _is_nines(sign):
        return False
    return _is_far(sign, values, SMALLEST_DISTANCE)


def _is_lonely_minus_one(values: Values) -> bool:
    """Whether -1 repeats in a series that is never negative otherwise."""
    others = values[values != -1]
    if not len(others):
        return False
    if _repeats(-1, values) < FEWEST:
        return False
    return bool(others.min() >= 0)


def _is_high_sign(sign: float, values: Values) -> bool:
    """Whether this highest value consists of many nines and lies far above all others."""
    if not _is_nines(sign):
        return False
    digits = f"{sign:g}".count("9")
    if digits < FEWEST_NINES:
        return False
    return _is_far(sign, values, LARGEST_DISTANCE)


def _is_far(sign: float, values: Values, share: float) -> bool:
    """Whether a value that repeats lies further from all others than a share of their spread."""
    others = values[values != sign]
    if not len(others):
        return False
    if _repeats(sign, values) < FEWEST:
        return False
    spread = np.ptp(others)
    if spread <= 0:
        return False
    distance = np.abs(others - sign).min()
    return bool(distance > share * spread)


def _repeats(sign: float, values: Values) -> int:
    """How often the value comes."""
    return int(np.count_nonzero(values == sign))


def _is_nines(value: float) -> bool:
    text = f"{value:.10g}"
    return NINES.fullmatch(text) is not None


def _doubt(sign: float, values: Values) -> str:
    others = values[values != sign]
    count = _repeats(sign, values)
    number = f"the value {sign:g} comes {count} times"
    span = f"all others lie from {others.min():g} to {others.max():g}"
    question = 'does it mean "no value"?'
    return f"{number} and {span}: {question} Then say {_remedy(sign)}"


def _remedy(sign: float) -> str:
    remedy = f"missing = [{sign:g}] of the source"
    if sign < 0:
        remedy += f", or minimum_value = {sign:g} of the series if it is a right value"
    return remedy

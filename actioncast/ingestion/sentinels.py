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
    lowest = values.min()
    highest = values.max()
    if minimum_value is None and (lowest == -1 or _is_nines(lowest)):
        others = values[values != lowest]
        if _is_low_sign(lowest, others, len(values)):
            return _doubt(lowest, others, len(values))
    if _is_nines(highest) and f"{highest:g}".count("9") >= FEWEST_NINES:
        others = values[values != highest]
        if _is_far(highest, others, len(values), LARGEST_DISTANCE):
            return _doubt(highest, others, len(values))
    return ""


def _is_low_sign(sign: float, others: Values, count: int) -> bool:
    """Whether this lowest value is one that no other comes near, or a lonely -1."""
    if sign == -1:
        return len(others) > 0 and count - len(others) >= FEWEST and bool(others.min() >= 0)
    return _is_far(sign, others, count, SMALLEST_DISTANCE)


def _is_far(sign: float, others: Values, count: int, share: float) -> bool:
    """Whether a value that repeats lies further from all others than a share of their spread."""
    if not len(others) or count - len(others) < FEWEST:
        return False
    spread = np.ptp(others)
    distance = np.abs(others - sign).min()
    return bool(spread > 0 and distance > share * spread)


def _is_nines(value: float) -> bool:
    return NINES.fullmatch(f"{value:.10g}") is not None


def _doubt(sign: float, others: Values, count: int) -> str:
    remedy = f"missing = [{sign:g}] of the source"
    if sign < 0:
        remedy += f", or minimum_value = {sign:g} of the series if it is a right value"
    return (
        f"the value {sign:g} comes {count - len(others)} times and all others lie from {others.min():g} to "
        f'{others.max():g}: does it mean "no value"? Then say {remedy}'
    )

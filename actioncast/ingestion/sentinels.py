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
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 3:
        return ""
    if minimum_value is None and _is_low_sign(distinct, int(counts[0])):
        return _doubt(distinct[0], int(counts[0]), distinct[1:])
    if _is_high_sign(distinct, int(counts[-1])):
        return _doubt(distinct[-1], int(counts[-1]), distinct[:-1])
    return ""


def _is_low_sign(distinct: Values, count: int) -> bool:
    """Whether the lowest of these ascending values is one that others do not come near, or a lonely -1."""
    if count < FEWEST:
        return False
    if distinct[0] == -1 and distinct[1] >= 0:
        return True
    distance = distinct[1] - distinct[0]
    return _is_nines(distinct[0]) and distance > SMALLEST_DISTANCE * np.ptp(distinct[1:])


def _is_high_sign(distinct: Values, count: int) -> bool:
    digits = f"{distinct[-1]:g}".count("9")
    distance = distinct[-1] - distinct[-2]
    is_far = distance > LARGEST_DISTANCE * np.ptp(distinct[:-1])
    return count >= FEWEST and _is_nines(distinct[-1]) and digits >= FEWEST_NINES and bool(is_far)


def _is_nines(value: float) -> bool:
    return NINES.fullmatch(f"{value:.10g}") is not None


def _doubt(value: float, count: int, others: Values) -> str:
    remedy = f"missing = [{value:g}] of the source"
    if value < 0:
        remedy += f", or minimum_value = {value:g} of the series if it is a right value"
    return (
        f"the value {value:g} comes {count} times and all others lie from {others[0]:g} to {others[-1]:g}: "
        f'does it mean "no value"? Then say {remedy}'
    )

"""Medians of many columns with missing values. Pure.

numpy's own median and nanmedian load a module for masked arrays, which takes a load 50 ms.
"""

from __future__ import annotations

from actioncast.arrays import Values, np


def medians(rows: Values) -> Values:
    """[columns] the median of each column of [n, columns] without what is missing.

    NaN where all is missing.
    """
    ordered = np.sort(rows, axis=0)  # NaN comes last
    is_present = ~np.isnan(rows)
    present = np.count_nonzero(is_present, axis=0)
    last_row = len(rows) - 1
    lower_row = np.maximum(present - 1, 0) // 2
    higher_row = np.minimum(present // 2, last_row)
    columns = np.arange(rows.shape[1])
    lower = ordered[lower_row, columns]
    higher = ordered[higher_row, columns]
    result: Values = (lower + higher) / 2
    return result


def median(values: Values) -> float:
    """The median of what is not missing; NaN of nothing."""
    if not len(values):
        return float("nan")
    column = values[:, None]
    result = medians(column)
    return float(result[0])

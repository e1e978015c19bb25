"""A series as one line of text. Pure."""

from __future__ import annotations

from actioncast.arrays import Values, np

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 70  # characters
MISSING = "·"


def line(values: Values) -> str:
    """Means of equal parts of the series as bars from its least to its highest.

    A dot where all is missing.
    """
    count = min(WIDTH, len(values))
    parts = np.array_split(values, count)
    means = np.array([_mean(part) for part in parts])
    lowest = np.nanmin(means)
    span = np.nanmax(means) - lowest
    if span == 0:
        span = 1.0
    bars = [_bar((mean - lowest) / span) for mean in means]
    return "".join(bars)


def _mean(part: Values) -> float:
    """The mean of what is not missing; NaN of nothing."""
    present = part[~np.isnan(part)]
    if not len(present):
        return float("nan")
    return float(present.mean())


def _bar(height: float) -> str:
    """The bar of a height from 0 to 1."""
    if np.isnan(height):
        return MISSING
    highest = len(BARS) - 1
    return BARS[round(height * highest)]

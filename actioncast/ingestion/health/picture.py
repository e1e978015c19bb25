"""A series as one line of text. Pure."""

from __future__ import annotations

from actioncast.arrays import Values, np

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 70  # characters
MISSING = "·"


def line(values: Values) -> str:
    """Means of equal parts of the series as bars from its least to its highest, a dot where all is missing."""
    parts = np.array_split(values, min(WIDTH, len(values)))
    means = []
    for part in parts:
        present = part[~np.isnan(part)]
        means.append(present.mean() if len(present) else np.nan)
    present_means = np.array(means)
    lowest = np.nanmin(present_means)
    span = np.nanmax(present_means) - lowest or 1.0
    return "".join(_bar((mean - lowest) / span) for mean in present_means)


def _bar(height: float) -> str:
    """The bar of a height from 0 to 1."""
    if np.isnan(height):
        return MISSING
    return BARS[round(height * (len(BARS) - 1))]

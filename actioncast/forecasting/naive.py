"""The naive reference: the value one season earlier, which each forecast is compared with.

It is the seasonal naive of the longest season of the series that the history holds when a forecast is
issued, repeated where the horizon is longer than the season (Hyndman & Athanasopoulos, "Forecasting:
Principles and Practice", 5.2). Without a season it is the newest value.
"""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.arrays import Values, np
from actioncast.periods.frequency import DAY, WEEK, Frequency

NO_SEASON = 1


def known_season(seasonality: Sequence[int], known: int) -> int:
    """The longest of these seasons (periods) that `known` periods hold; NO_SEASON where they hold none."""
    return max((season for season in seasonality if season <= known), default=NO_SEASON)


def seasonal_naive(values: Values, seasonality: Sequence[int], horizon: int) -> Values:
    """[horizon] the value one season before each period after `values` [n]; NaN where it is missing."""
    season = known_season(seasonality, len(values))
    newest = values[-season:]
    return np.asarray(newest[np.arange(horizon) % season])


def season_in_words(season: int, frequency: Frequency) -> str:
    """How people call the season: "168 hours (a week)", "12 months (a year)", "last value"."""
    if season == NO_SEASON:
        return "last value"
    length = f"{season} {frequency.plural}"
    name = _name(season, frequency)
    return f"{length} ({name})" if name else length


def _name(season: int, frequency: Frequency) -> str:
    if frequency.months:
        return "a year" if season * frequency.months == 12 else ""
    seconds = season * frequency.seconds
    if seconds == DAY:
        return "a day"
    if seconds == WEEK:
        return "a week"
    days = seconds / DAY
    return "a year" if 363 <= days <= 371 else ""

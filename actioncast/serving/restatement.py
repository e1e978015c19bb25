"""Is the level still there that a champion was trained for? It may have been an episode: Christmas, a strike, a fault.

A champion restates what was before a change at the level since, and knows that level alone. Once the old
one is back, what came since is restated likewise and its forecast is taken back to the old level; a check
asks for a champion that has seen the end.
Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from actioncast.arrays import Values, np
from actioncast.forecasting.forecaster import Forecast
from actioncast.forecasting.level_shifts import Shift, beside, index_of
from actioncast.periods.axis import Cycles
from actioncast.periods.grid import Grid

BACK = 0.5  # of the distance from the new level, within which a day is at the old one
BELIEVED = 2  # days of the old level after which a training takes the change for an episode
LONGEST_EPISODE = 28  # days; after so many a level is there to stay
LOOKED_BACK = 2 * LONGEST_EPISODE  # days of history that show an episode and what was before it


@dataclass(frozen=True)
class Ended:
    """A change of level that is over, and the moment from which on a training believes that it is."""

    shift: Shift
    seen_at: datetime

    def undo(self, made: Forecast) -> Forecast:
        """A forecast at the level of the champion, as one at the level that is back."""
        return replace(
            made,
            prediction=self._old(made.prediction),
            lower=self._old(made.lower),
            upper=self._old(made.upper),
            quantiles=self._old(made.quantiles),
        )

    def _old(self, values: Values) -> Values:
        return np.asarray((values - self.shift.offset) / self.shift.factor)

    def __str__(self) -> str:
        since = f"{self.shift.since:%Y-%m-%d %H:%MZ}"
        return f"the champion was trained for a level since {since} that is over: the old one is back"


@dataclass(frozen=True)
class Standing:
    """The history as the champion knows its level, and the change of level that is over, if there is one."""

    history: Grid
    ended: Ended | None = None


def standing(history: Grid, shifts: Sequence[Shift], seasonality: Sequence[int]) -> Standing:
    """The history beside these changes of level, the newest of which may have ended."""
    as_it_is = Standing(history)
    if not shifts or not history.timeline.frequency.is_within_day:
        return as_it_is
    newest = shifts[-1]
    since = index_of(history, newest)
    day = Cycles(history.timeline).days(1)
    season = max(seasonality)
    if since < season or len(history) - since < day or len(history) - since > LONGEST_EPISODE * day:
        return as_it_is
    back = _back_at_the_old_level(history.values, newest, since, season, day)
    if back == len(history):
        return as_it_is
    seen_at = history.timeline.start_of(history.first + back + BELIEVED * day)
    values = history.values.copy()
    values[back:] = values[back:] * newest.factor + newest.offset
    return Standing(replace(history, values=values), Ended(newest, seen_at))


def _back_at_the_old_level(values: Values, shift: Shift, since: int, season: int, day: int) -> int:
    """The position from which on all days are at the old level; the end where the newest day is not."""
    before = values[:since]
    restated = before * shift.factor + shift.offset
    back = len(values)
    while back - day >= since:
        start = back - day
        newest = values[start:back]
        if np.isnan(newest).mean() > BACK:
            break
        from_old = abs(beside(newest, before, season, offset=start))
        from_new = abs(beside(newest, restated, season, offset=start))
        if not from_old < BACK * from_new:
            break
        back = start
    return back

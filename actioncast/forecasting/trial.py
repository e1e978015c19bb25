"""A trial of a champion: it is loaded and forecasts a day."""

from __future__ import annotations

from pathlib import Path

from actioncast.arrays import np
from actioncast.forecasting import features, forecaster
from actioncast.forecasting.card import Card
from actioncast.forecasting.champion import load_champion
from actioncast.periods.grid import Grid, to_grid
from actioncast.times import HOUR, HOURS_PER_DAY


def try_champion(directory: Path) -> Card:
    """The card of a champion that can serve. Raises ActioncastError when it cannot."""
    champion = load_champion(directory)
    history = _made_up_history(champion.forecaster.reach + features.FILL_PERIODS)
    forecaster.forecast(champion.forecaster, history, HOURS_PER_DAY)
    return champion.card


def _made_up_history(count: int) -> Grid:
    """So many hours of a daily wave."""
    hours = np.arange(count, dtype=np.int64)
    values = 1000 + 100 * np.sin(hours * 2 * np.pi / HOURS_PER_DAY)
    return to_grid(hours * HOUR, values)

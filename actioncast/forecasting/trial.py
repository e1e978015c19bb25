"""A trial of a champion: it is loaded and forecasts a day."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from actioncast.arrays import np
from actioncast.forecasting import features, forecaster
from actioncast.forecasting.card import Card
from actioncast.forecasting.champion import load_champion
from actioncast.periods.axis import Cycles
from actioncast.periods.grid import Grid, to_grid
from actioncast.periods.timeline import Timeline

LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)
WAVE = 24  # periods


def try_champion(directory: Path) -> Card:
    """The card of a champion that can serve. Raises ActioncastError when it cannot."""
    champion = load_champion(directory)
    fitted = champion.forecaster
    timeline = fitted.timeline
    count = fitted.reach + features.fill_periods(timeline, fitted.seasonality)
    history = _made_up_history(timeline, count)
    forecaster.forecast(fitted, history, Cycles(timeline).days(1))
    return champion.card


def _made_up_history(timeline: Timeline, count: int) -> Grid:
    """So many periods of a wave."""
    numbers = timeline.number_of(LONG_AGO) + np.arange(count, dtype=np.int64)
    values = 1000 + 100 * np.sin(numbers * 2 * np.pi / WAVE)
    return to_grid(timeline.starts(numbers), values, timeline)

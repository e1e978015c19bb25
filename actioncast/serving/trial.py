"""A trial of a champion: it is loaded and forecasts a day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actioncast.arrays import np
from actioncast.forecasting import features, forecaster
from actioncast.forecasting.card import Card
from actioncast.forecasting.champion import load_champion
from actioncast.periods.axis import Cycles
from actioncast.periods.grid import Grid, to_grid
from actioncast.periods.timeline import Timeline

WAVE = 24  # periods


def try_champion(directory: Path) -> Card:
    """The card of a champion that can serve. Raises ActioncastError when it cannot."""
    champion = load_champion(directory)
    fitted = champion.forecaster
    timeline = replace(fitted.timeline, wall=False)
    last = timeline.number_of(champion.card.window_end)
    count = fitted.reach + features.fill_periods(timeline, fitted.seasonality)
    if fitted.since is not None:
        count = max(count, last - fitted.since + 1)
    horizon = Cycles(timeline).days(1)
    columns = {name: np.zeros(count + horizon) for name in fitted.columns}
    history = replace(_made_up_history(timeline, last, count), exogenous=columns)
    forecaster.forecast(fitted, history, horizon)
    return champion.card


def _made_up_history(timeline: Timeline, last: int, count: int) -> Grid:
    """So many periods of a wave, up to the period of this number."""
    numbers = np.arange(last - count + 1, last + 1, dtype=np.int64)
    values = 1000 + 100 * np.sin(numbers * 2 * np.pi / WAVE)
    return to_grid(timeline.starts(numbers), values, timeline)

"""The history in the three states that a training needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from actioncast.training.clean import clean
from tests.support.series import SEASONS, grid, seasonal, with_gaps

CHANGED = 600  # index of the first hour at a new level
SPIKE = 400  # index of an hour unlike all others


def test_an_ordinary_history_is_left_as_it_is() -> None:
    history = grid(with_gaps(seasonal(900)))
    series = clean(history, SEASONS)
    assert series.shifts == ()
    assert series.settled == 0
    for state in (series.at_newest_level, series.without_spikes):
        np.testing.assert_array_equal(state.values, history.values)
    assert len(series) == 900
    assert series.stored_periods == np.count_nonzero(~np.isnan(history.values))


def test_a_history_is_restated_first_and_its_spikes_go_after_that() -> None:
    values = seasonal(900)
    values[CHANGED:] *= 2
    values[SPIKE] *= 40
    series = clean(grid(values), SEASONS)
    (shift,) = series.shifts
    assert series.settled == CHANGED
    assert series.at_newest_level.values[SPIKE] == values[SPIKE] * shift.factor
    assert np.flatnonzero(np.isnan(series.without_spikes.values)) == [SPIKE]
    np.testing.assert_array_equal(series.history.values, values)


def test_every_state_keeps_the_columns() -> None:
    column = np.ones(924)
    series = clean(replace(grid(seasonal(900)), exogenous={"price": column}), SEASONS)
    for state in (series.history, series.at_newest_level, series.without_spikes):
        assert state.exogenous == {"price": column}


def test_a_negative_spike_makes_a_series_negative() -> None:
    values = seasonal(900)
    assert clean(grid(values), SEASONS).nonnegative
    values[SPIKE] = -1e4
    assert not clean(grid(values), SEASONS).nonnegative

"""An hour that is unlike all others is neither learned from nor carried on; a new level is."""

from __future__ import annotations

import numpy as np
import pytest

from actioncast.forecasting import forecaster, outliers, recipes
from actioncast.periods.timeline import UTC_HOURS
from actioncast.training.backtest import backtest
from actioncast.training.challenger import fit_challenger
from actioncast.training.clean import clean
from actioncast.training.leaderboard import rank_candidates
from tests.support.series import SEASONS, grid, recorded, seasonal, with_gaps
from tests.support.training import LINEAR, ignore

AT = 700  # index of the hour that is unlike all others


def missing(values: np.ndarray) -> list[int]:
    cleaned = outliers.without(values, SEASONS, outliers.limit(values, SEASONS, UTC_HOURS), 3)
    return [int(i) for i in np.flatnonzero(np.isnan(cleaned) & ~np.isnan(values))]


@pytest.mark.parametrize("hours", [1, 3])
@pytest.mark.parametrize("ago", [0, 1, 100])
@pytest.mark.parametrize("factor", [1000, 8, -5])
def test_a_few_hours_unlike_all_others_count_as_missing(hours: int, ago: int, factor: float) -> None:
    values = seasonal(AT + hours + ago)
    values[AT : AT + hours] *= factor
    assert missing(values) == list(range(AT, AT + hours))


def test_what_lasts_is_no_spike() -> None:
    values = seasonal(AT + 4)
    values[AT:] *= 8
    assert missing(values) == []


def test_the_recording_and_a_series_with_gaps_have_none() -> None:
    assert missing(recorded().values) == []
    assert missing(with_gaps(seasonal(900))) == []


@pytest.mark.parametrize("values", [np.zeros(0), np.ones(100), np.full(400, np.nan), np.ones(600)])
def test_a_short_constant_or_unknown_series_has_no_limit(values: np.ndarray) -> None:
    assert outliers.limit(values, SEASONS, UTC_HOURS) == float("inf")
    assert missing(values) == []


@pytest.mark.parametrize("ago", [0, 5, 170])
def test_a_broken_reading_does_not_move_the_forecast(ago: int) -> None:
    ordinary = seasonal(900)
    broken = ordinary.copy()
    broken[-1 - ago] = 1e6

    def forecast(values: np.ndarray) -> forecaster.Forecast:
        pool = recipes.recipe_pool(SEASONS, LINEAR, 1, periods=len(values))[:6]
        test = backtest(clean(grid(values), SEASONS), pool, horizon=24, longest=24 * 10, watch=ignore)
        winner = rank_candidates(test, LINEAR)[0]
        model = fit_challenger(winner, test, coverage=0.8)
        return forecaster.forecast(model, grid(values), 24)

    expected = forecast(ordinary).prediction
    assert np.abs(forecast(broken).prediction - expected).max() < 0.1 * expected.mean()

from __future__ import annotations

import numpy as np
import pytest

from actioncast.forecasting import forecaster
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.timeline import UTC_HOURS
from actioncast.training import gate
from tests.support.series import SEASONS, seasonal
from tests.support.training import DAY, DAY_NAIVE, backtested, by_hand, candidate
from utils import Predictors


def challenge(new: float, old: float | None, margin: float = 0.05, newest_periods: int = 48) -> gate.Gate:
    """Challenger and champion with these errors on the newest 48 of 148 hours, huge ones before."""
    origins = range(60, 148, 4)
    actual = np.zeros((len(origins), 1))
    huge = np.where(np.array(origins)[:, None] < 100, 1e6, 0.0)
    test = by_hand(actual[None], actual, pool=(DAY,), origins=origins, hours=148)
    challenger = candidate("new", new, np.full_like(actual, new) + huge)
    champion = None if old is None else np.full_like(actual, old)
    return gate.decide(challenger, champion, test, newest_periods=newest_periods, margin=margin)


def champion_of(member: FittedRecipe) -> Forecaster:
    spread = Spread(np.ones(1), np.ones(24), 1, 0, np.zeros(201), 20)
    return Forecaster((member,), np.ones(1), spread, 0.8, SEASONS)


@pytest.mark.parametrize(("new", "promoted"), [(94.9, True), (95.1, False), (100.0, False)])
def test_the_challenger_needs_the_margin(new: float, promoted: bool) -> None:
    verdict = challenge(new, 100)
    assert verdict.promoted == promoted
    assert verdict.challenger_mae == pytest.approx(new)
    assert (verdict.champion_mae, verdict.scored) == (100, 12)
    assert verdict.serving_mae == (verdict.challenger_mae if promoted else 100)


def test_a_tie_at_zero_error_keeps_the_champion() -> None:
    assert not challenge(0, 0, margin=0).promoted


def test_without_a_champion_the_challenger_is_promoted() -> None:
    verdict = challenge(100, None)
    assert verdict.promoted
    assert verdict.champion_mae is None
    assert "no champion" in verdict.reason


def test_hours_before_the_newest_do_not_count() -> None:
    assert challenge(1, 100, newest_periods=48).promoted
    assert not challenge(1, 100, newest_periods=88).promoted


def test_a_history_shorter_than_the_gates_hours_is_compared_whole() -> None:
    verdict = challenge(1, 100, newest_periods=168)
    assert verdict.scored == 22
    assert "on the newest 148 h" in verdict.reason


def test_the_stored_champion_forecasts_as_it_is() -> None:
    values = seasonal(400)
    test = backtested(values, [DAY_NAIVE])
    member = forecaster.fit(values, DAY_NAIVE, axis=Axis(UTC_HOURS, 0), seasonality=SEASONS)
    np.testing.assert_array_equal(gate.stored_forecasts(champion_of(member), test), test.forecasts[0])


def test_a_champion_that_reaches_back_too_far_cannot_be_compared() -> None:
    test = backtested(seasonal(400), [DAY_NAIVE])
    deep = FittedRecipe(Recipe("deep", "seasonal_naive", Predictors((390,))), filter=np.eye(390)[-1])
    assert gate.stored_forecasts(champion_of(deep), test) is None

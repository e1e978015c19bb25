"""The blend, and the order of the leaderboard and of its challengers."""

from __future__ import annotations

import numpy as np
import pytest

from actioncast.forecasting.recipes import Recipe
from actioncast.training.leaderboard import blend_errors, blend_weights, challengers, rank_candidates
from tests.support.series import seasonal
from tests.support.training import LINEAR, WEEK_NAIVE, by_hand, candidate, trained
from utils import Predictors


def test_weights_are_the_inverse_error_to_the_sixth_power_without_crumbs() -> None:
    np.testing.assert_allclose(blend_weights(np.array([1.0, 2, 10])), [64 / 65, 1 / 65, 0], rtol=1e-6)
    np.testing.assert_array_equal(blend_weights(np.zeros(2)), [0.5, 0.5])
    assert blend_weights(np.ones(200)).sum() == pytest.approx(1)


def test_a_blend_is_judged_with_weights_that_never_saw_the_hours_it_is_judged_on() -> None:
    """Each recipe is right on one half only: weights from the other half pick the wrong one."""
    right = np.full((2, 1), 100.0)
    wrong = np.full((2, 1), 300.0)
    forecasts = [np.vstack([right, wrong]), np.vstack([wrong, right])]
    test = by_hand(forecasts, np.full((4, 1), 100.0))
    board = {row.name: row for row in rank_candidates(test, LINEAR)}
    assert board["blend"].mae > 90
    np.testing.assert_allclose(board["blend"].weights, [0.5, 0.5])


def test_quiet_hours_weigh_as_much_as_busy_ones_where_nothing_is_negative() -> None:
    quiet_is_right = [[10.0, 1100.0]]
    busy_is_right = [[20.0, 1001.0]]
    forecasts = np.array([quiet_is_right, busy_is_right])
    actual = np.array([[10.0, 1000.0]])
    relative = blend_errors(forecasts, actual, nonnegative=True)
    absolute = blend_errors(forecasts, actual, nonnegative=False)
    assert relative[0] < relative[1]
    assert absolute[0] > absolute[1]


def test_trees_are_not_blended() -> None:
    trees = Recipe("lightgbm", "lightgbm", Predictors((1,)))
    test = by_hand(np.full((2, 4, 1), 100.0), np.full((4, 1), 100.0), pool=(WEEK_NAIVE, trees))
    board = rank_candidates(test, ["blend", "lightgbm"])
    assert next(row for row in board if row.name == "blend").weights[1] == 0


def test_the_seasonal_naive_is_on_every_leaderboard() -> None:
    test = by_hand(np.full((2, 4, 1), 100.0), np.full((4, 1), 90.0))
    board = rank_candidates(test, ["lightgbm"])
    assert [row.name for row in board] == ["seasonal_naive_168"]


def test_the_best_stands_first() -> None:
    _, board = trained(seasonal(500))
    assert [row.mae for row in board] == sorted(row.mae for row in board)


def test_a_single_candidate_must_beat_the_blend_clearly() -> None:
    blend = candidate("blend", 100)
    naive = candidate("seasonal_naive_168", 200)
    assert challengers([candidate("lucky", 70), blend, naive])[0].name == "blend"
    assert challengers([candidate("good", 66), blend, naive])[0].name == "good"


def test_a_naive_must_beat_the_blend_by_more_than_noise() -> None:
    blend = candidate("blend", 100)
    assert challengers([candidate("seasonal_naive_24", 70), blend])[0].name == "blend"
    assert challengers([candidate("seasonal_naive_24", 66), blend])[0].name == "seasonal_naive_24"


def test_nothing_that_loses_to_a_seasonal_naive_may_challenge() -> None:
    board = [
        candidate("seasonal_naive_24", 60),
        candidate("blend", 101),
        candidate("ridge", 61),
        candidate("seasonal_naive_168", 120),
    ]
    assert [row.name for row in challengers(board)] == ["seasonal_naive_24"]

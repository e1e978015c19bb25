from __future__ import annotations

import numpy as np
import pytest

from actioncast.training import metrics

NAN = float("nan")


def test_every_lead_counts_the_same() -> None:
    forecasts = np.zeros((3, 2))
    actual = np.array([[1, 4], [1, NAN], [1, NAN]])
    np.testing.assert_array_equal(metrics.mae_by_lead(forecasts, actual), [1, 4])
    assert metrics.mae(forecasts, actual) == 2.5


def test_a_lead_that_was_never_observed_has_no_error() -> None:
    assert np.isnan(metrics.mae_by_lead(np.zeros((1, 2)), np.array([[1, NAN]]))[1])


def test_the_scale_is_the_change_over_the_longest_season_held_twice() -> None:
    values = np.array([0.0, 1, 10, 13, 20, NAN])
    assert metrics.seasonal_scale(values, (2, 4)) == pytest.approx((10 + 12 + 10) / 3)
    assert metrics.seasonal_scale(np.array([5.0, NAN, 5]), (24,)) == 0

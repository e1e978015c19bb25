from __future__ import annotations

import numpy as np
import pytest

from actioncast.ingestion.health import profile
from tests.support.series import seasonal

DAY = 24
WEEK = 168
LIE = 28 * DAY


def busy(hours: int, *, seed: int = 0) -> np.ndarray:
    """Days with a steep morning and evening, and noise."""
    hour = np.arange(hours)
    shape = np.sin(2 * np.pi * hour / DAY) + np.sin(4 * np.pi * hour / DAY) + np.sin(6 * np.pi * hour / DAY)
    return 100 + 20 * shape + np.random.default_rng(seed).normal(0, 1, hours)


@pytest.mark.parametrize(("direction", "word"), [(1, "late"), (-1, "early")])
def test_a_day_that_comes_one_hour_late_or_early_is_named_within_24_hours(direction: int, word: str) -> None:
    values = busy(LIE + DAY + 1)
    shifted = values[: LIE + DAY].copy()
    shifted[LIE:] = values[LIE - direction : LIE + DAY - direction]
    (suspicion,) = profile.shifts(shifted, LIE)
    assert suspicion.evidence.endswith(f"one hour {word}")
    assert suspicion.first <= LIE <= suspicion.last


def test_ordinary_days_are_not_shifted() -> None:
    for seed in range(5):
        assert profile.shifts(busy(LIE + WEEK, seed=seed), LIE) == []


def test_a_series_without_a_profile_shows_no_shift() -> None:
    assert profile.shifts(np.full(LIE + DAY, 5.0), LIE) == []


def test_a_gentle_day_drowned_in_noise_shows_no_shift() -> None:
    values = seasonal(LIE + DAY, noise=8)
    values[LIE:] = values[LIE - 1 : -1]
    assert profile.shifts(values, LIE) == []


def test_hours_that_are_missing_show_no_shift() -> None:
    values = busy(LIE + DAY)
    values[LIE - 40 :: 3] = np.nan
    assert profile.shifts(values, LIE) == []


def test_a_week_of_another_shape_is_named() -> None:
    values = seasonal(6 * WEEK, noise=1)
    values[-WEEK:] = 200 - values[-WEEK:]
    (suspicion,) = profile.shapes(values, 5 * WEEK)
    assert (suspicion.first, suspicion.last) == (5 * WEEK, 6 * WEEK - 1)


def test_a_week_at_another_level_has_the_same_shape() -> None:
    values = seasonal(6 * WEEK, noise=1)
    values[-WEEK:] *= 3
    assert profile.shapes(values, 5 * WEEK) == []

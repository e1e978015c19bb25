from __future__ import annotations

import numpy as np
import pytest

from actioncast.ingestion.health import values as health
from tests.support.series import seasonal

DAY = 24
LIE = 28 * DAY  # the hour from which on the source lies


def lying(lie: np.ndarray) -> np.ndarray:
    """Four clean weeks, then these hours."""
    return np.append(seasonal(LIE), lie)


def test_zeros_in_a_series_that_is_never_zero_are_named_after_three_hours() -> None:
    (suspicion,) = health.zeros(lying(np.zeros(3)), LIE)
    assert (suspicion.first, suspicion.last) == (LIE, LIE + 2)
    assert "3 hours are exactly 0" in suspicion.evidence


def test_zeros_of_a_series_that_has_some_are_its_own() -> None:
    values = lying(np.zeros(10))
    values[100] = 0
    assert health.zeros(values, LIE) == []


def test_an_hour_that_is_missing_between_zeros_does_not_hide_them() -> None:
    (suspicion,) = health.zeros(lying(np.array([0, 0, np.nan, 0, np.nan, 90])), LIE)
    assert (suspicion.first, suspicion.last) == (LIE, LIE + 3)
    assert suspicion.evidence.startswith("3 hours are exactly 0")


def test_a_second_outage_is_named_as_the_first_was() -> None:
    values = np.concatenate([seasonal(LIE), np.zeros(5), seasonal(DAY), np.zeros(5)])
    assert len(health.zeros(values, LIE)) == 2


def test_one_value_for_hours_is_named_with_the_value() -> None:
    (suspicion,) = health.stuck(lying(np.full(8, 104.5)), LIE)
    assert (suspicion.first, suspicion.last) == (LIE, LIE + 7)
    assert "all 104.5" in suspicion.evidence


def test_nights_without_sun_are_not_stuck() -> None:
    sun = np.maximum(np.tile(np.sin(2 * np.pi * np.arange(DAY) / DAY), 40), 0)
    sun = sun * seasonal(len(sun))
    sun[-15:] = 0  # a dark day makes a longer night
    assert health.stuck(sun, 30 * DAY) == []


def test_a_short_history_shows_nothing_unusual() -> None:
    assert health.stuck(np.full(100, 3.0), 0) == []
    assert health.zeros(np.append(seasonal(100), np.zeros(9)), 0) == []


@pytest.mark.parametrize(("factor", "name"), [(1000, "x 1000"), (0.001, "x 0.001"), (60, "x 60"), (1 / 60, "x 1/60")])
def test_another_unit_is_named_within_six_hours(factor: float, name: str) -> None:
    values = seasonal(LIE + 6)
    values[LIE:] *= factor
    (suspicion,) = health.units(values, LIE)
    assert (suspicion.first, suspicion.last) == (LIE, LIE + 5)
    assert f"6 hours are {name} " in suspicion.evidence


def test_a_small_factor_is_named_within_a_day() -> None:
    values = seasonal(LIE + DAY)
    values[LIE:] *= 3.6
    (suspicion,) = health.units(values, LIE)
    assert "x 3.6 " in suspicion.evidence


def test_a_level_that_doubles_is_no_unit() -> None:
    values = seasonal(LIE + 2 * DAY)
    values[LIE:] *= 2
    assert health.units(values, LIE) == []


def test_a_spike_is_no_unit() -> None:
    values = seasonal(LIE + DAY)
    values[LIE : LIE + 2] *= 1000
    assert health.units(values, LIE) == []


def test_a_series_around_zero_has_no_unit_to_judge() -> None:
    values = seasonal(LIE + DAY, level=0)
    assert health.units(values, LIE) == []

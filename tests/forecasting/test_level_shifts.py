"""A level that changes for good is seen soon and in its hour; what only looks like it is left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from actioncast.forecasting import exogenous, forecaster, level_shifts, recipes
from actioncast.forecasting.level_shifts import Shift
from actioncast.periods.grid import Grid
from actioncast.training.backtest import Backtest
from actioncast.training.challenger import fit_challenger
from actioncast.training.gate import decide, stored_forecasts
from actioncast.training.leaderboard import Candidate, challengers, rank_candidates
from tests.support.series import SEASONS, START, grid, recorded, seasonal, with_gaps
from tests.support.training import LINEAR, backtested

CHANGED = 620  # index of the first hour at the new level


def changes(values: NDArray[np.float64], *, gated: bool = True) -> list[tuple[int, float, float]]:
    """(index, factor, offset) of each change of level."""
    history = grid(values)
    shifts = level_shifts.find(history, SEASONS, gated=gated)
    return [(level_shifts.index_of(history, shift), shift.factor, shift.offset) for shift in shifts]


@pytest.mark.parametrize("factor", [2.0, 0.5])
@pytest.mark.parametrize("age", [5, 12, 60, 300])
def test_a_doubled_or_halved_level_is_found_in_its_hour_whatever_its_age(factor: float, age: int) -> None:
    values = recorded().values[: CHANGED + age].copy()
    values[CHANGED:] *= factor
    ((index, size, offset),) = changes(values)
    assert index == CHANGED
    assert size == pytest.approx(factor, rel=0.12)
    assert offset == 0.0


def test_without_a_champion_that_stands_against_it_even_a_large_change_must_last() -> None:
    values = seasonal(900)
    values[CHANGED:] *= 2
    assert changes(values[: CHANGED + 24], gated=False) == []
    assert len(changes(values[: CHANGED + 36], gated=False)) == 1


def test_a_smaller_change_is_believed_when_it_has_lasted_longer_than_a_holiday() -> None:
    values = seasonal(900)
    values[CHANGED:] *= 1.4
    assert changes(values[: CHANGED + 24]) == []
    ((index, size, _),) = changes(values[: CHANGED + 36])
    assert index == CHANGED
    assert size == pytest.approx(1.4, rel=0.05)


def test_a_series_with_negative_values_changes_by_an_offset() -> None:
    values = seasonal(CHANGED + 10, level=0.0)
    values[CHANGED:] += 90
    ((index, factor, offset),) = changes(values)
    assert (index, factor) == (CHANGED, 1.0)
    assert offset == pytest.approx(90, rel=0.1)


def test_two_changes_are_both_found() -> None:
    values = seasonal(1000)
    values[600:] *= 2
    values[900:] *= 0.4
    (first, doubled, _), (second, less, _) = changes(values)
    assert (first, second) == (600, 900)
    assert doubled == pytest.approx(2, rel=0.1)
    assert less == pytest.approx(0.4, rel=0.2)  # the seasons before it are of two levels


def test_missing_hours_hide_no_change() -> None:
    values = with_gaps(seasonal(900))
    values[CHANGED:] *= 2
    assert [index for index, _, _ in changes(values[: CHANGED + 20])] == [CHANGED]


def drifting(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values * np.linspace(1, 2, len(values))


def with_spikes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values[::90] *= 5
    return values


def with_a_holiday(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values[-24:] *= 0.7
    return values


def with_a_dead_sensor(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values[-12:] /= 1000
    return values


@pytest.mark.parametrize("change", [lambda values: values, drifting, with_spikes, with_a_holiday, with_a_dead_sensor])
def test_what_is_no_change_of_level_is_left_alone(change: object) -> None:
    assert callable(change)
    assert changes(change(seasonal(900))) == []


def test_the_recording_has_no_change_at_any_moment() -> None:
    values = recorded().values
    assert [hours for hours in range(520, len(values), 12) if changes(values[:hours])] == []


@pytest.mark.parametrize("hours", [0, 1, 24, 167, 400])
def test_a_short_or_constant_or_unknown_series_has_none(hours: int) -> None:
    assert changes(seasonal(hours)) == []
    assert changes(np.full(hours, 7.0)) == []
    assert changes(np.full(hours, np.nan)) == []


def test_restated_hours_end_where_the_new_level_begins() -> None:
    history = grid(np.array([1.0, 2.0, np.nan, 8.0]))
    shift = Shift(START + timedelta(hours=3), 4.0, 0.0)
    np.testing.assert_array_equal(level_shifts.restate(history, [shift]).values, [4.0, 8.0, np.nan, 8.0])
    np.testing.assert_array_equal(history.values, [1.0, 2.0, np.nan, 8.0])
    before_all = Shift(START - timedelta(hours=3), 4.0, 0.0)
    np.testing.assert_array_equal(level_shifts.restate(history, [before_all]).values, history.values)


def test_an_offset_does_not_push_a_series_below_zero() -> None:
    history = grid(np.array([0.0, 9.0, 2.0]))
    restated = level_shifts.restate(history, [Shift(START + timedelta(hours=2), 1.0, -5.0)])
    np.testing.assert_array_equal(restated.values, [0.0, 4.0, 2.0])


def test_six_hours_after_a_doubling_the_new_champion_replaces_the_old_and_forecasts_the_new_level() -> None:
    values = recorded().values[: CHANGED + 6 + 48].copy()
    values[CHANGED:] *= 2
    before, now, after = grid(values[: CHANGED - 24]), grid(values[: CHANGED + 6]), values[CHANGED + 6 :]
    pool = recipes.recipe_pool(SEASONS, LINEAR, 1, periods=len(before))

    def train(history: Grid) -> tuple[Backtest, Candidate, forecaster.Forecaster]:
        test = backtested(history.values, pool, horizon=48, gated=True)
        best = challengers(rank_candidates(test, LINEAR))[0]
        return test, best, fit_challenger(best, test, coverage=0.8)

    _, _, champion = train(before)
    test, best, challenger = train(now)
    gate = decide(best, stored_forecasts(champion, test), test, newest_periods=168, margin=0.01)
    assert gate.promoted
    assert "the level changed at" in gate.reason
    assert "on the newest 6 h" in gate.reason
    old, new = (
        float(np.mean(np.abs(forecaster.forecast(f, now, 48).prediction - after))) for f in (champion, challenger)
    )
    assert new < 0.25 * old


# Christmas ----------------------------------------------------------------------------------------

YEARS_BEGIN = datetime(2021, 1, 4, tzinfo=UTC)


def with_christmas(until: datetime, *, low: float = 0.6) -> Grid:
    """Two years of hours until a moment, of which 22 December to 2 January are low."""
    hours = int((until - YEARS_BEGIN) / timedelta(hours=1))
    moments = [YEARS_BEGIN + timedelta(hours=hour) for hour in range(hours)]
    is_low = np.array([(m.month, m.day) >= (12, 22) or (m.month, m.day) <= (1, 2) for m in moments])
    values = seasonal(hours, noise=3)
    return Grid(YEARS_BEGIN, np.where(is_low, low * values, values))


def with_holidays(history: Grid) -> Grid:
    days = [
        date(year, month, day) for year in (2021, 2022, 2023) for month, day in ((1, 1), (1, 6), (12, 25), (12, 26))
    ]
    return exogenous.attach_holidays(history, days, "UTC", 168, until=date(2030, 1, 1))


@pytest.mark.parametrize("day", range(24, 50))
@pytest.mark.parametrize("gated", [False, True])
def test_christmas_is_no_level_where_holidays_are_known(day: int, *, gated: bool) -> None:
    """From 24 December of the first year to the middle of January: no year before can tell."""
    history = with_christmas(datetime(2021, 12, 1, 9, tzinfo=UTC) + timedelta(days=day - 1))
    assert level_shifts.find(with_holidays(history), (24, 168), gated=gated) == ()


@pytest.mark.parametrize("day", range(24, 50))
def test_christmas_is_no_level_where_the_year_before_had_it_too(day: int) -> None:
    history = with_christmas(datetime(2022, 12, 1, 9, tzinfo=UTC) + timedelta(days=day - 1))
    assert level_shifts.find(history, (24, 168), gated=True) == ()


def test_a_change_at_christmas_that_stays_is_believed_in_january() -> None:
    history = with_christmas(datetime(2022, 1, 14, tzinfo=UTC))
    at = int((datetime(2021, 12, 22, tzinfo=UTC) - YEARS_BEGIN) / timedelta(hours=1))
    values = history.values.copy()
    values[at:] = 0.5 * seasonal(len(values), noise=3)[at:]
    (shift,) = level_shifts.find(with_holidays(Grid(YEARS_BEGIN, values)), (24, 168))
    assert shift.factor == pytest.approx(0.5, abs=0.05)

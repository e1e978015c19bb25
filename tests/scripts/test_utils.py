from __future__ import annotations

import pytest

from utils import create_predictors

SHIPPED = ("day", "two_days", "week", "day_calendar", "two_days_calendar", "few_calendar", "trees", "tutorial")


def test_a_day_and_a_week_are_remembered() -> None:
    sets = create_predictors((24, 168))
    assert sets["day"].lags == (*range(1, 25), 168)
    assert sets["two_days"].lags == (*range(1, 49), *range(144, 170))
    assert sets["tutorial"].lags == tuple(range(1, 11))
    assert sets["tutorial"].windows == (20,)


@pytest.mark.parametrize("seasonality", [(2,), (24,), (12, 84), (24, 168), (24, 168, 8760)])
def test_every_set_has_ascending_lags_from_the_hour_before_on(seasonality: tuple[int, ...]) -> None:
    sets = create_predictors(seasonality)
    for predictors in (sets[name] for name in SHIPPED):
        assert predictors.lags[0] == 1
        assert list(predictors.lags) == sorted(set(predictors.lags))
        assert all(size > 0 for size in predictors.windows)


def test_a_yearly_season_does_not_ask_for_every_day_of_the_year() -> None:
    sets = create_predictors((24, 8760))
    assert all(len(sets[name].lags) < 200 for name in SHIPPED)

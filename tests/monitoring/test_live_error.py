"""The live score on rows made by hand."""

from __future__ import annotations

import json
import math

import pytest

from actioncast.monitoring.live_error import LiveScore, live_score, newest_window, of_champion, window_start, without
from actioncast.periods.timeline import UTC_HOURS
from actioncast.times import floor_hour
from tests.support.performance import NOW, ago, champion_card, row, score


def test_each_lead_is_compared_with_its_own_backtest_error() -> None:
    assert live_score([row(lead=1), row(lead=3)], [1.0, 2.0, 9.0]).reference_mae == 5.0


def test_a_lead_beyond_the_backtest_counts_as_its_last() -> None:
    assert live_score([row(lead=50)], [1.0, 2.0]).reference_mae == 2.0


def test_without_a_backtest_there_is_no_reference() -> None:
    assert live_score([row()], []).reference_mae is None


def test_hours_without_reality_are_not_scored() -> None:
    live = live_score([row(3, error=4.0), row(2, reality=None, error=None, naive=None, covered=None)], [])
    assert (live.scored_periods, live.mae, live.newest_period) == (1, 4.0, ago(3))


def test_hours_that_are_set_aside_are_not_scored() -> None:
    rows = [row(171), row(4), row(3)]
    good_rows = without(rows, {ago(171), ago(4)})
    assert [each["prediction_date"] for each in good_rows] == [ago(3)]
    assert without(rows, set()) == rows


def test_nothing_scored_is_no_number() -> None:
    assert live_score([], [1.0]) == LiveScore(0, None, None, None, 0, None, None, None)


def test_the_naive_is_compared_on_the_hours_it_has() -> None:
    live = live_score([row(4, error=90.0, naive=None), row(3, error=10.0, naive=20.0)], [])
    assert (live.mae, live.naive_mae, live.mae_beside_naive, live.naive_periods) == (50.0, 20.0, 10.0, 1)


def test_coverage_is_the_share_of_hours_inside_the_interval() -> None:
    assert live_score([row(3, covered=True), row(2, covered=False)], []).coverage == 0.5


@pytest.mark.parametrize("error", [math.nan, math.inf])
def test_a_broken_stored_error_is_not_averaged_away(error: float) -> None:
    mae = live_score([row(3), row(2, error=error)], []).mae
    assert mae is not None
    assert not math.isfinite(mae)


def test_null_for_an_error_whose_reality_is_known_is_not_a_number() -> None:
    # SQLite says NULL for infinity - infinity.
    mae = live_score([row(3), row(2, reality=math.inf, error=None)], []).mae
    assert mae is not None
    assert math.isnan(mae)


def test_figures_never_hold_what_json_does_not_know() -> None:
    figures = score(math.nan, reference=math.inf, naive=None).figures()
    assert json.dumps(figures, allow_nan=False) == '{"mae": null, "reference_mae": null, "naive_mae": null}'


def test_the_window_is_measured_from_the_newest_scored_hour() -> None:
    rows = [row(75), row(74), row(50), row(27), row(26, reality=None)]
    assert newest_window(rows, 48, UTC_HOURS) == rows[1:4]


def test_an_outage_does_not_change_the_window() -> None:
    rows = [row(h) for h in (80, 75, 74, 60)]
    silent = [row(h, reality=None, error=None) for h in (50, 30, 2)]
    assert newest_window([*rows, *silent], 48, UTC_HOURS) == newest_window(rows, 48, UTC_HOURS)


def test_no_rows_no_window() -> None:
    assert newest_window([], 48, UTC_HOURS) == []


def test_only_the_champions_own_forecasts_are_scored() -> None:
    rows = [row(3, error=5.0, version="v2"), row(2, error=50.0, version="v1")]
    own = of_champion(rows, champion_card("v2", [7.0]), UTC_HOURS, window=48)
    assert (own.scored_periods, own.mae, own.reference_mae) == (1, 5.0, 7.0)


def test_without_a_card_the_forecasts_of_every_model_are_scored() -> None:
    rows = [row(3, error=5.0, version="v2"), row(2, error=15.0, version="v1")]
    everyone = of_champion(rows, None, UTC_HOURS, window=48)
    assert (everyone.scored_periods, everyone.mae, everyone.reference_mae) == (2, 10.0, None)


def test_the_oldest_hour_that_allows_a_verdict_still_has_its_whole_window() -> None:
    assert window_start(NOW, 48, UTC_HOURS) == floor_hour(ago(48 + 48))

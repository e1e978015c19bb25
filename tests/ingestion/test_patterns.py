from __future__ import annotations

import numpy as np
import pytest

from actioncast.ingestion import patterns
from actioncast.periods.points import Points, Rejection
from actioncast.times import HOUR, from_seconds, isoformat, to_seconds
from tests.support.clock import at

DAY = 24 * HOUR
T = to_seconds(at(0))  # a Friday
BELOW = "the value is below minimum_value = 0"


def daily_wave(days: int = 60) -> Points:
    """Hourly points from midnight on: lowest at midnight, highest at noon, never alike."""
    hours = np.arange(24 * days)
    values = 100 - 50 * np.cos(hours % 24 / 24 * 2 * np.pi) + hours / 1000
    return Points((T + HOUR * hours).astype(np.int64), values)


def unreadable(*texts: str, hours: list[float] | None = None) -> list[Rejection]:
    """A rejected value for each text, so many hours after midnight (one every 25 hours)."""
    hours = hours or [25.0 * number for number in range(len(texts))]
    return [rejected(hour, text=text) for hour, text in zip(hours, texts, strict=True)]


def rejected(hour: float, value: str = "x", reason: str = "no number", text: str = "") -> Rejection:
    seconds = T + int(hour * HOUR)
    return Rejection(isoformat(from_seconds(seconds)), text or value, reason, seconds, text)


def test_nothing_rejected_is_no_pattern() -> None:
    assert patterns.find([], daily_wave()) == ""
    assert patterns.find([], Points(np.zeros(0, dtype=np.int64), np.zeros(0))) == ""


# Forms of text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1,012.55", "1,020.76", "12,000.10"], "3 texts have the form '9,999.99', such as '1,012.55'"),
        (["1.01k", "1.2k", "3.4k", "off"], "3 texts have the form '9.99k', such as '1.01k'"),
        (["12 %"] * 4, "4 texts have the form '99 %'"),
        (["2024-03-01 24:00", "2024-03-02 24:00", "2024-03-03 24:00"], "the form '9999-99-99 99:99'"),
    ],
)
def test_three_texts_of_one_form_are_a_pattern(texts: list[str], expected: str) -> None:
    assert expected in patterns.find(unreadable(*texts), daily_wave())


@pytest.mark.parametrize(
    "texts",
    [["1,012.55", "1,020.76"], ["1,012.55", "12 %", "0x1F"], ["unavailable", "unavailable", "unknown"]],
)
def test_two_of_a_form_or_words_now_and_then_are_none(texts: list[str]) -> None:
    assert patterns.find(unreadable(*texts), daily_wave()) == ""


# Times ------------------------------------------------------------------------------------------------------------


def test_words_at_one_hour_of_the_day_are_a_pattern_after_three_days() -> None:
    restarts = unreadable("unavailable", "unavailable", "unknown", hours=[3.1, 24 + 3.5, 72 + 3])
    assert patterns.find(restarts, daily_wave()) == (
        "all 3 points whose text cannot be read lie between 03:00 and 04:00 UTC, on 3 days"
    )
    assert patterns.find(restarts[:2], daily_wave()) == ""


def test_implausible_values_at_one_hour_of_the_day_need_five_days() -> None:
    spikes = [rejected(24 * day + 3, "inf", "the value is not finite") for day in range(5)]
    assert "all 5 points with the reason 'the value is not finite' lie between 03:00 and" in patterns.find(
        spikes, daily_wave()
    )
    assert patterns.find(spikes[:4], daily_wave()) == ""


def test_a_stray_point_beside_does_not_hide_a_pattern() -> None:
    restarts = [rejected(24 * day + 3, text="off") for day in range(10)]
    assert patterns.find([*restarts, rejected(100.5, text="off")], daily_wave()).startswith(
        "10 of 11 points whose text cannot be read lie between 03:00 and 04:00 UTC, on 10 days"
    )
    assert patterns.find([*restarts, *unreadable("a", "b", hours=[100.5, 110.5])], daily_wave()) == ""


def test_an_outage_of_one_day_is_no_pattern() -> None:
    outage = [rejected(12 + minute / 60, "inf", "the value is not finite") for minute in range(60)]
    assert patterns.find(outage, daily_wave()) == ""


def test_a_series_that_lives_in_one_hour_has_its_bad_points_there_too() -> None:
    points = daily_wave()
    once_a_day = points.where(points.times % DAY == 3 * HOUR)
    spikes = [rejected(24 * day + 3, "inf", "the value is not finite") for day in range(9)]
    assert patterns.find(spikes, once_a_day) == ""


def test_one_weekday_is_a_pattern_after_five_weeks() -> None:
    sundays = [rejected(24 * (7 * week + 2) + 5 * week, text="closed") for week in range(5)]
    assert patterns.find(sundays, daily_wave()) == (
        "all 5 points whose text cannot be read lie on a Sunday (UTC), in 5 weeks"
    )
    assert patterns.find(sundays[:4], daily_wave()) == ""


# Sides of the values ----------------------------------------------------------------------------------------------


def below(*values: float) -> list[Rejection]:
    return [rejected(25 * number + 5, f"{value:g}", BELOW) for number, value in enumerate(values)]


def test_values_that_go_on_below_the_minimum_are_a_pattern() -> None:
    points = daily_wave()
    assert patterns.find(below(-1, -2.5, -8, -3, -2), points) == (
        f"all 5 points with the reason '{BELOW}' are values from -8 to -1, which go on below the "
        "lowest good one, 50: are they right? Then lower minimum_value of the series, or take it out"
    )
    assert patterns.find(below(-1, -2.5, -8, -3), points) == "", "four values may be chance"


def test_a_sign_for_no_value_and_values_far_below_are_none() -> None:
    assert patterns.find(below(-1, -1, -1, -1, -1, -1), daily_wave()) == ""
    assert patterns.find(below(-9990, -9991, -9992, -9993, -9994, -9995), daily_wave()) == ""


@pytest.mark.parametrize(("hour", "side"), [(12, "highest"), (0, "lowest")])
def test_points_that_lie_beside_the_peaks_are_a_pattern(hour: int, side: str) -> None:
    beside = [24 * day + hour + day % 2 for day in range(1, 7)]
    points = daily_wave()
    points = points.where(~np.isin(points.times, T + HOUR * np.array(beside)))
    over = unreadable(*["over"] * 6, hours=[float(hour) for hour in beside])
    assert f"all 6 points whose text cannot be read lie beside the {side} values of their days" in patterns.find(
        over, points
    )
    assert patterns.find([*over, rejected(24 * 9 + 6, text="over")], points) == ""

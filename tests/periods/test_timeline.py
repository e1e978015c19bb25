"""Number of a period <-> its start, at every frequency, across the clock changes of many zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actioncast.periods.axis import Axis, Cycles
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.opening import parse_opening
from actioncast.periods.timeline import UTC_HOURS, Timeline, timeline_of
from actioncast.periods.words import Words

ZONES = [
    "UTC",
    "Europe/Madrid",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Sao_Paulo",  # midnight did not exist on some days
]
FREQUENCIES = ["5min", "15min", "30min", "1h", "6h", "1D", "1W-MON", "1MS", "1QS", "1YS"]
# Where hours follow the clocks through a change of half an hour, pandas goes on from the first day.
OTHERWISE_IN_PANDAS = {("1h", "Australia/Lord_Howe")}
PANDAS = {"1h": "h", "1D": "D", "1W-MON": "W-MON", "1MS": "MS", "1QS": "QS", "1YS": "YS"}


def timeline(frequency: str, zone: str = "UTC", opening: str = "") -> Timeline:
    return timeline_of(parse_frequency(frequency), zone, parse_opening(opening) if opening else None)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_each_moment_has_one_period_and_neighbours_differ_by_one(frequency: str, zone: str) -> None:
    line = timeline(frequency, zone)
    moments = np.arange(1_514_764_800, 1_735_689_600, 4_711 * 5)  # 2018 to 2024
    numbers = line.numbers(moments)
    starts, ends = line.starts(numbers), line.ends(numbers)
    assert (starts <= moments).all()
    assert (moments < ends).all()
    assert (line.numbers(starts) == numbers).all()
    assert (line.starts(numbers + 1) == ends).all()
    assert set(np.diff(np.unique(numbers))) <= set(range(1, 400))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_periods_are_those_of_pandas(frequency: str, zone: str) -> None:
    if (frequency, zone) in OTHERWISE_IN_PANDAS or frequency == "6h":
        return
    begin, end = pd.Timestamp("2023-01-01", tz=zone), pd.Timestamp("2025-02-01", tz=zone)
    step = "1min" if frequency.endswith("min") else "10min"
    if step == "1min":
        begin, end = pd.Timestamp("2024-03-01", tz=zone), pd.Timestamp("2024-04-20", tz=zone)
    index = pd.date_range(begin, end, freq=step, inclusive="left")
    rule = PANDAS.get(frequency, frequency)
    theirs: Any = pd.Series(1.0, index=index).resample(rule, label="left", closed="left").sum()
    line = timeline(frequency, zone)
    seconds = np.array([int(moment.timestamp()) for moment in index])
    numbers, counts = np.unique(line.numbers(seconds), return_counts=True)
    assert counts.tolist() == theirs[theirs > 0].astype(int).tolist()
    expected = theirs[theirs > 0].index.tz_convert("UTC")
    ours = pd.to_datetime(line.starts(numbers), unit="s", utc=True)
    assert ours[1:].tolist() == expected[1:].tolist()


def test_a_day_of_23_hours_is_one_day() -> None:
    days = timeline("1D", "Europe/Madrid")
    number = days.number_of(datetime(2024, 3, 31, 12, tzinfo=UTC))
    assert days.start_of(number) == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert days.end_of(number) == datetime(2024, 3, 31, 22, tzinfo=UTC)


def test_closed_periods_have_no_number() -> None:
    line = timeline("15min", "America/New_York", "Mon-Fri 07:00-21:00")
    friday = datetime(2024, 3, 8, 20, 45 + 0, tzinfo=UTC)
    last = line.number_of(datetime(2024, 3, 9, 1, 45, tzinfo=UTC))  # Friday 20:45 in New York
    assert friday < line.start_of(last) == datetime(2024, 3, 9, 1, 45, tzinfo=UTC)
    assert line.end_of(last) == datetime(2024, 3, 9, 2, tzinfo=UTC)
    assert line.start_of(last + 1) == datetime(2024, 3, 11, 11, tzinfo=UTC), "Monday, in summer time"
    assert line.is_open(np.array([int(friday.timestamp())])).all()
    assert Cycles(line).day == 56
    assert Cycles(line).week == 280


def test_a_closed_weekend_is_no_time() -> None:
    offices = timeline("15min", "America/New_York", "Mon-Fri 07:00-21:00")
    friday = datetime(2026, 10, 30, 20, 45, tzinfo=UTC)  # 16:45 there
    sunday = datetime(2026, 11, 1, 12, tzinfo=UTC)
    monday = datetime(2026, 11, 2, 12, 7, tzinfo=UTC)  # 07:07 there, now an hour farther from UTC
    assert offices.open_time(friday, sunday) == timedelta(hours=4, minutes=15)
    assert offices.open_time(sunday, monday) == timedelta(minutes=7)
    assert offices.open_time(friday, monday) == timedelta(hours=4, minutes=22)
    assert timeline("15min").open_time(friday, monday) == monday - friday


def test_the_newest_period_that_is_over() -> None:
    line = timeline("1D", "UTC", "Mon-Fri")
    saturday = datetime(2024, 3, 9, 12, tzinfo=UTC)
    assert line.start_of(line.last_over(saturday)) == datetime(2024, 3, 8, tzinfo=UTC)
    months = timeline("1MS")
    assert months.start_of(months.last_over(saturday)) == datetime(2024, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("frequency", ["1W", "1MS", "1QS", "1YS"])
def test_opening_times_have_no_meaning_for_weeks_and_longer(frequency: str) -> None:
    with pytest.raises(ValueError, match="is for periods up to a day"):
        timeline(frequency, "UTC", "Mon-Fri").check()


def test_phases_are_of_the_zone() -> None:
    madrid = Axis(timeline("1h", "Europe/Madrid"), UTC_HOURS.number_of(datetime(2024, 7, 1, tzinfo=UTC)))
    assert madrid.hour(np.arange(2)).tolist() == [2, 3]
    sales = timeline("1MS", "Europe/Madrid")
    march = Axis(sales, sales.number_of(datetime(2024, 3, 15, tzinfo=UTC)))
    assert march.errors(np.arange(3)).tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("frequency", "name"),
    [
        ("15min", "08 Mar 2024 10:00"),
        ("1D", "08 Mar 2024"),
        ("1W-MON", "week of 08 Mar 2024"),
        ("1MS", "Mar 2024"),
        ("1QS", "Q1 2024"),
        ("1YS", "2024"),
    ],
)
def test_a_period_is_named_as_people_do(frequency: str, name: str) -> None:
    assert Words(timeline(frequency, "Europe/Madrid")).period(datetime(2024, 3, 8, 9, tzinfo=UTC)) == name

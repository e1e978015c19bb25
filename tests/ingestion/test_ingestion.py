"""The series and its columns go one way: ask, check, refuse what is doubtful, make hours of the rest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.ingestion import ingestion
from actioncast.ingestion.documents import SourceError
from actioncast.ingestion.ingestion import Reading
from actioncast.ingestion.report import EtlRun
from actioncast.periods.grid import Periods
from actioncast.periods.points import DataError
from actioncast.settings import Settings
from actioncast.times import HOUR, isoformat, to_seconds
from tests.support.clock import at

HORIZON = 2
CONFIG = f"""
[series.demo]
source = {{ kind = "file", path = "load.csv" }}
exogenous = {{ wind = {{ kind = "file", path = "wind.csv" }}, sun = {{ kind = "file", path = "none.csv" }} }}
unit = "x"
scale = 10
horizon = {HORIZON}
history = '1D'
minimum_value = 0
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "config.toml").write_text(CONFIG)
    return load_settings(tmp_path / "config.toml", {"DATABASE_URL": f"sqlite:///{tmp_path / 'test.db'}"})


def write_points(settings: Settings, name: str, values: list[float]) -> None:
    """One point per hour from midnight on."""
    lines = [f"{isoformat(at(hour))},{value}" for hour, value in enumerate(values)]
    (settings.folder / name).write_text("\n".join(["timestamp,value", *lines]))


def read(settings: Settings, now: float) -> Reading:
    return ingestion.read_series(settings, "demo", since=None, now=at(now))


def store(database: Database, hours: list[int]) -> None:
    starts = to_seconds(at(0)) + HOUR * np.array(hours)
    loaded = Periods(starts, np.ones(len(hours)), np.ones(len(hours), dtype=np.int64))
    database.load_periods("demo", loaded, at(0), EtlRun("demo", at(0)).row(""))


def test_rows_that_come_twice_are_read_once_and_noted(settings: Settings) -> None:
    write_points(settings, "load.csv", [1.0] * 20)
    text = (settings.folder / "load.csv").read_text()
    again = "\n".join(text.splitlines()[1:4])
    (settings.folder / "load.csv").write_text(f"{text}\n{again}")
    reading = read(settings, now=21)
    assert (len(reading.points), reading.points_repeated) == (20, 3)
    assert reading.notes() == ["points that name a moment once more, of which one counts: 3"]


def test_a_reading_counts_its_points_and_makes_complete_hours_of_the_good_ones(settings: Settings) -> None:
    write_points(settings, "load.csv", [1.0] * 20 + [-1.0])
    reading = read(settings, now=21)
    assert (reading.points_read, len(reading.rejections)) == (21, 1)
    np.testing.assert_array_equal(reading.periods().values, [10.0] * 20)


def test_a_refused_answer_has_been_read_and_counted(settings: Settings) -> None:
    write_points(settings, "load.csv", [1.0, -1.0])
    reading = read(settings, now=2)
    assert (reading.points_read, len(reading.rejections)) == (2, 1)
    with pytest.raises(DataError, match="1 of 2 points rejected"):
        reading.periods()


def test_values_that_go_on_below_the_minimum_are_refused_however_few_they_are(settings: Settings) -> None:
    write_points(settings, "load.csv", [-hour / 10 if hour % 24 == 5 else 100.0 + hour for hour in range(24 * 6)])
    with pytest.raises(DataError, match=r"load\.csv: 6 of 144 points rejected, and not by chance: .* lower min"):
        read(settings, now=24 * 6).periods()


def test_a_number_for_no_value_is_refused(settings: Settings) -> None:
    write_points(settings, "load.csv", [9999.0 if hour % 24 == 5 else 100.0 + hour for hour in range(24 * 6)])
    with pytest.raises(DataError, match=r"load\.csv: the value 9999 comes 6 times .*; nothing was loaded"):
        read(settings, now=24 * 6).periods()


def test_points_denser_than_promised_are_refused(settings: Settings) -> None:
    write_points(settings, "load.csv", [1.0] * 20)
    with (settings.folder / "load.csv").open("a") as file:
        file.writelines(f"\n{isoformat(at(hour))},2" for hour in (20.1, 20.4, 20.9, 21.2, 21.7, 22.1, 22.3))
    with pytest.raises(DataError, match=r"load\.csv: 3 hours hold 2 points \(up to 3\) where 1 is promised"):
        read(settings, now=23).periods()


def test_stamps_are_rounded_where_the_series_says_so(settings: Settings) -> None:
    write_points(settings, "load.csv", [1.0, 2.0])
    text = (settings.folder / "load.csv").read_text()
    (settings.folder / "load.csv").write_text(text.replace("T01:00:00", "T00:59:59"))
    series = settings.series["demo"].model_copy(update={"round_seconds": 60})
    rounding = settings.model_copy(update={"series": {"demo": series}})
    np.testing.assert_array_equal(read(rounding, now=2).periods().values, [10.0, 20.0])


def test_points_ahead_of_their_time_wait_and_are_noted(settings: Settings) -> None:
    write_points(settings, "load.csv", [1.0, 2.0, 3.0])
    reading = read(settings, now=1.5)
    assert (len(reading.periods()), reading.rejections) == (1, [])
    assert reading.notes() == [
        "points ahead of 2022-03-04T01:30:00Z, which wait for their hour: 1, up to 2022-03-04T02:00:00Z"
    ]


def test_a_state_that_cannot_be_read_ends_the_one_before(settings: Settings) -> None:
    write_points(settings, "load.csv", [float(hour) for hour in range(22)])
    text = (settings.folder / "load.csv").read_text()
    (settings.folder / "load.csv").write_text(text.replace(",20.0", ",unavailable"))
    series = settings.series["demo"].model_copy(update={"aggregate": "time_weighted"})
    states = settings.model_copy(update={"series": {"demo": series}})
    np.testing.assert_array_equal(read(states, now=22).periods().values, 10 * np.arange(20))


def test_an_old_answer_is_refused(settings: Settings) -> None:
    write_points(settings, "load.csv", [1.0])
    with pytest.raises(SourceError, match=r"load\.csv: the newest point is from 2022-03-04T00:00:00Z, 99 h before"):
        read(settings, now=99).periods()


def test_columns_reach_to_the_horizon_and_one_that_fails_stops_no_other(settings: Settings) -> None:
    write_points(settings, "wind.csv", [-5.0] * 9)
    with open_database(settings) as database:
        columns, failures = ingestion.read_columns(settings, database, "demo", since=None, now=at(3.5))
    np.testing.assert_array_equal(columns["wind"].values, [-5.0] * (3 + HORIZON + 1))
    assert list(columns) == ["wind"]
    assert failures["sun"].endswith("none.csv: No such file or directory")


def test_a_column_without_the_hours_that_were_asked_for_fails(settings: Settings) -> None:
    write_points(settings, "wind.csv", [1.0, 2.0])
    with open_database(settings) as database:
        columns, failures = ingestion.read_columns(settings, database, "demo", since=None, now=at(999))
    assert columns == {}
    assert failures["wind"] == "wind.csv: no hour of what was asked for"


@pytest.mark.parametrize(
    ("stored", "backfill", "expected"),
    [
        ([], False, at(-24 + 100)),  # history = '1D'
        ([], True, None),
        ([], at(7.5), at(7)),
        (list(range(100)), False, at(99 - 48)),
        (list(range(100)), True, None),
        ([*range(30), *range(40, 100)], False, at(30)),  # the first hole
        ([*range(90), *range(95, 100)], False, at(99 - 48)),  # a hole among the hours that are read again anyway
    ],
)
def test_the_first_hour_to_read(
    settings: Settings, stored: list[int], backfill: datetime | bool, expected: datetime | None
) -> None:
    with open_database(settings) as database:
        if stored:
            store(database, stored)
        first = ingestion.first_period(settings, database, "demo", now=at(100.5), backfill=backfill)
    assert first == expected


def test_the_row_of_a_run_holds_what_was_counted_so_far() -> None:
    etl_run = EtlRun("demo", started_at=at(0))
    etl_run.points_read = 7
    row = etl_run.row("the reason")
    assert (row["points_read"], row["points_rejected"], row["message"]) == (7, 0, "the reason")
    assert row["finished_at"] >= row["started_at"] == at(0)

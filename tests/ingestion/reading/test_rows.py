from __future__ import annotations

import pytest

from actioncast.ingestion.reading.rows import rows_of
from actioncast.ingestion.reading.unclear import UnclearError
from actioncast.source_fields import TabularFields

LONG: dict[str, list[object]] = {
    "timestamp": [60, 120, 60, 120],
    "sensor": ["A", "A", "B", "B"],
    "room": [1, 2, 1, 2],
    "value": [5, 6, 7, 8],
}


def test_rows_of_one_sensor() -> None:
    assert rows_of(LONG, TabularFields(where={"sensor": "B"})) == [(60, 7), (120, 8)]


def test_rows_that_fit_several_columns() -> None:
    assert rows_of(LONG, TabularFields(where={"sensor": "A", "room": 2})) == [(120, 6)]


def test_a_sensor_that_is_not_there() -> None:
    with pytest.raises(UnclearError, match=r"no row has sensor = 'C' .*there are: 'A' \(2 rows\), 'B' \(2 rows\)"):
        rows_of(LONG, TabularFields(where={"sensor": "C"}))


def test_a_date_and_an_hour_in_two_columns() -> None:
    columns = {"day": ["1970-01-01", "1970-01-01"], "hour": ["1", "24"], "value": ["5", "6"]}
    rows = rows_of(columns, TabularFields(timestamp=("day", "hour"), stamps="end"))
    assert rows == [(3600, 5), (86_400, 6)]


def test_rows_without_time_and_value_are_left_out() -> None:
    columns = {"timestamp": ["1970-01-01", "", None, ""], "value": ["5", "", None, "7"]}
    assert rows_of(columns, TabularFields()) == [(0, 5), ("", 7)]

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.fetching import ROWS, T, error_of, fetched, floats
from tests.support.source import Configure, Stub, chart

# The charts API -----------------------------------------------------------------------------------


def test_a_chart_that_says_no(stub: Stub, configure: Configure) -> None:
    stub.answer(b'{"status": "not-found", "error": "no such chart"}')
    assert "expected status ok, got 'not-found': 'no such chart'" in error_of(
        configure(f'{{ kind = "blockchain", url = "{stub.url}" }}')
    )


def test_a_chart_point_that_is_no_object_is_left_to_the_checks(stub: Stub, configure: Configure) -> None:
    stub.answer(b'{"values": [{"x": 1}, 7]}')
    assert fetched(configure(f'{{ kind = "blockchain", url = "{stub.url}" }}')) == [(1, None), (None, 7)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"status": "ok", "values": []}', "answered without a single point; nothing was loaded"),
        (b'{"status": "ok"}', "expected an object with a list `values`, got {'status': 'ok'}"),
        (b"[1, 2]", "expected an object with a list `values`, got [1, 2]"),
        (b"", "JSON that is truncated or broken"),
        (chart(ROWS)[:-5], "JSON that is truncated or broken"),
        (b"[" * 100_000, "JSON that is truncated or broken"),
        (b"\xff\xfe", "JSON that is truncated or broken"),
        (b"<!doctype html><title>Maintenance</title>", "HTML instead of JSON"),
        (gzip.compress(chart(ROWS))[:-9], "gzip that is truncated or broken"),
    ],
)
def test_an_answer_that_is_no_answer(stub: Stub, configure: Configure, body: bytes, expected: str) -> None:
    stub.answer(body)
    message = error_of(configure(f'{{ kind = "blockchain", url = "{stub.url}" }}'))
    assert message.startswith(f"{stub.url}/transactions-per-second")
    assert expected in message


# JSON ---------------------------------------------------------------------------------------------


def test_json_records_at_a_path_with_named_fields(stub: Stub, configure: Configure) -> None:
    stub.answer(b'{"data": {"points": [{"at": "2022-03-04T01:00:00+01:00", "n": 1}, {"at": 1646352900, "n": "2"}]}}')
    table = f'{{ kind = "json", url = "{stub.url}", records = "data.points", timestamp = "at", value = "n" }}'
    assert floats(fetched(configure(table))) == ROWS


def test_json_records_that_are_lists_are_read_by_column_number(stub: Stub, configure: Configure) -> None:
    stub.answer(json.dumps([[t, "ignored", y] for t, y in ROWS]).encode())
    assert fetched(configure(f'{{ kind = "json", url = "{stub.url}", timestamp = "0", value = "2" }}')) == ROWS


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"data": {}}', "no records at 'data.points' in the answer; it begins {'data': {}}"),
        (b'{"data": {"points": 3}}', "expected a list at records = 'data.points', got 3"),
        (b'{"data": {"points": [{"x": 1, "value": 2}]}}', "no record has the timestamp 'timestamp'; set `timestamp`"),
        (b'{"data": {"points": [[1, 2]]}}', "no record has the timestamp 'timestamp'; set `timestamp`"),
        (b'{"data": {"points": [{"timestamp": 1, "v": 2}]}}', "no record has the value 'value'; set `value`"),
        (b'{"data": {"points": []}}', "answered without a single point"),
    ],
)
def test_json_that_does_not_fit_its_description(stub: Stub, configure: Configure, body: bytes, expected: str) -> None:
    stub.answer(body)
    assert expected in error_of(configure(f'{{ kind = "json", url = "{stub.url}", records = "data.points" }}'))


def test_a_record_without_a_value_is_left_to_the_checks(stub: Stub, configure: Configure) -> None:
    stub.answer(b'[{"timestamp": 1, "value": null}, {"timestamp": 2}, {"timestamp": 3, "value": 3}]')
    assert fetched(configure(f'{{ kind = "json", url = "{stub.url}" }}')) == [(1, None), (2, None), (3, 3)]


def test_a_dotted_path_names_a_nested_field(stub: Stub, configure: Configure) -> None:
    stub.answer(b'[{"at": {"t": 1}, "load.actual": 2}, {"at": {"t": 2}, "load": {"actual": 3}}, {"at": {"t": 3}}]')
    table = f'{{ kind = "json", url = "{stub.url}", timestamp = "at.t", value = "load.actual" }}'
    assert fetched(configure(table)) == [(1, 2), (2, 3), (3, None)]


def test_newest_first_is_turned_round(stub: Stub, configure: Configure) -> None:
    stub.answer(json.dumps([{"timestamp": t, "value": y} for t, y in reversed(ROWS)]).encode())
    assert fetched(configure(f'{{ kind = "json", url = "{stub.url}", newest_first = true }}')) == ROWS


# CSV ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"time,value\n1,2\n", "no column 'timestamp'; it has: time, value"),
        (b"", "no column 'timestamp'; it has: nothing"),
        (b"timestamp,value\n", "answered without a single point"),
        (b"timestamp,value\n\xff,1\n", "not a CSV text in UTF-8"),
        (
            b"timestamp,value\n" + b"9" * 200_000 + b",1\n",
            "not a CSV text that can be read to its end: field larger",
        ),
    ],
)
def test_a_csv_file_that_cannot_be_read(tmp_path: Path, configure: Configure, body: bytes, expected: str) -> None:
    (tmp_path / "a.csv").write_bytes(body)
    assert expected in error_of(configure('{ kind = "file", path = "a.csv" }'))


def test_rows_with_missing_cells_are_left_to_the_checks(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_bytes(b"timestamp,value\n2022-03-04T00:00\n\n2022-03-04T00:15,\n,7\nyesterday,8\n")
    rows = fetched(configure('{ kind = "file", path = "a.csv" }'))
    assert rows == [(T, None), (T + 900, None), ("", 7), ("yesterday", 8)]


# Written times ------------------------------------------------------------------------------------


# Eight lines of a public export of this chart in the time of London (faustogutman/Analysies, Apache-2.0):
# 01:00 and 01:30 come twice on the night when summer time ends. The last column is the true UTC time.
LONDON = """\
2020-10-25 00:00:00,2.466666667,2020-10-24 23:00
2020-10-25 00:30:00,2.283333333,2020-10-24 23:30
2020-10-25 01:00:00,2.066666667,2020-10-25 00:00
2020-10-25 01:30:00,2.233333333,2020-10-25 00:30
2020-10-25 01:00:00,2.066666667,2020-10-25 01:00
2020-10-25 01:30:00,1.983333333,2020-10-25 01:30
2020-10-25 02:00:00,2.016666667,2020-10-25 02:00
2020-10-25 02:30:00,2.05,2020-10-25 02:30
"""


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_hour_that_comes_twice_in_autumn(tmp_path: Path, configure: Configure, newest_first: bool) -> None:
    lines = LONDON.splitlines()[:: -1 if newest_first else 1]
    (tmp_path / "a.csv").write_text("\n".join(["timestamp,value,utc", *lines]), encoding="utf-8")
    order = str(newest_first).lower()
    table = f'{{ kind = "file", path = "a.csv", timezone = "Europe/London", newest_first = {order} }}'
    true_times = [datetime.fromisoformat(f"{line[-16:]}+00:00").timestamp() for line in LONDON.splitlines()]
    assert [time for time, _ in fetched(configure(table))] == true_times


def test_the_hour_that_spring_leaves_out_is_no_time(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_text("timestamp,value\n2021-03-28T01:30,1\n", encoding="utf-8")
    rows = fetched(configure('{ kind = "file", path = "a.csv", timezone = "Europe/London" }'))
    assert rows == [("2021-03-28T01:30 does not exist in Europe/London", 1)]


def test_a_local_time_at_the_edge_of_the_calendar_is_left_to_the_checks(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_text("timestamp,value\n0001-01-01T00:00,1\n", encoding="utf-8")
    rows = fetched(configure('{ kind = "file", path = "a.csv", timezone = "Asia/Tokyo" }'))
    assert rows == [("0001-01-01T00:00 lies outside the calendar", 1)]


def test_unix_seconds_in_text_are_no_calendar_date(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_text(f"timestamp,value\n{T},1\n20220304,1\n", encoding="utf-8")
    assert floats(fetched(configure('{ kind = "file", path = "a.csv" }'))) == [(T, 1), (T, 1)]


# Files and lines ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "keys"),
    [
        ("a.json", b'\xef\xbb\xbf[{"timestamp": 1, "value": 5}, {"timestamp": 2, "value": 6}]', ""),
        ("a.json", b'{"timestamp": [1, 2], "value": [5, 6]}', ""),
        ("a.json", b'{"d": {"t": [1, 2], "v": [5, 6]}}', ', records = "d", timestamp = "t", value = "v"'),
        ("a.jsonl", b'{"timestamp": 1, "value": 5}\n\n{"timestamp": 2, "value": 6}\n', ""),
        ("a.jsonl", b"[1, 5]\r\n[2, 6]\r\n", ', timestamp = "0", value = "1"'),
        ("a.json", chart([(1, 5), (2, 6)]), ""),
        ("a.csv", "timestamp;value\n1970-01-01 00:00:01;5\n1970-01-01 00:00:02;6\n".encode("utf-16"), ""),
    ],
)
def test_a_file_of_any_of_these_shapes(
    tmp_path: Path,
    configure: Configure,
    name: str,
    body: bytes,
    keys: str,
) -> None:
    (tmp_path / name).write_bytes(body)
    assert fetched(configure(f'{{ kind = "file", path = "{name}"{keys} }}')) == [(1, 5), (2, 6)]


def test_a_line_that_is_cut_off_is_named(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"timestamp": 1, "value": 5}\n{"timestamp": 2, "va')
    assert "line 2 is no JSON" in error_of(configure('{ kind = "file", path = "a.jsonl" }'))


def test_what_is_unclear_names_the_source(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_bytes(b'timestamp,value\n2022-03-04,"1,5"\n')
    message = error_of(configure('{ kind = "file", path = "a.csv" }'))
    assert message == f'{tmp_path}/a.csv: the value \'1,5\' does not fit decimal = "."; set decimal = ","'

from __future__ import annotations

import gzip
import json
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from urllib3.util import Retry

from actioncast.config import load_settings
from actioncast.ingestion import sources
from actioncast.ingestion.sources import Rows, SourceError
from actioncast.settings import SettingsError
from tests.conftest import Answer, Configure, Stub, at, chart, quarters

ROWS = quarters(1, 2)
SLEEP = Retry.sleep  # the real one, which a fixture replaces
T = ROWS[0][0]
JSON_ROWS = b'[{"timestamp": "2022-03-04T00:00", "value": 1}, {"timestamp": "2022-03-04T00:15Z", "value": 2}]'
CSV_ROWS = b"timestamp,value\n2022-03-04T00:00,1\n2022-03-04 00:15:00+00:00,2\n"


def fetched(path: Path, since: datetime | None = None) -> Rows:
    return sources.fetch(load_settings(path), "demo", since, at(1))


def error_of(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        fetched(path)
    return str(caught.value)


def floats(rows: Rows) -> list[tuple[float, float]]:
    return [(float(str(time)), float(str(value))) for time, value in rows]


# The charts API ---------------------------------------------------------------------------------------------------


def test_the_chart_is_asked_for_what_is_needed_with_a_day_to_spare(stub: Stub, configure: Configure) -> None:
    stub.answer(chart(ROWS))
    path = configure(f'{{ kind = "blockchain", url = "{stub.url}/charts" }}')
    assert fetched(path, since=at(-48)) == ROWS
    assert stub.requests[0][0] == "/charts/transactions-per-second?timespan=4days&sampled=false&format=json"
    fetched(path)
    assert "timespan=all&" in stub.requests[1][0]


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


# HTTP -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def chart_config(stub: Stub, configure: Configure) -> Path:
    return configure(f'{{ kind = "blockchain", url = "{stub.url}" }}')


@pytest.fixture
def impatient(stub: Stub, configure: Configure) -> Path:
    return configure(f'{{ kind = "blockchain", url = "{stub.url}", timeout_seconds = 0.4 }}')


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_answer_that_may_pass_is_asked_for_again(stub: Stub, chart_config: Path, status: int) -> None:
    stub.answer(Answer(status=status, headers={"Retry-After": "0"}), chart(ROWS))
    assert fetched(chart_config) == ROWS
    assert len(stub.requests) == 2


def test_retry_after_is_obeyed(stub: Stub, chart_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(Retry, "sleep", SLEEP)
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    stub.answer(Answer(status=429, headers={"Retry-After": "7"}), chart(ROWS))
    assert fetched(chart_config) == ROWS
    assert waited == [7]


def test_a_source_that_never_recovers_is_asked_three_times(stub: Stub, chart_config: Path) -> None:
    stub.answer(Answer(status=503))
    assert error_of(chart_config) == f"{stub.url}/transactions-per-second: HTTP 503 Service Unavailable"
    assert len(stub.requests) == 3


def test_not_found_is_not_asked_for_again(stub: Stub, chart_config: Path) -> None:
    stub.answer(Answer(status=404))
    assert error_of(chart_config).endswith("HTTP 404 Not Found")
    assert len(stub.requests) == 1


def test_a_source_that_hangs(stub: Stub, impatient: Path) -> None:
    stub.answer(Answer(chart(ROWS), delay=30))
    assert error_of(impatient).endswith("no answer within 0.4 s")


def test_a_source_that_stops_in_the_middle(stub: Stub, impatient: Path) -> None:
    stub.answer(Answer(chart(ROWS), pause=30))
    assert error_of(impatient).endswith("no answer within 0.4 s")


def test_a_source_that_trickles(stub: Stub, impatient: Path) -> None:
    stub.answer(Answer(chart(ROWS * 4), pause=0.02))  # five seconds, in steps shorter than the limit
    begun = time.monotonic()
    assert "the answer was not complete in time; " in error_of(impatient)
    assert time.monotonic() - begun < 3


def test_a_body_cut_off_by_the_connection(stub: Stub, chart_config: Path) -> None:
    stub.answer(Answer(chart(ROWS), sent=20))
    assert "IncompleteRead" in error_of(chart_config)


def test_a_body_that_is_not_packed_as_it_says(stub: Stub, chart_config: Path) -> None:
    stub.answer(Answer(chart(ROWS), headers={"Content-Encoding": "gzip"}))
    assert "incorrect header check" in error_of(chart_config)


def test_a_packed_body_is_unpacked(stub: Stub, chart_config: Path) -> None:
    stub.answer(Answer(gzip.compress(chart(ROWS)), headers={"Content-Encoding": "gzip"}), gzip.compress(chart(ROWS)))
    assert fetched(chart_config) == ROWS
    assert fetched(chart_config) == ROWS  # a .gz file without the header


def test_nobody_listens(configure: Configure) -> None:
    assert "refused" in error_of(configure('{ kind = "blockchain", url = "http://127.0.0.1:9" }'))


def test_errors_never_show_the_query_or_the_user(stub: Stub, configure: Configure) -> None:
    address = stub.url.removeprefix("http://")
    stub.answer(Answer(status=500))
    message = error_of(configure(f'{{ kind = "json", url = "http://me:s3cret@{address}/a?key=s3cret" }}'))
    assert message == f"http://{address}/a: HTTP 500 Internal Server Error"
    message = error_of(configure('{ kind = "json", url = "http://127.0.0.1:9/a?key=s3cret" }'))
    assert "s3cret" not in message
    message = error_of(configure('{ kind = "json", url = "http://:80/a?key=s3cret" }'))
    assert message == "http://:80/a: InvalidURL"


def test_a_client_names_itself(stub: Stub, chart_config: Path) -> None:
    stub.answer(chart(ROWS))
    fetched(chart_config)
    assert stub.requests[0][1]["User-Agent"] == "actioncast"


# JSON -------------------------------------------------------------------------------------------------------------


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


def test_newest_first_is_turned_round(stub: Stub, configure: Configure) -> None:
    stub.answer(json.dumps([{"timestamp": t, "value": y} for t, y in reversed(ROWS)]).encode())
    assert fetched(configure(f'{{ kind = "json", url = "{stub.url}", newest_first = true }}')) == ROWS


def test_the_span_is_put_into_the_url(stub: Stub, configure: Configure) -> None:
    stub.answer(JSON_ROWS)
    path = configure(f'{{ kind = "json", url = "{stub.url}/{{start}}/{{end}}?days={{days}}" }}')
    assert floats(fetched(path, since=at(-1))) == ROWS
    fetched(path)
    assert stub.requests[0][0] == "/2022-03-03T23:00:00Z/2022-03-04T01:00:00Z?days=2"
    assert stub.requests[1][0].startswith("/1970-01-01T00:00:00Z/")


def test_headers_take_their_keys_from_the_environment(
    stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METER_KEY", "s3cret\n")
    stub.answer(JSON_ROWS)
    fetched(configure(f'{{ kind = "json", url = "{stub.url}", headers = {{ X-Key = "$METER_KEY", Plain = "1" }} }}'))
    assert (stub.requests[0][1]["X-Key"], stub.requests[0][1]["Plain"]) == ("s3cret", "1")


def test_a_header_whose_variable_is_not_set(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METER_KEY", raising=False)
    path = configure('{ kind = "csv", url = "http://127.0.0.1:9", headers = { X-Key = "$METER_KEY" } }')
    assert error_of(path) == "the header X-Key wants the environment variable METER_KEY, which is not set"


def test_a_header_that_cannot_be_sent_does_not_show_its_value(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METER_KEY", "s3cret\nX: y")
    path = configure('{ kind = "csv", url = "http://127.0.0.1:9", headers = { X-Key = "$METER_KEY" } }')
    assert error_of(path) == "the header X-Key: METER_KEY holds characters that no header may hold"


# CSV and files ----------------------------------------------------------------------------------------------------


def test_csv_from_a_url(stub: Stub, configure: Configure) -> None:
    stub.answer(b"\xef\xbb\xbf" + CSV_ROWS, gzip.compress(CSV_ROWS))
    path = configure(f'{{ kind = "csv", url = "{stub.url}/a.csv" }}')
    assert floats(fetched(path)) == ROWS
    assert floats(fetched(path)) == ROWS


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"time,value\n1,2\n", "no column 'timestamp'; it has: time, value"),
        (b"", "no column 'timestamp'; it has: nothing"),
        (b"timestamp,value\n", "answered without a single point"),
        (b"timestamp,value\n\xff,1\n", "not a CSV text in UTF-8"),
        (b"timestamp,value\n" + b"9" * 200_000 + b",1\n", "not a CSV text in UTF-8: field larger than field limit"),
    ],
)
def test_a_csv_file_that_cannot_be_read(tmp_path: Path, configure: Configure, body: bytes, expected: str) -> None:
    (tmp_path / "a.csv").write_bytes(body)
    assert expected in error_of(configure('{ kind = "file", path = "a.csv" }'))


def test_rows_with_missing_cells_are_left_to_the_checks(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_bytes(b"timestamp,value\n2022-03-04T00:00\n\n2022-03-04T00:15,\n,7\nyesterday,8\n")
    rows = fetched(configure('{ kind = "file", path = "a.csv" }'))
    assert rows == [(T, None), (T + 900, ""), ("", "7"), ("yesterday", "8")]


@pytest.mark.parametrize(("name", "body"), [("a.csv", CSV_ROWS), ("a.json", chart(ROWS))])
def test_a_file_is_csv_or_a_chart_and_may_be_packed(
    tmp_path: Path, configure: Configure, name: str, body: bytes
) -> None:
    (tmp_path / name).write_bytes(body)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(body))
    assert floats(fetched(configure(f'{{ kind = "file", path = "{name}" }}'))) == ROWS
    assert floats(fetched(configure(f'{{ kind = "file", path = "{name}.gz" }}'))) == ROWS


def test_a_file_that_is_not_there(configure: Configure) -> None:
    assert error_of(configure('{ kind = "file", path = "none.csv" }')).endswith("none.csv: No such file or directory")


def test_a_packed_file_that_is_truncated(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV_ROWS)[:-4])
    assert "a.csv.gz: gzip that is truncated or broken" in error_of(configure('{ kind = "file", path = "a.csv.gz" }'))


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
    assert rows == [("2021-03-28T01:30 does not exist in Europe/London", "1")]


def test_a_local_time_at_the_edge_of_the_calendar_is_left_to_the_checks(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_text("timestamp,value\n0001-01-01T00:00,1\n", encoding="utf-8")
    rows = fetched(configure('{ kind = "file", path = "a.csv", timezone = "Asia/Tokyo" }'))
    assert rows == [("0001-01-01T00:00", "1")]


def test_unix_seconds_in_text_are_no_calendar_date(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.csv").write_text(f"timestamp,value\n{T},1\n20220304,1\n", encoding="utf-8")
    assert floats(fetched(configure('{ kind = "file", path = "a.csv" }'))) == [(T, 1), (T, 1)]


# A function of the user's -----------------------------------------------------------------------------------------

METER = f"""
import datetime
def read(since, until):
    assert since is None and until.hour == 1
    return [(datetime.datetime(2022, 3, 4, tzinfo=datetime.UTC), 1.0), ({T + 900}, 2)]
def naive(since, until):
    return [(datetime.datetime(2022, 3, 4), 1.0)]
def broken(since, until):
    return 1 / 0
def triples(since, until):
    return [(1, 2, 3)]
"""


@pytest.fixture
def meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_meter", raising=False)
    (tmp_path / "my_meter.py").write_text(METER, encoding="utf-8")


@pytest.mark.usefixtures("meter")
def test_a_function_beside_the_config(configure: Configure) -> None:
    assert fetched(configure('{ kind = "python", function = "my_meter:read" }')) == ROWS


@pytest.mark.usefixtures("meter")
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("my_meter:none", "my_meter:none failed: AttributeError: module 'my_meter' has no attribute 'none'"),
        ("no_meter:read", "no_meter:read failed: ModuleNotFoundError: No module named 'no_meter'"),
        ("my_meter:broken", "my_meter:broken failed: ZeroDivisionError: division by zero"),
        ("my_meter:naive", "my_meter:naive failed: ValueError: expected an aware datetime, got 2022-03-04T00:00:00"),
        ("my_meter:triples", "my_meter:triples failed: ValueError: too many values to unpack"),
    ],
)
def test_a_function_that_fails(configure: Configure, function: str, expected: str) -> None:
    assert expected in error_of(configure(f'{{ kind = "python", function = "{function}" }}'))


def test_a_function_is_named_as_module_and_name(configure: Configure) -> None:
    with pytest.raises(SettingsError, match="String should match pattern"):
        load_settings(configure('{ kind = "python", function = "my_meter.read" }'))

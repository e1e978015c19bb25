from __future__ import annotations

import gzip
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from urllib3.util import Retry

from actioncast.config import load_settings
from actioncast.settings import SettingsError
from tests.support.clock import at
from tests.support.fetching import CSV_ROWS, JSON_ROWS, ROWS, T, error_of, fetched, floats
from tests.support.source import Answer, Configure, Stub, chart

SLEEP = Retry.sleep  # the real one, which a fixture replaces


# The charts API -----------------------------------------------------------------------------------


def test_the_chart_is_asked_for_what_is_needed_with_a_day_to_spare(stub: Stub, configure: Configure) -> None:
    stub.answer(chart(ROWS))
    path = configure(f'{{ kind = "blockchain", url = "{stub.url}/charts" }}')
    assert fetched(path, since=at(-48)) == ROWS
    assert stub.requests[0].path == "/charts/transactions-per-second?timespan=4days&sampled=false&format=json"
    fetched(path)
    assert "timespan=all&" in stub.requests[1].path


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


def test_retry_after_may_be_a_date(stub: Stub, chart_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(Retry, "sleep", SLEEP)
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    stub.answer(Answer(status=503, headers={"Retry-After": date}), chart(ROWS))
    assert fetched(chart_config) == ROWS
    assert 30 < waited[0] <= 40


def test_a_source_that_asks_for_a_long_pause_is_left_alone(stub: Stub, chart_config: Path) -> None:
    stub.answer(Answer(status=429, headers={"Retry-After": "3600"}))
    assert error_of(chart_config).endswith("HTTP 429 Too Many Requests; it asks to be left alone for 3,600 s")
    assert len(stub.requests) == 1


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
    assert stub.requests[0].headers["User-Agent"] == "actioncast"


def test_a_client_on_github_says_where_its_operator_is(
    stub: Stub, chart_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "ada/loads")
    stub.answer(chart(ROWS))
    fetched(chart_config)
    assert stub.requests[0].headers["User-Agent"] == "actioncast (+https://github.com/ada/loads)"


def test_headers_of_the_source_do_not_follow_to_another_host(
    stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METER_KEY", "s3cret")
    with Stub() as other:
        other.answer(JSON_ROWS)
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        stub.answer(Answer(status=302, headers={"Location": f"{elsewhere}/b"}))
        path = configure(f'{{ kind = "json", url = "{stub.url}/a", headers = {{ X-Key = "$METER_KEY" }} }}')
        assert floats(fetched(path)) == ROWS
        assert "X-Key" not in other.requests[0].headers
    assert stub.requests[0].headers["X-Key"] == "s3cret"


def test_a_source_that_refuses_long_spans_is_met_with_advice(stub: Stub, configure: Configure) -> None:
    reason = b'{"error": "The date range from 2020-03-04 must not exceed 28 days, see http://x.test/?key=s3cret"}'
    stub.answer(Answer(reason, status=400))
    url = f"{stub.url}/a?from={{start}}&key=s3cret"
    message = error_of(configure(f'{{ kind = "json", url = "{url}" }}'), since=at(-24 * 730))
    assert message.startswith(f"{stub.url}/a: HTTP 400 Bad Request: ")
    assert "must not exceed 28 days" in message
    assert message.endswith("; 732 days were asked for at once: set days_per_request of the source to what it allows")
    assert "s3cret" not in message


def test_a_refusal_for_another_reason_is_shown_without_advice(stub: Stub, configure: Configure) -> None:
    stub.answer(Answer(b"no such meter", status=422), Answer(b"<html>bad</html>", status=400))
    path = configure(f'{{ kind = "json", url = "{stub.url}/a" }}')
    assert error_of(path) == f"{stub.url}/a: HTTP 422 Unprocessable Entity: no such meter"
    assert error_of(path) == f"{stub.url}/a: HTTP 400 Bad Request"


def test_the_span_is_put_into_the_url(stub: Stub, configure: Configure) -> None:
    stub.answer(JSON_ROWS)
    path = configure(f'{{ kind = "json", url = "{stub.url}/{{start}}/{{end}}?days={{days}}" }}')
    assert floats(fetched(path, since=at(-1))) == ROWS
    fetched(path)
    assert stub.requests[0].path == "/2022-03-03T23:00:00Z/2022-03-04T01:00:00Z?days=2"
    assert stub.requests[1].path.startswith("/1970-01-01T00:00:00Z/")


def test_headers_take_their_keys_from_the_environment(
    stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METER_KEY", "s3cret\n")
    stub.answer(JSON_ROWS)
    fetched(configure(f'{{ kind = "json", url = "{stub.url}", headers = {{ X-Key = "$METER_KEY", Plain = "1" }} }}'))
    assert (stub.requests[0].headers["X-Key"], stub.requests[0].headers["Plain"]) == ("s3cret", "1")


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


# Files --------------------------------------------------------------------------------------------


def test_csv_from_a_url(stub: Stub, configure: Configure) -> None:
    stub.answer(b"\xef\xbb\xbf" + CSV_ROWS, gzip.compress(CSV_ROWS))
    path = configure(f'{{ kind = "csv", url = "{stub.url}/a.csv" }}')
    assert floats(fetched(path)) == ROWS
    assert floats(fetched(path)) == ROWS


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


# In parts -----------------------------------------------------------------------------------------


def records(*hours: int) -> bytes:
    """A JSON list with a value for each of these hours after midnight: the hour itself."""
    return json.dumps([{"timestamp": at(hour).isoformat(), "value": hour} for hour in hours]).encode()


def test_a_long_span_is_asked_for_in_parts_and_what_they_share_is_read_once(stub: Stub, configure: Configure) -> None:
    stub.answer(records(-47, -24, -1), records(-24, -1, 0))
    url = f"{stub.url}/{{start:%dT%H}}/{{end:%dT%H}}"
    path = configure(f'{{ kind = "json", url = "{url}", days_per_request = 2 }}')
    assert [value for _, value in fetched(path, since=at(-48))] == [-47, -24, -1, 0]
    assert [request.path for request in stub.requests] == ["/02T00/03T00", "/03T00/04T01"]


def test_the_newest_first_within_each_part(stub: Stub, configure: Configure) -> None:
    stub.answer(records(-24, -47), records(0, -1))
    table = f'{{ kind = "json", url = "{stub.url}", days_per_request = 2, newest_first = true }}'
    assert [value for _, value in fetched(configure(table), since=at(-48))] == [-47, -24, -1, 0]


def test_a_part_without_points_stops_no_other(stub: Stub, configure: Configure) -> None:
    stub.answer(b"[]", records(0))
    path = configure(f'{{ kind = "json", url = "{stub.url}", days_per_request = 2 }}')
    assert [value for _, value in fetched(path, since=at(-48))] == [0]


def test_a_csv_in_parts(stub: Stub, configure: Configure) -> None:
    stub.answer(b"timestamp,value\n2022-03-02,1\n", b"timestamp,value\n2022-03-02,1\n2022-03-04,2\n")
    path = configure(f'{{ kind = "csv", url = "{stub.url}", days_per_request = 2 }}')
    assert [value for _, value in fetched(path, since=at(-48))] == [1, 2]


def test_parts_of_all_there_is_need_a_start(configure: Configure) -> None:
    path = configure('{ kind = "json", url = "http://127.0.0.1:9/a", days_per_request = 14 }')
    assert error_of(path) == (
        "http://127.0.0.1:9/a is asked for 14 days at a time, and needs to be told from when on: "
        "set history of the series, or pass --backfill START"
    )


# By day -------------------------------------------------------------------------------------------


def day_file(*hours: float) -> Answer:
    """A CSV with a value for each of these hours after midnight."""
    lines = ["timestamp,value", *(f"{at(hour).isoformat()},{hour}" for hour in hours)]
    return Answer("\n".join(lines).encode())


def by_day(stub: Stub, configure: Configure) -> Path:
    zone = 'timezone = "America/New_York"'
    return configure(f'{{ kind = "csv", url = "{stub.url}/{{day:%Y%m%d}}.csv", {zone} }}')


def test_each_day_of_the_clocks_of_the_source_is_asked_for_once(stub: Stub, configure: Configure) -> None:
    stub.answer(day_file(-20), day_file(-19, 1))
    assert [value for _, value in fetched(by_day(stub, configure), since=at(-20))] == [-20, -19, 1]
    assert [request.path for request in stub.requests] == ["/20220302.csv", "/20220303.csv"]


def test_a_new_day_has_no_file_just_after_midnight(stub: Stub, configure: Configure) -> None:
    stub.answer(day_file(-20), Answer(status=404))
    assert [value for _, value in fetched(by_day(stub, configure), since=at(-20))] == [-20]


def test_a_day_that_is_over_must_be_there(stub: Stub, configure: Configure) -> None:
    stub.answer(Answer(status=404), day_file(1))
    assert error_of(by_day(stub, configure), since=at(-20)) == f"{stub.url}/20220302.csv: HTTP 404 Not Found"


def test_days_need_a_first_one(stub: Stub, configure: Configure) -> None:
    assert "is asked for one day at a time, and needs to be told from when on" in error_of(by_day(stub, configure))

"""Every row of a source that gives them in pages, or cuts its answers off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actioncast.ingestion import paging
from tests.support.clock import at
from tests.support.fetching import error_of, fetched
from tests.support.paged_api import PagedApi
from tests.support.source import Configure, Stub

FIELDS = 'timestamp = "time", value = "load"'
SPAN = "start={start}&end={end}"


@pytest.fixture
def api() -> Iterator[PagedApi]:
    """250 hours up to the one that is running, 100 rows an answer."""
    with PagedApi(first=-248, last=1, limit=100) as server:
        yield server


def values(config: Path, since: float = -248) -> list[object]:
    return [value for _, value in fetched(config, since=at(since))]


def json_source(configure: Configure, url: str, keys: str = "") -> Path:
    return configure(f'{{ kind = "json", url = "{url}", {FIELDS}{keys} }}')


# Cut off ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["hours", "newest"])
def test_an_answer_of_a_round_number_of_rows_is_asked_on(api: PagedApi, configure: Configure, path: str) -> None:
    assert values(json_source(configure, f"{api.url}/{path}?{SPAN}")) == list(range(-248, 2))
    assert len(api.requests) <= 5


def test_a_limit_that_is_not_round_is_set(api: PagedApi, configure: Configure) -> None:
    api.limit = 72
    url = f"{api.url}/hours?{SPAN}"
    assert values(json_source(configure, url)) == list(range(-248, -176))
    assert values(json_source(configure, url, ", row_limit = 72")) == list(range(-248, 2))


def test_a_round_number_of_rows_by_chance_costs_no_request(api: PagedApi, configure: Configure) -> None:
    assert values(json_source(configure, f"{api.url}/hours?{SPAN}"), since=-98) == list(range(-98, 2))
    assert len(api.requests) == 1


def test_a_cut_answer_that_cannot_be_asked_on_is_an_error(api: PagedApi, configure: Configure) -> None:
    assert error_of(json_source(configure, f"{api.url}/fixed")) == (
        f"{api.url}/fixed: exactly 100 rows, and the newest is from 2022-02-25T19:00:00Z while 2022-03-04T01:00:00Z "
        "was asked for: the source limits its rows; put {start} into the url (or {offset} or {page}), or set `next` "
        "of the source"
    )


def test_a_source_that_ignores_the_start_is_not_asked_for_ever(api: PagedApi, configure: Configure) -> None:
    message = error_of(json_source(configure, f"{api.url}/fixed?{SPAN}"))
    assert message.endswith("asking on from there gave the same rows; set days_per_request of the source")
    assert len(api.requests) == 2


def test_what_has_a_start_later_than_asked_for_is_whole(api: PagedApi, configure: Configure) -> None:
    assert values(json_source(configure, f"{api.url}/hours?{SPAN}"), since=-1000) == list(range(-248, 2))


@pytest.mark.parametrize(("records", "expected"), [(99, False), (100, True), (128, False), (1500, True), (50000, True)])
def test_what_looks_like_a_limit(records: int, expected: bool) -> None:
    assert paging.is_round(records) == expected


def test_a_csv_that_is_cut_off(stub: Stub, configure: Configure) -> None:
    lines = [f"{at(hour).isoformat()},{hour}" for hour in range(-248, 2)]
    header = "timestamp,value"
    first, second = [header, *lines[:200]], [header, *lines[199:]]
    stub.answer("\n".join(first).encode(), "\n".join(second).encode())
    path = configure(f'{{ kind = "csv", url = "{stub.url}/a.csv?from={{start:%Y-%m-%dT%H}}" }}')
    assert values(path) == list(range(-248, 2))
    assert stub.requests[1].path == "/a.csv?from=2022-03-01T23"


# Counted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counter", ["offset={offset}", "page={page}"])
@pytest.mark.parametrize("limit", ["", ", row_limit = 100", ", row_limit = 1000"])
def test_pages_are_counted_up_to_the_last(api: PagedApi, configure: Configure, counter: str, limit: str) -> None:
    assert values(json_source(configure, f"{api.url}/pages?{counter}", limit)) == list(range(-248, 2))
    assert len(api.requests) == 3


def test_a_row_that_slides_into_the_next_page_counts_once(api: PagedApi, configure: Configure) -> None:
    url = f"{api.url}/pages?offset={{offset}}"
    expected = list(range(-248, 2))
    api.records.insert(100, api.records[99])
    assert values(json_source(configure, url)) == expected


def test_pages_of_the_newest_first_are_put_into_order(api: PagedApi, configure: Configure) -> None:
    api.records.reverse()
    path = json_source(configure, f"{api.url}/pages?page={{page}}", ", newest_first = true")
    assert values(path) == list(range(-248, 2))


def test_a_counter_that_the_source_ignores(api: PagedApi, configure: Configure) -> None:
    message = error_of(json_source(configure, f"{api.url}/fixed?skip={{offset}}"))
    assert "pages 1 and 2 are the same; does the source call the parameter of {offset}" in message


def test_pages_without_end(api: PagedApi, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 2)
    message = error_of(json_source(configure, f"{api.url}/pages?page={{page}}"))
    assert "2 pages, and no end of them; ask for larger pages, or for less at a time by days_per_request" in message


# Linked -------------------------------------------------------------------------------------------

LINKS = ', records = "data", next = "links.next"'


def test_pages_are_followed_from_link_to_link(api: PagedApi, configure: Configure) -> None:
    assert values(json_source(configure, f"{api.url}/links", LINKS)) == list(range(-248, 2))
    api.next_host = api.url
    assert values(json_source(configure, f"{api.url}/links", LINKS)) == list(range(-248, 2))


def test_pages_are_followed_from_cursor_to_cursor(api: PagedApi, configure: Configure) -> None:
    keys = ', records = "data", next = "next"'
    path = json_source(configure, f"{api.url}/cursor?after={{cursor}}", keys)
    assert values(path) == list(range(-248, 2))
    assert [request.path for request in api.requests] == [f"/cursor?after={cursor}" for cursor in ("", 100, 200)]


def test_a_cursor_without_a_parameter_to_send_it_in(api: PagedApi, configure: Configure) -> None:
    message = error_of(json_source(configure, f"{api.url}/cursor?after=", ', records = "data", next = "next"'))
    assert message.endswith("/cursor: next is '100', which is no link; put {cursor} where the url takes it")


def test_a_link_to_another_host_is_refused_and_the_key_stays_here(
    api: PagedApi, stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METER_KEY", "s3cret")
    api.next_host = stub.url
    keys = f'{LINKS}, headers = {{ X-Key = "$METER_KEY" }}'
    message = error_of(json_source(configure, f"{api.url}/links", keys))
    assert "links.next leads to 127.0.0.1:" in message
    assert message.endswith("another host; not followed, for the headers may hold a key")
    assert stub.requests == []


def test_a_link_in_a_circle(stub: Stub, configure: Configure) -> None:
    stub.answer(b'{"data": [{"time": "2022-03-04", "load": 1}], "links": {"next": "/a"}}')
    message = error_of(json_source(configure, f"{stub.url}/a", LINKS))
    assert message.endswith("/a: links.next of page 1 leads back to an earlier page")


# One of several series ----------------------------------------------------------------------------


def test_a_page_may_hold_none_of_the_rows_that_are_asked_for(stub: Stub, configure: Configure) -> None:
    stub.answer(
        b'[{"time": "2022-03-03", "load": 1, "sensor": "A"}]',
        b'[{"time": "2022-03-03", "load": 2, "sensor": "B"}]',
        b"[]",
    )
    url = f"{stub.url}/a?page={{page}}"
    assert values(json_source(configure, url, ', where = { sensor = "B" }')) == [2]


def test_rows_that_no_page_holds_are_an_error(stub: Stub, configure: Configure) -> None:
    stub.answer(b'[{"time": "2022-03-03", "load": 1, "sensor": "A"}]', b"[]")
    message = error_of(json_source(configure, f"{stub.url}/a?page={{page}}", ', where = { sensor = "C" }'))
    assert "no row has sensor = 'C' (of `where`); there are: 'A' (1 rows)" in message

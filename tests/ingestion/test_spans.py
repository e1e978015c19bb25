"""What is asked of a URL: placeholders, and long spans in parts."""

from __future__ import annotations

import pytest

from actioncast.ingestion import spans
from tests.support.clock import at


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/{start}/{end}", "/2022-03-03T23:30:00Z/2022-03-04T01:00:00Z"),
        ("?from={start:%Y-%m-%d}&to={end:%Y%m%d%H}", "?from=2022-03-03&to=2022030401"),
        ("/{start:%Y-%m-%dT%H:%MZ}", "/2022-03-03T23:30Z"),
        ("?days={days}", "?days=2"),
        ("/{id}", "/{id}"),
    ],
)
def test_placeholders_are_filled(url: str, expected: str) -> None:
    assert spans.filled(url, at(-0.5), at(1)) == expected


def test_all_there_is_begins_in_1970() -> None:
    assert spans.filled("/{start:%Y}", None, at(1)) == "/1970"


def test_a_span_that_fits_is_one_part() -> None:
    assert list(spans.parts(at(0), at(24), 1)) == [(at(0), at(24))]


def test_a_longer_span_is_cut_into_equal_parts_none_too_long() -> None:
    assert list(spans.parts(at(0), at(36), 1)) == [(at(0), at(18)), (at(18), at(36))]


def test_a_span_of_no_length_is_asked_for_too() -> None:
    assert list(spans.parts(at(0), at(0), 1)) == [(at(0), at(0))]

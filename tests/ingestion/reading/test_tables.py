from __future__ import annotations

from typing import Any

import pytest

from actioncast.ingestion.reading import tables
from actioncast.ingestion.reading.unclear import UnclearError
from actioncast.source_fields import TextFields


def columns(text: str, **keys: Any) -> dict[str, list[str | None]]:
    return tables.columns_of(text, TextFields(timestamp="time", **keys))


def refusal(text: str, **keys: Any) -> str:
    with pytest.raises(UnclearError) as caught:
        columns(text, **keys)
    return str(caught.value)


TWO = {"time": ["1", "2"], "value": ["5", "6"]}


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_the_header(sign: str) -> None:
    assert columns("time,value\n1,5\n2,6\n".replace(",", sign)) == TWO


def test_another_delimiter_is_set() -> None:
    assert columns("time~value\n1~5\n2~6\n", delimiter="~") == TWO


def test_lines_before_the_header_are_skipped() -> None:
    assert columns("sep=;\nMeter 7, hall 2\n\ntime;value\n1;5\n2;6\n") == TWO


def test_names_without_their_blanks_and_values_in_quotes() -> None:
    assert columns('"time" , value \n1,"5"\n\n2, "6"\n') == TWO


def test_a_decimal_comma_in_quotes_is_part_of_the_value() -> None:
    assert columns('time,value\n1,"5,5"\n') == {"time": ["1"], "value": ["5,5"]}


def test_trailing_delimiters_and_empty_lines_are_nothing() -> None:
    assert columns("time;value;\n1;5;\n2;6;\n;;\n\n") == TWO


def test_a_header_that_comes_again_is_no_row() -> None:
    assert columns("time,value\n1,5\ntime,value\n2,6\n") == TWO


def test_a_line_that_is_too_short_has_no_value() -> None:
    assert columns("time,value\n1,5\nTotal\n") == {"time": ["1", "Total"], "value": ["5", None]}


def test_a_line_that_is_too_long_is_refused() -> None:
    message = refusal("time,value\n1,5,5\n")
    assert "the line '1,5,5' has 3 fields, the header 2; is ',' also a sign within its values?" in message


def test_a_quote_that_does_not_end_is_refused() -> None:
    assert "can be read to its end: unexpected end" in refusal('time,value\n1,"5\n2,6\n')


def test_one_column_of_a_wide_table() -> None:
    assert columns("time,north,south\n1,5,7\n2,6,8\n", value="south") == {
        "time": ["1", "2"],
        "south": ["7", "8"],
    }


def test_columns_that_choose_rows_are_read_too() -> None:
    assert columns("time,sensor,value\n1,A,5\n", where={"sensor": "A"})["sensor"] == ["A"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Time,value", "no column 'time'; it has: Time, value; did you mean 'Time'?"),
        ("time;values", "no column 'value'; it has: time, values; did you mean 'values'?"),
        ("a,b,c", "no column 'time'; it has: a, b, c"),
        ("time,value,value", "2 columns are named 'value'"),
    ],
)
def test_a_header_that_does_not_fit(header: str, message: str) -> None:
    assert message in refusal(f"{header}\n1,2,3\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_tell_themselves(encoding: str) -> None:
    assert tables.text_of("Höhe".encode(encoding)) == "Höhe"


def test_another_encoding_is_set() -> None:
    assert tables.text_of("Höhe".encode("latin-1"), "latin-1") == "Höhe"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Höhe".encode("latin-1"), 'set encoding, such as "latin-1"'),
        ("time".encode("utf-16-le"), 'set encoding, such as "utf-16-le"'),
        (b"<!doctype html>", "HTML or XML instead of CSV"),
        (b"PK\x03\x04...", "a spreadsheet or a zipped file (save it as CSV) instead of CSV"),
    ],
)
def test_a_body_that_is_no_such_text(body: bytes, message: str) -> None:
    with pytest.raises(UnclearError) as caught:
        tables.text_of(body)
    assert message in str(caught.value)

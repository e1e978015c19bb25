"""Texts with separated columns -> columns.

Which encoding a text has, which delimiter, and where its header lies.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from actioncast.ingestion.reading.unclear import UnclearError, listed, shown
from actioncast.source_fields import TextFields

DELIMITERS = (",", ";", "\t", "|")
MOST_LINES = 100  # before the header
MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
OTHER_KINDS = {
    b"PK\x03\x04": "a spreadsheet or a zipped file (save it as CSV)",
    b"<": "HTML or XML",
    b"%PDF": "a PDF",
}


class _Header(NamedTuple):
    """Where the columns of a text are named, and how its lines are split."""

    delimiter: str
    line_number: int  # from 0
    names: list[str]


def text_of(body: bytes, encoding: str = "") -> str:
    """The body as text.

    Raises UnclearError for another encoding, and for what is no text at all.
    """
    begin = body.lstrip()
    for mark, kind in OTHER_KINDS.items():
        if begin.startswith(mark):
            raise UnclearError(f"{kind} instead of CSV; it begins {shown(body)}")
    if not encoding:
        encoding = _encoding_of(body)
    try:
        text = body.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnclearError(
            f"not a CSV text in {encoding.upper()}: {error}; set encoding, "
            'such as "latin-1" or "cp1252" (western Europe) or "utf-16"'
        ) from None
    if "\0" in text:
        raise UnclearError('the text is full of zero bytes; set encoding, such as "utf-16-le"')
    return text.removeprefix("\ufeff")


def columns_of(text: str, fields: TextFields) -> dict[str, list[str | None]]:
    """The columns that the keys of a source name; None where a line is too short.

    Raises UnclearError where there is no such column, or where lines do not fit the header.
    """
    names = [*fields.timestamps, fields.value, *fields.where]
    header = _header(text, names, fields.delimiter)
    positions = {name: _position(header.names, name) for name in names}
    try:
        lines = _lines_below(text, header)
    except csv.Error as error:
        raise UnclearError(f"not a CSV text that can be read to its end: {error}") from None
    rows = [row for row in lines if any(row) and row != header.names]
    _refuse_long(rows, header)
    return {name: _column(rows, position) for name, position in positions.items()}


def _encoding_of(body: bytes) -> str:
    """The encoding that the first bytes of a body name, else UTF-8."""
    for mark, encoding in MARKS.items():
        if body.startswith(mark):
            return encoding
    return "utf-8"


def _lines_below(text: str, header: _Header) -> list[list[str]]:
    """The lines below the header, each split into its fields."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(
        islice(lines, header.line_number + 1, None),
        delimiter=header.delimiter,
        skipinitialspace=True,
        strict=True,
    )
    return list(reader)


def _column(rows: Sequence[Sequence[str]], position: int) -> list[str | None]:
    """The fields at one position; None where a line is too short."""
    return [row[position] if position < len(row) else None for row in rows]


def _header(text: str, names: Sequence[str], delimiter: str) -> _Header:
    """The first line that has all names.

    Raises UnclearError where no line has them, or where two delimiters would fit.
    """
    lines = list(islice(io.StringIO(text), MOST_LINES))
    delimiters = (delimiter,) if delimiter else DELIMITERS
    for line_number, line in enumerate(lines):
        headers = [_Header(sign, line_number, _names(line, sign)) for sign in delimiters]
        fitting_headers = [header for header in headers if set(names) <= set(header.names)]
        if len(fitting_headers) > 1:
            raise UnclearError(
                f"the header {shown(line)} can be split in several ways; set delimiter",
            )
        if fitting_headers:
            return fitting_headers[0]
    raise UnclearError(_no_column(lines, names, delimiters))


def _names(line: str, delimiter: str) -> list[str]:
    """The names in a line, without the blanks around them."""
    try:
        fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise UnclearError(f"not a CSV text in UTF-8: {error}") from None
    return [field.strip() for field in fields]


def _no_column(lines: Sequence[str], names: Sequence[str], delimiters: Sequence[str]) -> str:
    """Which column is missing, and which ones there are instead."""
    header = _likeliest_header(lines, names, delimiters)
    missing_name = next(name for name in names if name not in header)
    return f"no column {missing_name!r}; it has: {listed(header)}{_hint(missing_name, header)}"


def _likeliest_header(
    lines: Sequence[str],
    names: Sequence[str],
    delimiters: Sequence[str],
) -> list[str]:
    """The fields of the line that has most of the names; of several, the most fields."""

    def likelihood(header: list[str]) -> tuple[int, int]:
        names_in_header = set(names) & set(header)
        return len(names_in_header), len(header)

    headers = [_names(line, delimiter) for line in lines for delimiter in delimiters]
    return max(headers, key=likelihood, default=[])


def _hint(missing_name: str, header: Sequence[str]) -> str:
    """The column that was meant perhaps."""
    import difflib

    by_lower_case = {name.lower(): name for name in header}
    matches = difflib.get_close_matches(missing_name.lower(), by_lower_case, n=1)
    if not matches:
        return ""
    similar_name = by_lower_case[matches[0]]
    return f"; did you mean {similar_name!r}?"


def _position(header: Sequence[str], name: str) -> int:
    """Where a column lies. Raises UnclearError where two have its name."""
    count = header.count(name)
    if count > 1:
        raise UnclearError(f"{count} columns are named {name!r}; name them apart at the source")
    return header.index(name)


def _refuse_long(rows: Sequence[list[str]], header: _Header) -> None:
    """Raise UnclearError where a line has more fields than the header.

    The values of such a line would lie in other columns.
    """
    width = len(header.names)
    for row in rows:
        if len(row) > width and any(row[width:]):
            line = header.delimiter.join(row)
            fault = f"the line {shown(line)} has {len(row)} fields, the header {width}"
            question = f"is {header.delimiter!r} also a sign within its values?"
            raise UnclearError(f"{fault}; {question} Then the source must quote them")

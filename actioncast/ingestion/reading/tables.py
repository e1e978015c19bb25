"""Texts with separated columns -> columns: which encoding, which delimiter, where the header lies."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Sequence
from itertools import islice

from actioncast.ingestion.reading.unclear import UnclearError, listed, shown
from actioncast.source_fields import TextFields

DELIMITERS = (",", ";", "\t", "|")
MOST_LINES = 100  # before the header
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
OTHER_KINDS = {b"PK\x03\x04": "a spreadsheet or a zipped file (save it as CSV)", b"<": "HTML or XML", b"%PDF": "a PDF"}


def text_of(body: bytes, encoding: str = "") -> str:
    """The body as text. Raises UnclearError for another encoding, and for what is no text at all."""
    for mark, name in OTHER_KINDS.items():
        if body.lstrip()[: len(mark)] == mark:
            raise UnclearError(f"{name} instead of CSV; it begins {shown(body)}")
    if not encoding:
        encoding = next((name for mark, name in MARKS.items() if body.startswith(mark)), "utf-8")
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
    delimiter, begin, header = _header(text, names, fields.delimiter)
    positions = {name: _position(header, name) for name in names}
    try:
        lines = list(_lines(text, delimiter, begin + 1))
    except csv.Error as error:
        raise UnclearError(f"not a CSV text that can be read to its end: {error}") from None
    rows = [row for row in lines if any(row) and row != header]
    _refuse_long(rows, header, delimiter)
    return {name: [_cell(row, position) for row in rows] for name, position in positions.items()}


def _lines(text: str, delimiter: str, begin: int) -> Sequence[list[str]]:
    """The lines from number `begin` (from 0) on, each split into its fields."""
    reader = csv.reader(
        islice(io.StringIO(text, newline=""), begin, None),
        delimiter=delimiter,
        skipinitialspace=True,
        strict=True,
    )
    return list(reader)


def _cell(row: Sequence[str], position: int) -> str | None:
    return row[position] if position < len(row) else None


def _header(text: str, names: Sequence[str], delimiter: str) -> tuple[str, int, list[str]]:
    """The delimiter, the number of the header's line and its names: the first line that has all names.

    Raises UnclearError where no line has them, or where two delimiters would fit.
    """
    lines = list(islice(io.StringIO(text), MOST_LINES))
    candidates = (delimiter,) if delimiter else DELIMITERS
    for number, line in enumerate(lines):
        fits = [(sign, header) for sign in candidates if set(names) <= set(header := _names(line, sign))]
        if len(fits) > 1:
            raise UnclearError(f"the header {shown(line)} can be split in several ways; set delimiter")
        if fits:
            sign, header = fits[0]
            return sign, number, header
    raise UnclearError(_no_column(lines, names, candidates))


def _names(line: str, delimiter: str) -> list[str]:
    """The names in a line, without the blanks around them."""
    try:
        fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise UnclearError(f"not a CSV text in UTF-8: {error}") from None
    return [field.strip() for field in fields]


def _no_column(lines: Sequence[str], names: Sequence[str], candidates: Sequence[str]) -> str:
    """Which column is not there, and what is: of the line that has most of the names, or most fields."""
    headers = [_names(line, sign) for line in lines for sign in candidates]
    header: list[str] = max(
        headers,
        key=lambda header: (len(set(names) & set(header)), len(header)),
        default=[],
    )
    missing = next(name for name in names if name not in header)
    lower = {name.lower(): name for name in header}
    near = difflib.get_close_matches(missing.lower(), lower, n=1)
    hint = f"; did you mean {lower[near[0]]!r}?" if near else ""
    return f"no column {missing!r}; it has: {listed(header)}{hint}"


def _position(header: Sequence[str], name: str) -> int:
    """Where a column lies. Raises UnclearError where two have its name."""
    if header.count(name) > 1:
        raise UnclearError(f"{header.count(name)} columns are named {name!r}; name them apart at the source")
    return header.index(name)


def _refuse_long(rows: Sequence[list[str]], header: Sequence[str], delimiter: str) -> None:
    """Raise UnclearError where a line has more fields than the header: its values lie in other columns."""
    width = len(header)
    for row in rows:
        if len(row) > width and any(row[width:]):
            line = delimiter.join(row)
            raise UnclearError(
                f"the line {shown(line)} has {len(row)} fields, the header {width}; "
                f"is {delimiter!r} also a sign within its values? Then the source must quote them"
            )

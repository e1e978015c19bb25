"""Texts with separated columns: encoding, delimiter, lines before the header, the header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from actioncast.ingestion.detection.questions import Answers
from actioncast.ingestion.detection.sheet import Cells, Sheet
from actioncast.ingestion.reading import tables
from actioncast.ingestion.reading.unclear import UnclearError, shown

DELIMITERS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "bar",
    " ": "blank",
}
PARQUET = b"PAR1"
LOOKED_AT = 500  # lines, to find the delimiter and the header
LEAST_SHARE = 0.8  # of these lines have the same number of fields
MEASURED = re.compile(r"(?:[A-Z][a-z]+\.?,? )*[-+\u2212]?[.,]?\d")  # how a time or a number begins
DATE_OR_TIME = re.compile(r"\d[-/.:]\d|\d{8}")
BRACKETED = re.compile(r"[\[(].*[\])]|")  # a unit below a name, or nothing
BYTE_ORDERS = {0: "utf-16-be", 1: "utf-16-le"}  # which bytes of ASCII are zero
START = 1000  # bytes that tell the order of bytes
Row = Sequence[str]


class Layout(NamedTuple):
    """How a text is a table."""

    delimiter: str
    header: int  # its number among the lines that are not empty


def sheet_of(body: bytes, answers: Answers) -> Sheet:
    """The columns of a text. Raises UnclearError and QuestionError."""
    if body.startswith(PARQUET):
        remedy = 'write its table by hand, with kind = "file" and the names of its columns'
        raise UnclearError(f"Parquet: {remedy}")
    encoding = answers.get("encoding") or encoding_of(body)
    text = tables.text_of(body, encoding)
    layout = _layout(text, answers.get("delimiter", ""))
    rows = _filled_rows(text, layout.delimiter)
    above = [" ".join(row) for row in rows[: layout.header]]
    columns = _columns(rows[layout.header :])
    return Sheet(
        columns=columns,
        keys=_keys(encoding, layout),
        surroundings="\n".join(above),
        lines=[_line(encoding, layout, width=len(rows[layout.header]))],
    )


def _columns(rows: Sequence[Row]) -> dict[str, Cells]:
    """The columns of a header and the rows below it; of two with one name the first."""
    header = rows[0]
    data = rows[1:]
    columns: dict[str, Cells] = {}
    for position, text in enumerate(header):
        name = text.strip()
        if name not in columns:
            columns[name] = [_cell(row, position) for row in data]
    return columns


def _cell(row: Row, position: int) -> str | None:
    if position >= len(row):
        return None
    return row[position]


def _keys(encoding: str, layout: Layout) -> dict[str, str]:
    """Of the source."""
    keys = {}
    if encoding:
        keys["encoding"] = encoding
    if layout.delimiter != ",":
        keys["delimiter"] = layout.delimiter
    return keys


def _line(encoding: str, layout: Layout, width: int) -> str:
    """What a person sees of the table."""
    sign = DELIMITERS.get(layout.delimiter, layout.delimiter)
    line = f"text with {width} columns, separated by {sign}"
    if layout.header:
        line += f"; the header is line {layout.header + 1}"
    if encoding:
        line += f"; encoding {encoding}"
    return line


# The encoding ------------------------------------------------------------------------------------


def encoding_of(body: bytes) -> str:
    """Empty for UTF-8 and what says itself what it is; otherwise the encoding that can be."""
    if body.startswith(tuple(tables.MARKS)):
        return ""
    start = body[:START]
    for first_zero, name in BYTE_ORDERS.items():
        zeros = start[first_zero::2].count(0)
        if zeros > 0.8 * len(start) / 2:
            return name
    for encoding in ("utf-8", "cp1252"):
        if _can_be(encoding, body):
            return "" if encoding == "utf-8" else encoding
    return "latin-1"


def _can_be(encoding: str, body: bytes) -> bool:
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


# The delimiter and the header --------------------------------------------------------------------


def _layout(text: str, delimiter: str) -> Layout:
    """The layout in which most lines have the same number of fields.

    Raises UnclearError where there is none.
    """
    delimiters = [delimiter] if delimiter else list(DELIMITERS)
    shares = {}
    for sign in delimiters:
        rows = _filled_rows(text, sign, LOOKED_AT)
        share, width = _commonest_width(rows)
        header = _header(rows, width)
        if header is None or share < LEAST_SHARE:
            continue
        layout = Layout(sign, header)
        shares[layout] = share
    if not shares:
        raise _no_table(text)
    return max(shares, key=lambda layout: shares[layout])


def _no_table(text: str) -> UnclearError:
    start = shown(text.strip())
    expected = "names such as `timestamp,value` above lines that have a time and a number"
    fault = f"no table with a header line was found: expected {expected}"
    return UnclearError(f"{fault}; it begins {start}")


def _filled_rows(text: str, delimiter: str, most: int | None = None) -> list[list[str]]:
    """The rows that are not empty, of all lines or of so many."""
    lines = islice(io.StringIO(text, newline=""), most)
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        skipinitialspace=True,
    )
    try:
        return [row for row in reader if any(row)]
    except csv.Error as error:
        raise UnclearError(f"not a text that can be split into columns: {error}") from None


def _commonest_width(rows: Sequence[Row]) -> tuple[float, int]:
    """The share of the rows that have the commonest number of fields, and that number."""
    if not rows:
        return 0.0, 0
    widths = Counter(len(row) for row in rows)
    [(width, count)] = widths.most_common(1)
    return count / len(rows), width


def _header(rows: Sequence[Row], width: int) -> int | None:
    """The last line of names above the first line of data; None where there is none."""
    if width < 2:
        return None
    first_data = _first_data(rows, width)
    if first_data is None:
        return None
    above = enumerate(rows[:first_data])
    names = [number for number, row in above if _can_be_names(row, width)]
    if not names:
        return None
    last = names[-1]
    line_before = last - 1
    if line_before in names and _is_units(rows[last]) and all(rows[line_before]):
        return line_before
    return last


def _first_data(rows: Sequence[Row], width: int) -> int | None:
    for number, row in enumerate(rows):
        if _is_data(row, width):
            return number
    return None


def _is_data(row: Row, width: int) -> bool:
    """Whether a row has at least a time and a number."""
    if len(row) != width:
        return False
    measured = [cell for cell in row if MEASURED.match(cell.strip())]
    return len(measured) >= 2


def _can_be_names(row: Row, width: int) -> bool:
    """Whether a row can be names: letters in it, and no time."""
    if len(row) != width:
        return False
    has_letters = any(cell.strip()[:1].isalpha() for cell in row)
    return has_letters and not _has_time(row)


def _is_units(row: Row) -> bool:
    """Whether a row has a unit in brackets, or an empty cell."""
    return any(BRACKETED.fullmatch(cell.strip()) for cell in row)


def _has_time(row: Row) -> bool:
    figures = [cell for cell in row if MEASURED.match(cell)]
    return any(DATE_OR_TIME.search(cell) for cell in figures)

"""Texts with separated columns: encoding, delimiter, lines before the header, the header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from actioncast.ingestion.detection.questions import Answers
from actioncast.ingestion.detection.sheet import Cells, Sheet
from actioncast.ingestion.reading import tables
from actioncast.ingestion.reading.unclear import UnclearError, shown

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
PARQUET = b"PAR1"
LOOKED_AT = 500  # lines, to find the delimiter and the header
LEAST_SHARE = 0.8  # of these lines have the same number of fields
MEASURED = re.compile(r"(?:[A-Z][a-z]+\.?,? )*[-+\u2212]?[.,]?\d")  # how a time or a number begins
BRACKETED = re.compile(r"[\[(].*[\])]|")  # a unit below a name, or nothing
BYTE_ORDERS = {0: "utf-16-be", 1: "utf-16-le"}  # which bytes of ASCII are zero


def sheet_of(body: bytes, answers: Answers) -> Sheet:
    """The columns of a text. Raises UnclearError and QuestionError."""
    if body.startswith(PARQUET):
        raise UnclearError('Parquet: write its table by hand, with kind = "file" and the names of its columns')
    encoding = answers.get("encoding") or encoding_of(body)
    text = tables.text_of(body, encoding)
    delimiter, begin = _layout(text, answers.get("delimiter", ""))
    rows = [row for row in _rows(text, delimiter) if any(row)]
    header = [name.strip() for name in rows[begin]]
    columns: dict[str, Cells] = {}
    for position, name in enumerate(header):
        columns.setdefault(name, [_cell(row, position) for row in rows[begin + 1 :]])
    keys: dict[str, Any] = {}
    if encoding:
        keys["encoding"] = encoding
    if delimiter != ",":
        keys["delimiter"] = delimiter
    line = f"text with {len(header)} columns, separated by {DELIMITERS.get(delimiter, delimiter)}"
    if begin:
        line += f"; the header is line {begin + 1}"
    if encoding:
        line += f"; encoding {encoding}"
    beside = "\n".join(" ".join(row) for row in rows[:begin])
    return Sheet(columns=columns, keys=keys, beside=beside, lines=[line])


def encoding_of(body: bytes) -> str:
    """Empty for UTF-8 and what says itself what it is; otherwise the encoding that can be."""
    if any(body.startswith(mark) for mark in tables.MARKS):
        return ""
    start = body[:1000]
    for first_zero, name in BYTE_ORDERS.items():
        zeros = start[first_zero::2].count(0)
        if zeros > 0.8 * len(start) / 2:
            return name
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252" if _decodes(body, "cp1252") else "latin-1"
    return ""


def _decodes(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _layout(text: str, delimiter: str) -> tuple[str, int]:
    """The delimiter, and the number of the header among the lines that are not empty.

    Raises UnclearError where there is none.
    """
    shares = {}
    for sign in [delimiter] if delimiter else DELIMITERS:
        rows = [row for row in _rows(text, sign, LOOKED_AT) if any(row)]
        share, width = _commonest_width(rows)
        begin = _header(rows, width)
        if share >= LEAST_SHARE and begin is not None:
            shares[sign, begin] = share
    if not shares:
        start = shown(text.strip())
        raise UnclearError(
            "no table with a header line was found: expected names such as `timestamp,value` "
            f"above lines that have a time and a number; it begins {start}"
        )
    return max(shares, key=lambda layout: shares[layout])


def _rows(text: str, delimiter: str, most: int | None = None) -> list[list[str]]:
    lines = islice(io.StringIO(text, newline=""), most)
    try:
        return list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise UnclearError(f"not a text that can be split into columns: {error}") from None


def _cell(row: Sequence[str], position: int) -> str | None:
    return row[position] if position < len(row) else None


def _commonest_width(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """The share of the rows that have the commonest number of fields, and that number."""
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    return count / len(rows), width


def _header(rows: Sequence[Sequence[str]], width: int) -> int | None:
    """The last line of names above the first line of data; None where there is none."""
    if width < 2:
        return None
    above = 0
    while above < len(rows) and not _is_data(rows[above], width):
        above += 1
    if above == len(rows):
        return None
    names = [number for number in range(above) if _is_header(rows[number], width)]
    if not names:
        return None
    last = names[-1]
    is_unit_row = any(BRACKETED.fullmatch(cell.strip()) for cell in rows[last])
    if is_unit_row and last - 1 in names and all(rows[last - 1]):
        return last - 1
    return last


def _is_data(row: Sequence[str], width: int) -> bool:
    """Whether a row has at least a time and a number."""
    measured = [cell for cell in row if MEASURED.match(cell.strip())]
    return len(row) == width and len(measured) >= 2


def _is_header(row: Sequence[str], width: int) -> bool:
    """Whether a row can be names: letters in it, and fewer numbers than a row of data."""
    has_letters = any(cell.strip()[:1].isalpha() for cell in row)
    return len(row) == width and has_letters and not _looks_like_time(row)


def _looks_like_time(row: Sequence[str]) -> bool:
    return any(MEASURED.match(cell) and re.search(r"\d[-/.:]\d|\d{8}", cell) for cell in row)

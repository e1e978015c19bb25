"""What the answer of a source says: documents (charts API, JSON, CSV) -> (unix seconds, value)
rows, unchecked.

Whatever cannot be read raises SourceError and names the source. A single point that makes no sense
is no reason to raise: it is left to the checks of actioncast/periods.py.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic_core import from_json

from actioncast.errors import ActioncastError
from actioncast.ingestion.reading import records, rows, tables
from actioncast.ingestion.reading.rows import Columns, Rows
from actioncast.ingestion.reading.unclear import NoRowError, UnclearError
from actioncast.source_fields import JsonFields, TabularFields, TextFields
from actioncast.source_settings import FileSource

__all__ = ["Rows", "SourceError"]
SHOWN_CHARACTERS = 80  # of a document that cannot be used
SHOWN_BYTES = 60  # of a body that is no JSON
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class SourceError(ActioncastError):
    """The source gave no usable answer."""


class NoRowOfPageError(SourceError):
    """A page holds no row that `where` asks for, which is an error only where none does."""


def unpacked(body: bytes, source_name: str) -> bytes:
    """The body without gzip, if it is packed."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return gzip.decompress(body)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(f"{source_name}: gzip that is truncated or broken ({error})") from None


def json_document(body: bytes, source_name: str) -> Any:
    """The document; lines that are a document each become a list."""
    body = unpacked(body, source_name).removeprefix(BYTE_ORDER_MARK)
    try:
        return from_json(body)
    except ValueError as error:
        lines = body.split(b"\n")
        if len(lines) > 1 and _is_json(lines[0]):
            return _documents_of_lines(lines, source_name)
        fault = "JSON that is truncated or broken"
        if body.lstrip()[:1] == b"<":
            fault = "HTML instead of JSON"
        start = repr(body[:SHOWN_BYTES])
        raise SourceError(f"{source_name}: {fault} ({error}); it begins {start}") from None


def _is_json(line: bytes) -> bool:
    try:
        from_json(line)
    except ValueError:
        return False
    return True


def _documents_of_lines(lines: Sequence[bytes], source_name: str) -> list[Any]:
    """One document per line, without the blank lines."""
    parts = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            parts.append(from_json(line))
        except ValueError as error:
            start = repr(line[:SHOWN_BYTES])
            fault = f"line {number} is no JSON ({error})"
            raise SourceError(f"{source_name}: {fault}; it begins {start}") from None
    return parts


def chart_rows(document: Any, source_name: str) -> Rows:
    """The charts API's document -> rows. It refuses a request by a status other than ok."""
    if isinstance(document, dict) and document.get("status", "ok") != "ok":
        answer = f"{document['status']!r}: {document.get('error')!r}"
        raise SourceError(f"{source_name}: expected status ok, got {answer}")
    if not isinstance(document, dict) or not isinstance(document.get("values"), list):
        start = _beginning(document)
        raise SourceError(f"{source_name}: expected an object with a list `values`, got {start}")
    return [_chart_row(point) for point in document["values"]]


def _chart_row(point: Any) -> tuple[object, object]:
    """One point of a chart; anything but an object gets no time and is rejected later."""
    if isinstance(point, dict):
        return point.get("x"), point.get("y")
    return None, point


def json_columns(document: Any, fields: JsonFields, source_name: str) -> Columns:
    """The columns of a JSON document with records, or with lists that lie side by side."""
    with _naming(source_name):
        return records.columns_of(document, fields)


def csv_columns(body: bytes, fields: TextFields, source_name: str) -> Columns:
    """The columns of a text with a header."""
    with _naming(source_name):
        text = tables.text_of(body, fields.encoding)
        return tables.columns_of(text, fields)


def column_rows(columns: Columns, fields: TabularFields, source_name: str) -> Rows:
    """Columns, one cell for each record of the answer -> rows."""
    with _naming(source_name):
        return rows.rows_of(columns, fields)


def field_at(document: Any, path: str) -> Any:
    """The part of a document at a path; None where there is none."""
    part = records.part_at(document, path)
    return None if part is records.ABSENT else part


def file_rows(body: bytes, source: FileSource, source_name: str) -> Rows:
    """What a file holds: JSON, which begins with a bracket, or CSV.

    JSON without names of its own for records, time and value is that of the charts API.
    """
    if body.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] not in (b"{", b"["):
        columns = csv_columns(body, source, source_name)
        return column_rows(columns, source, source_name)
    document = json_document(body, source_name)
    names = (source.records, source.timestamp, source.value)
    has_own_names = names != ("", "timestamp", "value")
    if isinstance(document, list) or has_own_names or "timestamp" in document:
        columns = json_columns(document, source, source_name)
        return column_rows(columns, source, source_name)
    return chart_rows(document, source_name)


@contextmanager
def _naming(source_name: str) -> Iterator[None]:
    """Put the name of the source before what is unclear in its answer."""
    try:
        yield
    except NoRowError as error:
        raise NoRowOfPageError(f"{source_name}: {error}") from None
    except UnclearError as error:
        raise SourceError(f"{source_name}: {error}") from None


def rows_after(earlier: Rows, part: Rows) -> Rows:
    """The rows of the next part of an answer, without those that are not later than the part before.

    A source that is asked for dates gives whole days, so that two parts share the day between them.
    """
    newest = max((time for time, _ in earlier if isinstance(time, int | float)), default=-math.inf)
    return [row for row in part if not (isinstance(row[0], int | float) and row[0] <= newest)]


def _beginning(document: object) -> str:
    return repr(document)[:SHOWN_CHARACTERS]

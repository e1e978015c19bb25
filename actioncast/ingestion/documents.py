"""What the answer of a source says: documents (charts API, JSON, CSV) -> (unix seconds, value)
rows, unchecked.

Whatever cannot be read raises SourceError and names the source. A single point that makes no sense
is no reason to raise: it is left to the checks of actioncast/hours.py.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from actioncast.errors import ActioncastError
from actioncast.settings import TabularFields

Rows = list[tuple[object, object]]  # (time, value) as a source gives them
SHOWN_CHARACTERS = 80  # of a document that cannot be used
SHOWN_BYTES = 60  # of a body that is no JSON
SHOWN_HEADER = 200  # characters of the column names of a CSV


class SourceError(ActioncastError):
    """The source gave no usable answer."""


def unpacked(body: bytes, source_name: str) -> bytes:
    """The body without gzip, if it is packed."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return gzip.decompress(body)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(f"{source_name}: gzip that is truncated or broken ({error})") from None


def json_document(body: bytes, source_name: str) -> Any:
    body = unpacked(body, source_name)
    try:
        return from_json(body)
    except ValueError as error:
        fault = "JSON that is truncated or broken"
        if body.lstrip()[:1] == b"<":
            fault = "HTML instead of JSON"
        start = repr(body[:SHOWN_BYTES])
        raise SourceError(f"{source_name}: {fault} ({error}); it begins {start}") from None


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


def records_at(document: Any, path: str, source_name: str) -> list[Any]:
    """The list of records at a dotted path."""
    part = document
    for key in filter(None, path.split(".")):
        if not isinstance(part, dict) or key not in part:
            start = _beginning(document)
            raise SourceError(f"{source_name}: no records at {path!r} in the answer; it begins {start}")
        part = part[key]
    if not isinstance(part, list):
        start = _beginning(part)
        raise SourceError(f"{source_name}: expected a list at records = {path!r}, got {start}")
    return part


def record_rows(records: Sequence[Any], fields: TabularFields, source_name: str) -> Rows:
    """Records (objects, or lists read by column number) -> rows.

    A missing cell is None and is rejected later.
    """
    pairs = []
    for record in records:
        pairs.append((cell(record, fields.timestamp), cell(record, fields.value)))
    if pairs and all(written is None for written, _ in pairs):
        raise _missing_field("timestamp", fields.timestamp, records[0], source_name)
    if pairs and all(value is None for _, value in pairs):
        raise _missing_field("value", fields.value, records[0], source_name)
    return _in_seconds(pairs, fields)


def _missing_field(key: str, name: str, first_record: Any, source_name: str) -> SourceError:
    """The error when no record has the field that `key` of the source names."""
    return SourceError(
        f"{source_name}: no record has the {key} {name!r}; set `{key}` of the source. "
        f"The first one is {_beginning(first_record)}"
    )


def cell(record: Any, name: str) -> Any:
    """The field of this name, or the one at this dotted path; None where there is none."""
    try:
        if not isinstance(record, Mapping):
            return record[int(name)]
        if name in record:
            return record[name]
        outer, _, inner = name.partition(".")
        return cell(record[outer], inner)
    except (KeyError, ValueError, IndexError, TypeError):
        return None


def csv_rows(body: bytes, fields: TabularFields, source_name: str) -> Rows:
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        columns = reader.fieldnames or []
        for name in (fields.timestamp, fields.value):
            if name not in columns:
                header = ", ".join(columns)[:SHOWN_HEADER] or "nothing"
                raise SourceError(f"{source_name}: no column {name!r}; it has: {header}")
        pairs = [(row[fields.timestamp], row[fields.value]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{source_name}: not a CSV text in UTF-8: {error}") from None
    return _in_seconds(pairs, fields)


def rows_after(earlier: Rows, part: Rows) -> Rows:
    """The rows of the next part of an answer, without those that are not later than the part before.

    A source that is asked for dates gives whole days, so that two parts share the day between them.
    """
    newest = max((time for time, _ in earlier if isinstance(time, int | float)), default=-math.inf)
    return [row for row in part if not (isinstance(row[0], int | float) and row[0] <= newest)]


def _beginning(document: object) -> str:
    return repr(document)[:SHOWN_CHARACTERS]


# Written times -> unix seconds --------------------------------------------------------------------


def _in_seconds(pairs: Sequence[tuple[Any, Any]], fields: TabularFields) -> Rows:
    """Turn written times into unix seconds; a time that cannot be read stays as it is and is rejected later."""
    zone = ZoneInfo(fields.timezone)
    seen: set[datetime] = set()
    ascending = reversed(pairs) if fields.newest_first else pairs
    return [(_seconds(written, zone, seen), value) for written, value in ascending]


def _seconds(written: Any, zone: ZoneInfo, seen: set[datetime]) -> object:
    """An ISO time or unix seconds -> unix seconds; anything else as it is."""
    if not isinstance(written, str):
        return written
    if _is_number(written):
        return float(written)
    try:
        moment = datetime.fromisoformat(written.strip())
        if moment.tzinfo is not None:
            return moment.timestamp()
        if zone.key == "UTC":
            return moment.replace(tzinfo=UTC).timestamp()
        seconds = _local_seconds(moment, zone, seen)
    except (ValueError, OverflowError):
        return written
    if seconds is None:
        return f"{written} does not exist in {zone.key}"
    return seconds


def _local_seconds(moment: datetime, zone: ZoneInfo, seen: set[datetime]) -> float | None:
    """A time on the clocks of a zone -> unix seconds, None where spring leaves it out.

    A time that the clock shows twice in autumn is the first one at its first appearance (it is not
    yet in `seen`) and the second one at the next.
    """
    local = moment.replace(tzinfo=zone, fold=int(moment in seen))
    seen.add(moment)
    there_and_back = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if there_and_back != moment:
        return None
    return local.timestamp()


def _is_number(written: str) -> bool:
    """Unix seconds in text; eight digits or fewer are an ISO date without dashes."""
    digits = written.strip()
    return len(digits) > len("20220304") and digits.replace(".", "", 1).isdigit()

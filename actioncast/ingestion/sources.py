"""Where raw points come from: the charts API, any JSON or CSV URL, a file, a function of the user's.

`fetch` returns (unix seconds, value) pairs in the order of the answer, unchecked: series.py checks them. An answer that
is no answer (HTML, truncated, an error status, too late, empty) raises SourceError and names the source.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import math
import os
import sys
import time
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from pydantic_core import from_json
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError
from urllib3.util import Retry

from actioncast.errors import ActioncastError
from actioncast.hours import Points
from actioncast.settings import (
    BlockchainSource,
    CsvSource,
    FileSource,
    JsonSource,
    Patience,
    PythonSource,
    Settings,
    SourceSettings,
    TabularFields,
)
from actioncast.text import progress
from actioncast.times import from_seconds, isoformat, to_seconds

Rows = list[tuple[object, object]]
PASSING = (429, 500, 502, 503, 504)  # a later try may succeed


class SourceError(ActioncastError):
    """The source gave no usable answer."""


def fetch(settings: Settings, series_id: str, since: datetime | None, until: datetime, column: str = "") -> Rows:
    """Ask the series' source, or that of one of its exogenous columns, for its points from `since` (None: all it has)
    to `until`. It may answer with more."""
    place = name_of(settings, series_id, column)
    match _source_of(settings, series_id, column):
        case BlockchainSource() as source:
            rows = _chart_values(_json(_get_chart(source, since, until, settings.patience), place), place)
        case JsonSource() as source:
            body = _get(
                _filled(source.url, since, until), {}, source.headers, source.timeout_seconds, settings.patience
            )
            rows = _from_records(_at(_json(body, place), source.records, place), source, place)
        case CsvSource() as source:
            body = _get(
                _filled(source.url, since, until), {}, source.headers, source.timeout_seconds, settings.patience
            )
            rows = _from_csv(_unpacked(body, place), source, place)
        case FileSource() as source:
            rows = _from_file(settings.folder / source.path, source)
        case PythonSource() as source:
            rows = _from_function(source.function, settings.folder, since, until)
    if not rows:
        raise SourceError(f"{place} answered without a single point; nothing was loaded")
    return rows


def _source_of(settings: Settings, series_id: str, column: str) -> SourceSettings:
    wanted = settings.series[series_id]
    return wanted.exogenous[column] if column else wanted.source


def name_of(settings: Settings, series_id: str, column: str = "") -> str:
    """The source as an error may name it: no query string and no user, which may hold a key."""
    match _source_of(settings, series_id, column):
        case BlockchainSource() as source:
            return _shown(f"{source.url.rstrip('/')}/{source.chart}")
        case JsonSource() | CsvSource() as source:
            return _shown(source.url)
        case FileSource() as source:
            return str(source.path)
        case PythonSource() as source:
            return source.function


def refuse_old(points: Points, now: datetime, maximum_hours: float, name: str) -> None:
    """An answer whose newest point is too old is a dead source that still answers."""
    if not len(points):
        raise SourceError(f"{name}: no usable point up to {isoformat(now)}; nothing was loaded")
    newest = from_seconds(int(points.times.max()))
    age_hours = (now - newest).total_seconds() / 3600
    if age_hours > maximum_hours:
        raise SourceError(
            f"{name}: the newest point is from {isoformat(newest)}, {age_hours:,.0f} h before {isoformat(now)}, more "
            f"than freshness.source_hours = {maximum_hours:g}; nothing was loaded. Is the source dead? For a finished "
            f"recording pass --now {isoformat(newest + timedelta(hours=1))}"
        )


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


# Documents -> rows ------------------------------------------------------------------------------------------------


def _chart_values(document: Any, place: str) -> Rows:
    """The charts API's body -> rows. A status other than ok is its way to say no."""
    if isinstance(document, dict) and document.get("status", "ok") != "ok":
        raise SourceError(f"{place}: expected status ok, got {document['status']!r}: {document.get('error')!r}")
    if not isinstance(document, dict) or not isinstance(document.get("values"), list):
        raise SourceError(f"{place}: expected an object with a list `values`, got {_start(document)}")
    return [
        (point.get("x"), point.get("y")) if isinstance(point, dict) else (None, point) for point in document["values"]
    ]


def _at(document: Any, path: str, place: str) -> list[Any]:
    """The list of records at a dotted path."""
    found = document
    for key in filter(None, path.split(".")):
        if not isinstance(found, dict) or key not in found:
            raise SourceError(f"{place}: no records at {path!r} in the answer; it begins {_start(document)}")
        found = found[key]
    if not isinstance(found, list):
        raise SourceError(f"{place}: expected a list at records = {path!r}, got {_start(found)}")
    return found


def _from_records(records: Sequence[Any], fields: TabularFields, place: str) -> Rows:
    """Records (objects, or rows of a table by column number) -> rows. A missing cell is None and rejected later."""
    pairs = [(_cell(record, fields.timestamp), _cell(record, fields.value)) for record in records]
    for name, cells in zip(("timestamp", "value"), zip(*pairs, strict=True), strict=False):
        if all(cell is None for cell in cells):
            raise SourceError(
                f"{place}: no record has the {name} {getattr(fields, name)!r}; set `{name}` of the source. "
                f"The first one is {_start(records[0])}"
            )
    return _in_seconds(pairs, fields)


def _cell(record: Any, name: str) -> Any:
    try:
        return record[name] if isinstance(record, Mapping) else record[int(name)]
    except (KeyError, ValueError, IndexError, TypeError):
        return None


def _from_csv(body: bytes, fields: TabularFields, place: str) -> Rows:
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        columns = reader.fieldnames or []
        for column in (fields.timestamp, fields.value):
            if column not in columns:
                raise SourceError(f"{place}: no column {column!r}; it has: {', '.join(columns)[:200] or 'nothing'}")
        return _in_seconds([(row[fields.timestamp], row[fields.value]) for row in reader], fields)
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{place}: not a CSV text in UTF-8: {error}") from None


def _from_file(path: Path, source: FileSource) -> Rows:
    try:
        body = _unpacked(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    if body.lstrip()[:1] == b"{":
        return _chart_values(_json(body, str(path)), str(path))
    return _from_csv(body, source, str(path))


def _from_function(reference: str, folder: Path, since: datetime | None, until: datetime) -> Rows:
    """Call module:function(since, until); the module is looked for beside config.toml first."""
    module_name, _, function_name = reference.partition(":")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        function = getattr(importlib.import_module(module_name), function_name)
        return [(to_seconds(t) if isinstance(t, datetime) else t, value) for t, value in function(since, until)]
    except Exception as error:  # the user's code may raise anything; whatever it is, the run has no data
        raise SourceError(f"{reference} failed: {type(error).__name__}: {error}") from error


def _unpacked(body: bytes, place: str) -> bytes:
    """The body without gzip, if it is packed."""
    try:
        return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(f"{place}: gzip that is truncated or broken ({error})") from None


def _json(body: bytes, place: str) -> Any:
    body = _unpacked(body, place)
    try:
        return from_json(body)
    except ValueError as error:
        kind = "HTML instead of JSON" if body.lstrip()[:1] == b"<" else "JSON that is truncated or broken"
        raise SourceError(f"{place}: {kind} ({error}); it begins {body[:60]!r}") from None


def _start(document: object) -> str:
    return repr(document)[:80]


# Written times -> unix seconds --------------------------------------------------------------------------------------


def _in_seconds(pairs: Sequence[tuple[Any, Any]], fields: TabularFields) -> Rows:
    """Turn written times into unix seconds; a time that cannot be read stays as it is and is rejected later."""
    zone = ZoneInfo(fields.timezone)
    seen: set[datetime] = set()
    return [(_seconds(time, zone, seen), value) for time, value in (reversed(pairs) if fields.newest_first else pairs)]


def _seconds(written: Any, zone: ZoneInfo, seen: set[datetime]) -> object:
    """An ISO time or unix seconds -> unix seconds; anything else as it is.

    A local time that the clock shows twice in autumn is the first one at its first appearance and the second one at
    the next; a local time that spring leaves out is no time.
    """
    if not isinstance(written, str) or _is_number(written):
        return written
    try:
        moment = datetime.fromisoformat(written.strip())
        if moment.tzinfo is not None or zone.key == "UTC":
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        local = moment.replace(tzinfo=zone, fold=int(moment in seen))
        seen.add(moment)
        exists = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
        return local.timestamp() if exists else f"{written} does not exist in {zone.key}"
    except (ValueError, OverflowError):
        return written


def _is_number(written: str) -> bool:
    """Unix seconds in text; eight digits or fewer are an ISO date without dashes."""
    return len(written.strip()) > len("20220304") and written.strip().replace(".", "", 1).isdigit()


# HTTP -------------------------------------------------------------------------------------------------------------


def _days(since: datetime, until: datetime) -> int:
    """Whole days to ask for, with one to spare: an answer begins inside an hour, which is then partial."""
    return math.ceil((to_seconds(until) - to_seconds(since)) / 86400) + 1


def _get_chart(source: BlockchainSource, since: datetime | None, until: datetime, patience: Patience) -> bytes:
    """GET /charts/NAME. sampled=false: the default thins the answer to about 1,500 points."""
    timespan = "all" if since is None else f"{_days(since, until)}days"
    parameters = {"timespan": timespan, "sampled": "false", "format": "json"}
    return _get(f"{source.url.rstrip('/')}/{source.chart}", parameters, {}, source.timeout_seconds, patience)


def _filled(url: str, since: datetime | None, until: datetime) -> str:
    """The URL with {start}, {end} and {days} put in."""
    start = since or datetime.fromtimestamp(0, UTC)
    values = {"start": isoformat(start), "end": isoformat(until), "days": str(_days(start, until))}
    for name, value in values.items():
        url = url.replace("{" + name + "}", value)
    return url


def _from_environment(headers: Mapping[str, str]) -> dict[str, str]:
    """Header values with "$NAME" read from the environment, so that no key stands in config.toml."""
    return {header: _header_value(header, value) for header, value in headers.items()}


def _header_value(header: str, value: str) -> str:
    if not value.startswith("$"):
        return value
    secret = os.environ.get(value[1:], "").strip()
    if not secret:
        raise SourceError(f"the header {header} wants the environment variable {value[1:]}, which is not set")
    if not (secret.isascii() and secret.isprintable()):
        raise SourceError(f"the header {header}: {value[1:]} holds characters that no header may hold")
    return secret


def _get(
    url: str, parameters: Mapping[str, str], headers: Mapping[str, str], timeout_seconds: float, patience: Patience
) -> bytes:
    """The body of a GET; retries time-outs, 429 and 5xx twice.

    The time limit holds for the first byte and for the whole body, so that an answer that trickles ends too.
    """
    with requests.Session() as session:
        session.headers.update({"User-Agent": "actioncast", **_from_environment(headers)})
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=_retries(patience)))
        try:
            with session.get(url, params=parameters, timeout=timeout_seconds, stream=True) as answer:
                if answer.status_code != 200:
                    raise SourceError(f"{_shown(url)}: HTTP {answer.status_code} {answer.reason}")
                return _body(answer, time.monotonic() + timeout_seconds, url)
        except (requests.RequestException, HTTPError) as error:
            raise SourceError(f"{_shown(url)}: {_cause(error, timeout_seconds)}") from None


def _retries(patience: Patience) -> Retry:
    return Retry(
        total=2,
        backoff_factor=patience.pause_seconds,
        status_forcelist=PASSING,
        raise_on_status=False,
        retry_after_max=patience.longest_pause_seconds,
    )


def _body(answer: requests.Response, deadline: float, url: str) -> bytes:
    """The whole body. read1 comes back with what is there: reading fixed blocks would wait beyond the deadline."""
    body = bytearray()
    with progress("download", float(answer.headers.get("Content-Length", 0)), "B") as advance:
        while chunk := answer.raw.read1(1 << 18, decode_content=True):
            body += chunk
            advance(len(chunk))
            if time.monotonic() > deadline:
                raise SourceError(f"{_shown(url)}: the answer was not complete in time; {len(body)} bytes came")
    return bytes(body)


def _cause(error: BaseException, timeout_seconds: float) -> str:
    """The innermost reason of a connection error: the outer ones repeat the URL with its query."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, TimeoutError | HTTPTimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    # What requests itself refuses, such as a URL without a host, it quotes.
    quotes = isinstance(error, requests.RequestException)
    return type(error).__name__ if quotes else f"{type(error).__name__}: {error}"

"""Where raw points come from: the charts API, any JSON or CSV URL, a file, a function of the user's.

`fetch` returns (unix seconds, value) pairs in the order of the answer, unchecked: series.py checks them. An answer that
is no answer (HTML, truncated, an error status, too late, empty) raises SourceError and names the source.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import math
import os
import sys
import time
import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pipeline.series import isoformat, to_seconds
from pipeline.settings import (
    ActioncastError,
    BlockchainSource,
    CsvSource,
    FileSource,
    JsonSource,
    PythonSource,
    Settings,
    TabularFields,
)
from pipeline.terminal import progress

Rows = list[tuple[object, object]]
RETRY = Retry(
    total=2,
    backoff_factor=0.5,  # seconds, doubled at each try
    status_forcelist=(429, 500, 502, 503, 504),
    raise_on_status=False,
    retry_after_max=20,  # seconds: a source that wants a longer pause gets it, until the next scheduled run
)


class SourceError(ActioncastError):
    """The source gave no usable answer."""


def fetch(settings: Settings, series_id: str, since: datetime | None, until: datetime) -> Rows:
    """Ask the series' source for its points from `since` (None: all it has) to `until`. It may answer with more."""
    source = settings.series[series_id].source
    match source:
        case BlockchainSource():
            rows = _from_chart(source, since, until)
        case JsonSource():
            document = _json(
                _get(_filled(source.url, since, until), {}, _headers(source.headers), source.timeout_seconds),
                source.url,
            )
            rows = _from_records(_at(document, source.records, source.url), source, source.url)
        case CsvSource():
            body = _get(_filled(source.url, since, until), {}, _headers(source.headers), source.timeout_seconds)
            rows = _from_csv(body, source, _shown(source.url))
        case FileSource():
            rows = _from_file(settings.folder / source.path, source)
        case PythonSource():
            rows = _from_function(source.function, settings.folder, since, until)
    if not rows:
        raise SourceError(f"{name_of(settings, series_id)} answered without a single point; nothing was loaded")
    return rows


def name_of(settings: Settings, series_id: str) -> str:
    """The source as an error may name it: no query string, which may hold a key."""
    match settings.series[series_id].source:
        case BlockchainSource() as source:
            return f"{source.url}/{source.chart}"
        case JsonSource() | CsvSource() as source:
            return _shown(source.url)
        case FileSource() as source:
            return str(source.path)
        case PythonSource() as source:
            return source.function


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _days(since: datetime, until: datetime) -> int:
    """Whole days to ask for, with one to spare: an answer begins inside an hour, which is then partial."""
    return math.ceil((to_seconds(until) - to_seconds(since)) / 86400) + 1


def _from_chart(source: BlockchainSource, since: datetime | None, until: datetime) -> Rows:
    """GET /charts/NAME. sampled=false: the default thins the answer to about 1,500 points."""
    url = f"{source.url.rstrip('/')}/{source.chart}"
    timespan = "all" if since is None else f"{_days(since, until)}days"
    body = _get(url, {"timespan": timespan, "sampled": "false", "format": "json"}, {}, source.timeout_seconds)
    return _chart_values(_json(body, url), url)


def _chart_values(document: Any, place: str) -> Rows:
    """The charts API's body -> rows. A status other than ok is its way to say no."""
    if not isinstance(document, dict) or not isinstance(document.get("values"), list):
        raise SourceError(f"{place}: expected an object with a list `values`, got {_start(document)}")
    if document.get("status", "ok") != "ok":
        raise SourceError(f"{place}: expected status ok, got {document.get('status')!r}: {document.get('error')!r}")
    return [
        (point.get("x"), point.get("y")) if isinstance(point, dict) else (None, point) for point in document["values"]
    ]


def _at(document: Any, path: str, url: str) -> list[Any]:
    for key in filter(None, path.split(".")):
        if not isinstance(document, dict) or key not in document:
            raise SourceError(f"{_shown(url)}: no {path!r} in the answer; it begins {_start(document)}")
        document = document[key]
    if not isinstance(document, list):
        raise SourceError(f"{_shown(url)}: expected a list at records = {path!r}, got {_start(document)}")
    return document


def _from_records(records: Iterable[Any], fields: TabularFields, place: str) -> Rows:
    """Records (objects, or rows of a table by column number) -> rows."""
    try:
        pairs = [
            (record[fields.timestamp], record[fields.value])
            if isinstance(record, Mapping)
            else (record[int(fields.timestamp)], record[int(fields.value)])
            for record in records
        ]
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise SourceError(
            f"{_shown(place)}: a record has no {fields.timestamp!r} or {fields.value!r} ({error}); "
            "set `timestamp` and `value` of the source"
        ) from None
    return _in_seconds(pairs, fields)


def _from_csv(body: bytes, fields: TabularFields, place: str) -> Rows:
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        columns = reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{place}: not a CSV text in UTF-8: {error}") from None
    for column in (fields.timestamp, fields.value):
        if column not in columns:
            raise SourceError(f"{place}: no column {column!r}; it has: {', '.join(columns)[:200] or 'nothing'}")
    return _in_seconds([(row[fields.timestamp], row[fields.value]) for row in reader], fields)


def _from_file(path: Path, source: FileSource) -> Rows:
    try:
        body = path.read_bytes()
        body = gzip.decompress(body) if path.suffix == ".gz" else body
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from None
    except EOFError:
        raise SourceError(f"{path}: the gzip file is truncated") from None
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
    except (ImportError, AttributeError) as error:
        raise SourceError(f"cannot import {reference}: {error}") from None
    try:
        pairs = list(function(since, until))
    except Exception as error:  # the user's code may raise anything; whatever it is, the run has no data
        raise SourceError(f"{reference} raised {type(error).__name__}: {error}") from error
    return [(to_seconds(t) if isinstance(t, datetime) else t, value) for t, value in pairs]


def _in_seconds(pairs: list[tuple[Any, Any]], fields: TabularFields) -> Rows:
    """Turn written times into unix seconds; a time that cannot be read stays as it is and is rejected later."""
    zone = zoneinfo.ZoneInfo(fields.timezone)
    seen: set[datetime] = set()
    rows: Rows = [
        (_seconds(time, zone, seen), value) for time, value in (reversed(pairs) if fields.newest_first else pairs)
    ]
    return rows


def _seconds(written: Any, zone: zoneinfo.ZoneInfo, seen: set[datetime]) -> object:
    """An ISO time or unix seconds -> unix seconds.

    A local hour that the clock shows twice in autumn is the first one at its first appearance and the second one at the
    next; a local hour that spring leaves out is no time.
    """
    if isinstance(written, int | float):
        return written
    try:
        moment = datetime.fromisoformat(str(written).strip())
    except ValueError:
        return written
    if moment.tzinfo is not None:
        return moment.timestamp()
    if zone.key == "UTC":
        return moment.replace(tzinfo=UTC).timestamp()
    local = moment.replace(tzinfo=zone, fold=int(moment in seen))
    seen.add(moment)
    exists = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
    return local.timestamp() if exists else f"{written} does not exist in {zone.key}"


def _filled(url: str, since: datetime | None, until: datetime) -> str:
    """The URL with {start}, {end} and {days} put in."""
    start = since or datetime.fromtimestamp(0, UTC)
    values = {"start": isoformat(start), "end": isoformat(until), "days": str(_days(start, until))}
    for name, value in values.items():
        url = url.replace("{" + name + "}", str(value))
    return url


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Header values with "$NAME" read from the environment, so that no key stands in config.toml."""
    filled = {}
    for header, value in headers.items():
        if value.startswith("$"):
            if not os.environ.get(value[1:]):
                raise SourceError(f"the header {header} wants the environment variable {value[1:]}, which is not set")
            value = os.environ[value[1:]]
        filled[header] = value
    return filled


def _get(url: str, parameters: Mapping[str, str], headers: Mapping[str, str], timeout_seconds: float) -> bytes:
    """The body of a GET; retries time-outs, 429 and 5xx twice. The time limit also holds for an answer that trickles."""
    session = requests.Session()
    session.headers.update({"User-Agent": "actioncast", **headers})
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=RETRY))
    try:
        with session.get(url, params=parameters, timeout=timeout_seconds, stream=True) as answer:
            if answer.status_code != 200:
                raise SourceError(f"{_shown(url)}: HTTP {answer.status_code} {answer.reason}")
            return _body(answer, time.monotonic() + timeout_seconds, url)
    except requests.Timeout:
        raise SourceError(f"{_shown(url)}: no answer within {timeout_seconds:g} s") from None
    except requests.RequestException as error:
        raise SourceError(f"{_shown(url)}: {_cause(error)}") from None


def _body(answer: requests.Response, deadline: float, url: str) -> bytes:
    chunks = []
    with progress("download", float(answer.headers.get("Content-Length", 0)), "B") as advance:
        for chunk in answer.iter_content(1 << 16):
            if time.monotonic() > deadline:
                raise SourceError(
                    f"{_shown(url)}: the answer was not complete in time; {sum(map(len, chunks))} bytes came"
                )
            chunks.append(chunk)
            advance(len(chunk))
    return b"".join(chunks)


def _cause(error: BaseException) -> str:
    """The innermost reason of a connection error, which does not repeat the URL with its query."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{type(error).__name__}: {error}"


def _json(body: bytes, place: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        kind = "HTML instead of JSON" if body.lstrip()[:1] == b"<" else "JSON that is truncated or broken"
        raise SourceError(
            f"{_shown(place) if '://' in place else place}: {kind} ({error}); it begins {body[:60]!r}"
        ) from None


def _start(document: object) -> str:
    return repr(document)[:80]

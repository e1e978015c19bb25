"""Where raw points come from: the charts API, any JSON or CSV URL, a file, a function of the
user's, the bundled recording.

`fetch` returns (unix seconds, value) pairs in the order of the answer, unchecked:
actioncast/periods.py checks them. An answer that is unusable (HTML, truncated, an error status, too
late, empty) raises SourceError and names the source.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from actioncast.database import warehouse
from actioncast.database.connection import DatabaseError
from actioncast.ingestion import documents, files, recording, spans, typed, web
from actioncast.ingestion.documents import Rows, SourceError
from actioncast.ingestion.paging import Page, Pager
from actioncast.paths import RECORDING
from actioncast.settings import Settings
from actioncast.source_settings import (
    BlockchainSource,
    CsvSource,
    DemoSource,
    FileSource,
    JsonSource,
    PythonSource,
    SourceSettings,
    SqlSource,
)
from actioncast.text import progress
from actioncast.times import ONE_HOUR, to_seconds

# What sources say when they are asked for too many days at once.
TOO_LONG = re.compile(r"(?i)\b(range|span|period|interval|days?|months?|exceed\w*|too (long|large|many|wide))\b")


@dataclass(frozen=True)
class _Request:
    """What a source is asked for."""

    source_name: str  # as an error may show it
    since: datetime | None  # None: all the source has
    until: datetime
    folder: Path  # of config.toml: relative paths start here
    client: web.Client
    latest_hours: float | None  # age of a newest row that is old news; None where age says nothing


def fetch(
    settings: Settings,
    series_id: str,
    *,
    column: str = "",
    since: datetime | None,
    until: datetime,
) -> Rows:
    """Ask the source of a series, or of one of its exogenous columns, for its points from `since`
    to `until`.

    `since` None asks for all it has. The source may answer with more than it was asked for. Raises
    SourceError.
    """
    source_name = name_of(settings, series_id, column)
    request = _Request(
        source_name=source_name,
        since=since,
        until=until,
        folder=settings.folder,
        client=web.Client(settings.environment.github_repository, settings.patience),
        latest_hours=None if column else settings.freshness_of(series_id).source / ONE_HOUR,
    )
    rows = _ask(_source_of(settings, series_id, column), request)
    if not rows:
        raise SourceError(f"{source_name} answered without a single point; nothing was loaded")
    return rows


def _source_of(settings: Settings, series_id: str, column: str) -> SourceSettings:
    series = settings.series[series_id]
    if column:
        return series.exogenous[column]
    return series.source


def name_of(settings: Settings, series_id: str, column: str = "") -> str:
    """The source as an error may name it: without the query string and the user, which may hold a key."""
    match _source_of(settings, series_id, column):
        case BlockchainSource() as source:
            return web.without_secrets(_chart_url(source))
        case JsonSource() | CsvSource() as source:
            return web.without_secrets(source.url)
        case FileSource() as source:
            return str(source.path)
        case SqlSource() as source:
            return f"the query at {source.url}"
        case PythonSource() as source:
            return source.function
        case DemoSource():
            return "the bundled recording"


# Each kind of source ------------------------------------------------------------------------------


def _ask(source: SourceSettings, request: _Request) -> Rows:
    match source:
        case BlockchainSource():
            return _ask_chart(source, request)
        case JsonSource() | CsvSource():
            return _ask_url(source, request)
        case FileSource():
            return _read_files(source, request)
        case SqlSource():
            return _query(source, request)
        case PythonSource():
            return _call_function(source.function, request)
        case DemoSource():
            return _replay(request)


def _ask_chart(source: BlockchainSource, request: _Request) -> Rows:
    """GET /charts/NAME. sampled=false: the default thins the answer to about 1,500 points."""
    timespan = "all"
    if request.since is not None:
        timespan = f"{spans.days(request.since, request.until)}days"
    body = request.client.get(
        _chart_url(source),
        parameters={"timespan": timespan, "sampled": "false", "format": "json"},
        timeout_seconds=source.timeout_seconds,
    )
    document = documents.json_document(body, request.source_name)
    return documents.chart_rows(document, request.source_name)


def _chart_url(source: BlockchainSource) -> str:
    return f"{source.url.rstrip('/')}/{source.chart}"


def _ask_url(source: JsonSource | CsvSource, request: _Request) -> Rows:
    """All rows of a URL. Raises SourceError, also when no page has a row that `where` asks for."""
    reader = _Reader(source, request.source_name)
    rows = _ask_in_parts(source, request, reader.page)
    if not rows and reader.refusal:
        raise reader.refusal
    return rows


def _ask_in_parts(
    source: JsonSource | CsvSource,
    request: _Request,
    read: Callable[[bytes], Page],
) -> Rows:
    """Ask once, or once for each part where the source answers only so many days at a time."""
    if spans.is_by_day(source.url):
        return _ask_days(source, request, read)
    if source.days_per_request is None:
        return _ask_span(source, request, read)
    since = _start(request, f"{source.days_per_request:g} days at a time")
    parts = list(spans.parts(since, request.until, source.days_per_request))
    rows: Rows = []
    with progress("requests", len(parts), "part") as advance:
        for begin, end in parts:
            part = _ask_span(source, replace(request, since=begin, until=end), read)
            rows += documents.rows_after(rows, part)
            advance(1)
    return rows


def _start(request: _Request, portion: str) -> datetime:
    """Where to begin in portions. Raises SourceError when all there is was asked for."""
    if request.since is None:
        raise SourceError(
            f"{request.source_name} is asked for {portion}, and needs "
            "to be told from when on: set history of the series, or pass --backfill START"
        )
    return request.since


def _ask_days(
    source: JsonSource | CsvSource,
    request: _Request,
    read: Callable[[bytes], Page],
) -> Rows:
    """Ask once for each calendar day. Just after midnight there is no file of the new day yet."""
    since = _start(request, "one day at a time")
    days = list(spans.calendar_days(since, request.until, ZoneInfo(source.timezone)))
    request = replace(request, latest_hours=None)  # the file of an early day is old, and whole
    rows: Rows = []
    with progress("requests", len(days), "day") as advance:
        for day in days:
            of_day = source.model_copy(update={"url": spans.with_day(source.url, day)})
            try:
                rows += _ask_span(of_day, request, read)
            except web.AbsentError:
                if day is not days[-1] or not rows:
                    raise
            advance(1)
    return rows


def _ask_span(
    source: JsonSource | CsvSource,
    request: _Request,
    read: Callable[[bytes], Page],
) -> Rows:
    """The rows of a span, however many pages the source makes of it."""
    pager = Pager(
        source=source,
        source_name=request.source_name,
        since=request.since,
        until=request.until,
        latest_hours=request.latest_hours,
        ask=lambda url: read(_get(url, source, request)),
    )
    return pager.rows()


def _get(url: str, source: JsonSource | CsvSource, request: _Request) -> bytes:
    """The body at a URL of the source. An error says what helps a source that refuses long spans."""
    try:
        return request.client.get(
            url,
            headers=_with_secrets(source.headers),
            timeout_seconds=source.timeout_seconds,
        )
    except web.RefusedError as error:
        if source.days_per_request is not None or not TOO_LONG.search(error.reason):
            raise
        days = spans.days(request.since or spans.EPOCH, request.until)
        advice = f"{days:,} days were asked for at once: set days_per_request of the source to what it allows"
        raise SourceError(f"{error}; {advice}") from None


class _Reader:
    """Reads the answers of one source. A page without a row that `where` asks for stops no other."""

    def __init__(self, source: JsonSource | CsvSource, source_name: str) -> None:
        self.source = source
        self.source_name = source_name
        self.refusal: SourceError | None = None  # of the last page without such a row

    def page(self, body: bytes) -> Page:
        """One answer. Raises SourceError."""
        source = self.source
        following = None
        if isinstance(source, JsonSource):
            document = documents.json_document(body, self.source_name)
            columns = documents.json_columns(document, source, self.source_name)
            following = documents.field_at(document, source.next) if source.next else None
        else:
            text = documents.unpacked(body, self.source_name)
            columns = documents.csv_columns(text, source, self.source_name)
        records = len(columns[source.value])
        return Page(rows=self._rows(columns), records=records, next=following)

    def _rows(self, columns: Mapping[str, Sequence[Any]]) -> Rows:
        try:
            return documents.column_rows(columns, self.source, self.source_name)
        except documents.NoRowOfPageError as error:
            self.refusal = error
            return []


def _read_files(source: FileSource, request: _Request) -> Rows:
    """The rows of all files that the path names. Exports overlap: a row of two files counts once."""
    rows: Rows = []
    seen: set[str] = set()
    for path in files.named(request.folder, source.path):
        part = [(repr(row), row) for row in _read_file(path, source)]
        rows += [row for text, row in part if text not in seen]
        seen.update(text for text, _ in part)
    return rows


def _read_file(path: Path, source: FileSource) -> Rows:
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    body = documents.unpacked(packed, str(path))
    if body.startswith(files.PARQUET):
        columns = files.parquet_columns(body, str(path))
        return typed.rows_of(columns, source, str(path))
    return documents.file_rows(body, source, str(path))


def _query(source: SqlSource, request: _Request) -> Rows:
    """The rows of a query."""
    variable = source.url.removeprefix("$")
    address = os.environ.get(variable, "").strip()
    if not address:
        fault = f"the environment variable {variable} is not set"
        raise SourceError(f"{request.source_name}: {fault}; on GitHub it is a secret of this name")
    moments = {"start": request.since or spans.EPOCH, "end": request.until}
    try:
        columns = warehouse.read(
            address,
            source.query,
            moments,
            timeout_seconds=source.timeout_seconds,
        )
    except DatabaseError as error:
        raise SourceError(f"{request.source_name}: {error}") from None
    return typed.rows_of(columns, source, request.source_name)


def _call_function(reference: str, request: _Request) -> Rows:
    """Call module:function(since, until); the module is looked for beside config.toml first."""
    module_name, _, function_name = reference.partition(":")
    folder = str(request.folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    rows: Rows = []
    try:
        function = getattr(importlib.import_module(module_name), function_name)
        for moment, value in function(request.since, request.until):
            seconds = to_seconds(moment) if isinstance(moment, datetime) else moment
            rows.append((seconds, value))
    # The user's code may raise anything; whatever it is, the run has no data.
    except Exception as error:
        raise SourceError(f"{reference} failed: {type(error).__name__}: {error}") from error
    return rows


def _replay(request: _Request) -> Rows:
    try:
        packed = RECORDING.read_bytes()
    except OSError as error:
        remedy = "name a source of your own in config.toml, or restore the folder data/"
        raise SourceError(f"{RECORDING}: {error.strerror}; {remedy}") from None
    body = documents.unpacked(packed, request.source_name)
    document = documents.json_document(body, request.source_name)
    recorded = documents.chart_rows(document, request.source_name)
    return recording.replayed(recorded, request.since, request.until)


# Headers -----------------------------------------------------------------------------------------


def _with_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers whose values "$NAME" are read from the environment, so that config.toml holds no key."""
    return {header: _header_value(header, value) for header, value in headers.items()}


def _header_value(header: str, value: str) -> str:
    if not value.startswith("$"):
        return value
    variable = value[1:]
    secret = os.environ.get(variable, "").strip()
    if not secret:
        fault = f"wants the environment variable {variable}, which is not set"
        raise SourceError(f"the header {header} {fault}")
    if not (secret.isascii() and secret.isprintable()):
        fault = "holds characters that no header may hold"
        raise SourceError(f"the header {header}: {variable} {fault}")
    return secret

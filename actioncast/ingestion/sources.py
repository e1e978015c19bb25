"""Where raw points come from: the charts API, any JSON or CSV URL, a file, a function of the
user's, the bundled recording.

`fetch` returns (unix seconds, value) pairs in the order of the answer, unchecked:
actioncast/hours.py checks them. An answer that is unusable (HTML, truncated, an error status, too
late, empty) raises SourceError and names the source.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError
from urllib3.util import Retry

from actioncast.hours import Points
from actioncast.ingestion import documents, recording, spans
from actioncast.ingestion.documents import Rows, SourceError
from actioncast.paths import RECORDING
from actioncast.settings import (
    BlockchainSource,
    CsvSource,
    DemoSource,
    FileSource,
    JsonSource,
    Patience,
    PythonSource,
    Settings,
    SourceSettings,
)
from actioncast.text import progress
from actioncast.times import HOUR, ONE_HOUR, from_seconds, isoformat, to_seconds

PASSING = (429, 500, 502, 503, 504)  # statuses after which a later try may succeed
BLOCK_BYTES = 1 << 18  # of a body, read at once at most


@dataclass(frozen=True)
class _Request:
    """What a source is asked for."""

    source_name: str  # as an error may show it
    since: datetime | None  # None: all the source has
    until: datetime
    folder: Path  # of config.toml: relative paths start here
    patience: Patience


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
        patience=settings.patience,
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
            return _without_secrets(_chart_url(source))
        case JsonSource() | CsvSource() as source:
            return _without_secrets(source.url)
        case FileSource() as source:
            return str(source.path)
        case PythonSource() as source:
            return source.function
        case DemoSource():
            return "the bundled recording"


def _without_secrets(url: str) -> str:
    """The URL without its user, password and query string."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def refuse_old(points: Points, now: datetime, maximum_hours: float, source_name: str) -> None:
    """Raise SourceError when the newest point is too old: a dead source may still answer."""
    if not len(points):
        moment = isoformat(now)
        raise SourceError(f"{source_name}: no usable point up to {moment}; nothing was loaded")
    newest = from_seconds(int(points.times.max()))
    age_hours = (now - newest).total_seconds() / HOUR
    if age_hours > maximum_hours:
        raise SourceError(
            f"{source_name}: the newest point is from {isoformat(newest)}, "
            f"{age_hours:,.0f} h before {isoformat(now)}, more "
            f"than freshness.source_hours = {maximum_hours:g}; nothing was loaded. "
            f"Is the source dead? For a finished recording pass --now {isoformat(newest + ONE_HOUR)}"
        )


# Each kind of source ------------------------------------------------------------------------------


def _ask(source: SourceSettings, request: _Request) -> Rows:
    match source:
        case BlockchainSource():
            return _ask_chart(source, request)
        case JsonSource():
            return _ask_in_parts(partial(_ask_json, source), source, request)
        case CsvSource():
            return _ask_in_parts(partial(_ask_csv, source), source, request)
        case FileSource():
            return _read_file(source, request)
        case PythonSource():
            return _call_function(source.function, request)
        case DemoSource():
            return _replay(request)


def _ask_chart(source: BlockchainSource, request: _Request) -> Rows:
    """GET /charts/NAME. sampled=false: the default thins the answer to about 1,500 points."""
    timespan = "all"
    if request.since is not None:
        timespan = f"{spans.days(request.since, request.until)}days"
    body = _get(
        _chart_url(source),
        parameters={"timespan": timespan, "sampled": "false", "format": "json"},
        timeout_seconds=source.timeout_seconds,
        patience=request.patience,
    )
    document = documents.json_document(body, request.source_name)
    return documents.chart_rows(document, request.source_name)


def _chart_url(source: BlockchainSource) -> str:
    return f"{source.url.rstrip('/')}/{source.chart}"


def _ask_in_parts(
    ask: Callable[[_Request], Rows],
    source: JsonSource | CsvSource,
    request: _Request,
) -> Rows:
    """Ask once, or once for each part where the source answers only so many days at a time."""
    if source.days_per_request is None:
        return ask(request)
    if request.since is None:
        raise SourceError(
            f"{request.source_name} is asked for {source.days_per_request:g} days at a time, and needs "
            "to be told from when on: set history_days of the series, or pass --backfill START"
        )
    rows: Rows = []
    for begin, end in spans.parts(request.since, request.until, source.days_per_request):
        part = ask(replace(request, since=begin, until=end))
        rows += documents.rows_after(rows, part)
    return rows


def _ask_json(source: JsonSource, request: _Request) -> Rows:
    document = documents.json_document(_get_span(source, request), request.source_name)
    records = documents.records_at(document, source.records, request.source_name)
    return documents.record_rows(records, source, request.source_name)


def _ask_csv(source: CsvSource, request: _Request) -> Rows:
    body = documents.unpacked(_get_span(source, request), request.source_name)
    return documents.csv_rows(body, source, request.source_name)


def _get_span(source: JsonSource | CsvSource, request: _Request) -> bytes:
    """The body at the URL of the source, with the span of the request put into it."""
    return _get(
        spans.filled(source.url, request.since, request.until),
        headers=_with_secrets(source.headers),
        timeout_seconds=source.timeout_seconds,
        patience=request.patience,
    )


def _read_file(source: FileSource, request: _Request) -> Rows:
    path = request.folder / source.path
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    body = documents.unpacked(packed, str(path))
    if body.lstrip()[:1] == b"{":
        document = documents.json_document(body, str(path))
        return documents.chart_rows(document, str(path))
    return documents.csv_rows(body, source, str(path))


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


# HTTP ---------------------------------------------------------------------------------------------


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


def _get(
    url: str,
    *,
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float,
    patience: Patience,
) -> bytes:
    """The body of a GET; time-outs, 429 and 5xx are retried twice.

    The time limit holds for the first byte and for the whole body, so that an answer that trickles
    ends too.
    """
    with _session(headers or {}, patience) as session:
        try:
            with session.get(
                url,
                params=parameters,
                timeout=timeout_seconds,
                stream=True,
            ) as answer:
                if answer.status_code != 200:
                    reason = f"HTTP {answer.status_code} {answer.reason}"
                    raise SourceError(f"{_without_secrets(url)}: {reason}")
                return _body(answer, time.monotonic() + timeout_seconds, url)
        except (requests.RequestException, HTTPError) as error:
            cause = _cause(error, timeout_seconds)
            raise SourceError(f"{_without_secrets(url)}: {cause}") from None


def _session(headers: Mapping[str, str], patience: Patience) -> requests.Session:
    retries = Retry(
        total=2,
        backoff_factor=patience.pause_seconds,
        status_forcelist=PASSING,
        raise_on_status=False,
        retry_after_max=patience.longest_pause_seconds,
    )
    session = requests.Session()
    session.headers.update({"User-Agent": "actioncast", **headers})
    session.mount("http://", HTTPAdapter(max_retries=retries))
    session.mount("https://", HTTPAdapter(max_retries=retries))
    return session


def _body(answer: requests.Response, deadline: float, url: str) -> bytes:
    """The whole body; `deadline` is a reading of the monotonic clock."""
    body = bytearray()
    size = float(answer.headers.get("Content-Length", 0))
    with progress("download", size, "B") as advance:
        # read1 returns what has come: waiting for a full block would go beyond the deadline.
        while chunk := answer.raw.read1(BLOCK_BYTES, decode_content=True):
            body += chunk
            advance(len(chunk))
            if time.monotonic() > deadline:
                fault = f"the answer was not complete in time; {len(body)} bytes came"
                raise SourceError(f"{_without_secrets(url)}: {fault}")
    return bytes(body)


def _cause(error: BaseException, timeout_seconds: float) -> str:
    """The innermost reason of a connection error: the outer ones repeat the URL with its query."""
    inner = error.__cause__ or error.__context__
    while inner is not None:
        error = inner
        inner = error.__cause__ or error.__context__
    if isinstance(error, TimeoutError | HTTPTimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    # An error of requests itself, such as a URL without a host, quotes the URL.
    if isinstance(error, requests.RequestException):
        return type(error).__name__
    return f"{type(error).__name__}: {error}"

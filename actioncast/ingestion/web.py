"""One GET to a source: retried where that may help, ended in time, and without secrets in its errors."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, MaxRetryError, ResponseError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError
from urllib3.util import Retry

from actioncast.environment import Patience
from actioncast.ingestion.documents import SourceError
from actioncast.redaction import masked
from actioncast.text import progress

PASSING = (429, 500, 502, 503, 504)  # statuses after which a later try may succeed
REFUSALS = (400, 413, 422)  # statuses whose body says what was wrong with the request
BLOCK_BYTES = 1 << 18  # of a body, read at once at most
SHOWN_CHARACTERS = 200  # of what a source says about a request that it refuses


class RefusedError(SourceError):
    """The source refuses what it was asked for; `reason` is what it says."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(f"{message}: {reason}" if reason else message)
        self.reason = reason


class AbsentError(SourceError):
    """There is nothing at the URL."""


@dataclass(frozen=True)
class Client:
    """Who asks, and how patiently."""

    repository: str | None  # owner/name on GitHub
    patience: Patience

    @property
    def user_agent(self) -> str:
        """Some sources refuse a client that does not say where to reach its operator."""
        if not self.repository:
            return "actioncast"
        return f"actioncast (+https://github.com/{self.repository})"

    def get(
        self,
        url: str,
        *,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float,
    ) -> bytes:
        """The body of a GET; time-outs, 429 and 5xx are retried twice, after Retry-After where it is given.

        The time limit holds for the first byte and for the whole body, so that an answer that
        trickles ends too. Raises SourceError: RefusedError and
        AbsentError are kinds of it.
        """
        with self._session(headers or {}) as session:
            try:
                with session.get(
                    url,
                    params=parameters,
                    timeout=timeout_seconds,
                    stream=True,
                ) as answer:
                    deadline = time.monotonic() + timeout_seconds
                    if answer.status_code != 200:
                        raise _failure(answer, url, deadline)
                    return _body(answer, deadline, url)
            except (requests.RequestException, HTTPError) as error:
                cause = _cause(error, timeout_seconds)
                raise SourceError(f"{without_secrets(url)}: {cause}") from None

    def _session(self, headers: Mapping[str, str]) -> requests.Session:
        retries = _Retries(
            total=2,
            backoff_factor=self.patience.pause_seconds,
            status_forcelist=PASSING,
            raise_on_status=False,
            retry_after_max=self.patience.retry_after_seconds,
        )
        session = _Session(headers)
        session.headers.update({"User-Agent": self.user_agent, **headers})
        session.mount("http://", HTTPAdapter(max_retries=retries))
        session.mount("https://", HTTPAdapter(max_retries=retries))
        return session


class _Session(requests.Session):
    """Headers of the source go to no other host; requests itself holds only Authorization back."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._own_headers = tuple(headers)

    def rebuild_auth(
        self,
        prepared_request: requests.PreparedRequest,
        response: requests.Response,
    ) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        before, after = str(response.request.url), str(prepared_request.url)
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]
            for name in self._own_headers:
                prepared_request.headers.pop(name, None)


class _Retries(Retry):
    """A source that asks for a longer pause than `retry_after_max` is not asked again; where that
    is 0, nothing waits."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        if response is not None and self.retry_after_max:
            seconds = _retry_after_seconds(response.headers.get("Retry-After", ""))
            if seconds > self.retry_after_max:
                raise MaxRetryError(_pool, url or "", ResponseError("Retry-After"))
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def parse_retry_after(self, retry_after: str) -> float:
        return min(_retry_after_seconds(retry_after), self.retry_after_max)


def _retry_after_seconds(header: str) -> float:
    """The pause that the header asks for, in seconds or until an HTTP date; 0 for anything else."""
    text = header.strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _failure(answer: requests.Response, url: str, deadline: float) -> SourceError:
    """Why an answer with another status than 200 is none."""
    message = f"{without_secrets(url)}: HTTP {answer.status_code} {answer.reason}"
    if answer.status_code in REFUSALS:
        return RefusedError(message, _shown(_body(answer, deadline, url), url))
    if answer.status_code == 404:
        return AbsentError(message)
    seconds = _retry_after_seconds(answer.headers.get("Retry-After", ""))
    if answer.status_code in PASSING and seconds > 0:
        return SourceError(f"{message}; it asks to be left alone for {seconds:,.0f} s")
    return SourceError(message)


def _shown(body: bytes, url: str) -> str:
    """What a source says about a refused request, on one line; nothing where it answers a web page.

    Some repeat the whole request, so the values of its query are masked.
    """
    text = " ".join(body.decode("utf-8", errors="replace").split())
    if text.startswith("<"):
        return ""
    values = [value for _, value in parse_qsl(urlsplit(url).query)]
    text = masked(re.sub(r"https?://\S+", "...", text), values)
    return text[:SHOWN_CHARACTERS]


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
                raise SourceError(f"{without_secrets(url)}: {fault}")
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


def without_secrets(url: str) -> str:
    """The URL without its user, password and query string."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"

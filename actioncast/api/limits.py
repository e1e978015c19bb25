"""Limits of the API: requests per minute, the size of a body, and the headers that protect browsers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actioncast.api.problems import problem
from actioncast.settings import ApiSettings, Settings

BURST_SECONDS = 10  # a client that was silent may use up so much of its rate at once
REMEMBERED_CLIENTS = 10_000  # then those whose allowance is whole are forgotten

# By hand: seven constants need no library, and every answer carries them, also errors.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PICTURE = ".svg"
ANYWHERE = {"Cross-Origin-Resource-Policy": "cross-origin"}  # pages elsewhere may show a picture
HSTS = {"Strict-Transport-Security": "max-age=31536000"}  # in production: the platform ends TLS


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


class RateLimit:
    """At most so many requests a minute and client, evenly, with a burst (the generic cell rate
    algorithm, GCRA).

    By hand, because the library `limits` counts in windows only: it lets a client ask a whole
    minute's worth at once.
    """

    def __init__(
        self,
        requests_per_minute: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = 0.0  # seconds between two requests; 0 is no limit
        if requests_per_minute:
            self._interval = 60 / requests_per_minute
        self._burst = max(BURST_SECONDS, self._interval)  # a slow rate still admits one request
        self._clock = clock
        self._due: dict[str, float] = {}  # client -> when its allowance is whole again

    def wait(self, client: str) -> float:
        """Seconds until this client may ask. 0 when it may ask now; then the request is counted."""
        if not self._interval:
            return 0.0
        now = self._clock()
        due = max(self._due.get(client, now), now) + self._interval
        if due - now > self._burst:
            return due - now - self._burst
        if len(self._due) >= REMEMBERED_CLIENTS:
            self._forget(now)
        self._due[client] = due
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop the clients whose allowance is whole: they count like new ones."""
        self._due = {client: due for client, due in self._due.items() if due > now}


class Guard:
    """ASGI middleware: checks the limits before a request, adds the security headers to its answer.

    Plain ASGI, because it runs for every request, and Starlette's BaseHTTPMiddleware would start a
    task for each.
    """

    def __init__(self, app: ASGIApp, settings: Settings, page_of: Callable[[ASGIApp], ASGIApp]) -> None:
        """`page_of` wraps what answers a browser: its problems become pages."""
        self._app = app
        self._page_of = page_of
        self._api: ApiSettings = settings.api
        self._limit = RateLimit(settings.api.requests_per_minute)
        self._behind_proxy = settings.environment.production
        headers = dict(HEADERS)
        if settings.environment.production:
            headers |= HSTS
        self._headers = _encoded(headers)
        self._headers_of_pictures = _encoded(headers | ANYWHERE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # FastAPI's routes do not answer HEAD as Starlette's do: it is a GET whose answer loses its
        # body.
        is_head = scope["method"] == "HEAD"
        if is_head:
            scope = {**scope, "method": "GET"}

        headers = self._headers_of_pictures if scope["path"].endswith(PICTURE) else self._headers

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        asked = dict(scope["headers"])
        app = self._refusal(scope, asked) or self._app
        if b"text/html" in asked.get(b"accept", b""):
            app = self._page_of(app)
        await app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> ASGIApp | None:
        """The problem to answer instead, or None for a request within the limits."""
        if scope["path"] != "/health":  # the platform's probe is free
            seconds = self._limit.wait(self._client(scope, headers))
            if seconds:
                detail = f"more than {self._api.requests_per_minute} requests a minute"
                return problem(429, detail, headers={"Retry-After": str(math.ceil(seconds))})
        if self._is_too_large(headers):
            return problem(
                413,
                f"expected at most {self._api.maximum_body_bytes} bytes, with their Content-Length",
            )
        return None

    def _client(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Address of the client; behind a cloud's proxy the last one forwarded, because the proxy itself added it."""
        forwarded = headers.get(b"x-forwarded-for")
        if self._behind_proxy and forwarded:
            last = forwarded.rsplit(b",", 1)[-1]
            return last.strip().decode("latin-1")
        if scope["client"] is None:
            return ""
        return str(scope["client"][0])

    def _is_too_large(self, headers: dict[bytes, bytes]) -> bool:
        """A body of unknown length is refused rather than counted."""
        if b"transfer-encoding" in headers:
            return True
        length = headers.get(b"content-length", b"0")
        return not length.isdigit() or int(length) > self._api.maximum_body_bytes

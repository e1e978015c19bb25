"""Limits of the API: requests per minute, the size of a body, and the headers that protect browsers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actioncast.api.problems import problem
from actioncast.settings import ApiSettings, Settings

BURST_SECONDS = 10  # a client that was silent may use up so much of its rate at once
REMEMBERED_CLIENTS = 10_000
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}  # in production, where the platform ends TLS


class RateLimit:
    """At most so many requests a minute and client, evenly, with a burst (the generic cell rate algorithm)."""

    def __init__(self, requests_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._clock = clock
        self._due: dict[str, float] = {}  # client -> when its allowance is whole again

    def wait(self, client: str) -> float:
        """Seconds until this client may ask; 0 when it may now, and then the request is counted."""
        if not self._interval:
            return 0.0
        now = self._clock()
        due = max(self._due.get(client, now), now)
        if due + self._interval - now > max(BURST_SECONDS, self._interval):
            return due + self._interval - now - max(BURST_SECONDS, self._interval)
        if len(self._due) >= REMEMBERED_CLIENTS:
            self._due = {name: moment for name, moment in self._due.items() if moment > now}
        self._due[client] = due + self._interval
        return 0.0


class Guard:
    """ASGI middleware: limits before, security headers after. Plain ASGI, because it runs for every request."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._api: ApiSettings = settings.api
        self._limit = RateLimit(settings.api.requests_per_minute)
        self._behind_proxy = settings.environment.production
        headers = HEADERS | (HSTS if settings.environment.production else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        head = scope["method"] == "HEAD"
        if head:  # every GET answers it too, with its headers alone
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            elif head:
                message = {**message, "body": b""}
            await send(message)

        headers = dict(scope["headers"])
        app: ASGIApp = self._app
        if scope["path"] != "/health" and (seconds := self._limit.wait(self._client(scope, headers))):
            app = problem(
                429,
                f"more than {self._api.requests_per_minute} requests a minute",
                headers={"Retry-After": str(math.ceil(seconds))},
            )
        elif self._too_large(headers):
            app = problem(413, f"expected at most {self._api.maximum_body_bytes} bytes, with their Content-Length")
        await app(scope, receive, send_with_headers)

    def _client(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """The address; behind a cloud's proxy the one that the proxy itself has added, which is the last."""
        forwarded = headers.get(b"x-forwarded-for") if self._behind_proxy else None
        if forwarded:
            return forwarded.rsplit(b",", 1)[-1].strip().decode("latin-1")
        return scope["client"][0] if scope["client"] else ""

    def _too_large(self, headers: dict[bytes, bytes]) -> bool:
        """No route reads a body, so that one without a length is refused rather than counted."""
        length = headers.get(b"content-length", b"0")
        return b"transfer-encoding" in headers or not length.isdigit() or int(length) > self._api.maximum_body_bytes

"""Who may ask, how much, how often; and the headers that every answer carries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import time
from collections.abc import Callable, Sequence

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.api.problems import problem
from pipeline.settings import ApiSettings, Settings, SettingsError

SHORTEST_KEY = 16  # characters, in production
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


def check_safe(settings: Settings) -> None:
    """Raises SettingsError where anybody could write: in production without a key, or with one that can be guessed."""
    if not settings.environment.production or settings.api.authentication == "platform":
        return
    keys = settings.environment.api_keys()
    if not keys:
        raise SettingsError(
            "in production the API does not start without API_KEY (several keys: with commas between); if only the "
            'cloud\'s IAM lets callers in, say so in config.toml: [api] authentication = "platform"'
        )
    if (shortest := min(len(key) for key in keys)) < SHORTEST_KEY:
        raise SettingsError(f"a key in API_KEY has {shortest} characters; {SHORTEST_KEY} are the least in production")


# Keys --------------------------------------------------------------------------------------------------------------

# Described by hand and read by hand: as dependencies of dependencies they took a third of a request's time.
SCHEMES = {
    "APIKeyHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "One of the keys in API_KEY",
    },
    "HTTPBearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same key as a bearer token, for tools that know no other header",
    },
    "HTTPBasic": {
        "type": "http",
        "scheme": "basic",
        "description": "For browsers, to read: any name, and the same key as the password",
    },
}
TO_WRITE: list[dict[str, list[str]]] = [{"APIKeyHeader": []}, {"HTTPBearer": []}]  # either
TO_READ = [*TO_WRITE, {"HTTPBasic": []}]
BEARER = 'Bearer realm="actioncast"'
BASIC = 'Basic realm="Actioncast: any name, the API key as password", charset="UTF-8"'


class Keys:
    """The valid keys, as digests: comparing takes the same time whatever was presented."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = [_digest(key) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def match(self, presented: str) -> bool:
        mine = _digest(presented)
        return sum(hmac.compare_digest(mine, digest) for digest in self._digests) > 0


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def writing(request: Request) -> None:
    """A dependency: the caller may write. Not by Basic: a browser would add that to what other sites send, too."""
    _admit(request, _presented(request), BEARER)


async def reading(request: Request) -> None:
    """A dependency: the caller may read. A browser asks its user, who gives any name, and the key as the password."""
    if request.app.state.settings.api.reading == "key":
        wants_page = "text/html" in request.headers.get("accept", "")
        challenge = BASIC if wants_page else BEARER
        _admit(request, _presented(request) or _password(request), challenge)


def _admit(request: Request, presented: str | None, challenge: str) -> None:
    keys: Keys = request.app.state.keys
    if keys and (presented is None or not keys.match(presented)):
        detail = "this key is not valid" if presented else "a key is needed: X-API-Key, or Authorization: Bearer"
        raise HTTPException(401, detail, {"WWW-Authenticate": challenge})


def _presented(request: Request) -> str | None:
    return request.headers.get("x-api-key") or _authorization(request, "bearer")


def _password(request: Request) -> str | None:
    """Of HTTP Basic; what cannot be decoded is a wrong one."""
    credentials = _authorization(request, "basic")
    if credentials is None:
        return None
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _authorization(request: Request, wanted: str) -> str | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == wanted else None


# Limits ------------------------------------------------------------------------------------------------------------


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

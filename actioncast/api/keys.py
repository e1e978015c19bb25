"""Who may ask, how much, how often; and the headers that every answer carries."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from fastapi import Request
from starlette.exceptions import HTTPException

from actioncast.settings import Settings, SettingsError

SHORTEST_KEY = 16  # characters, in production


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

"""The keys of the API: how clients send them, which are valid, and whether production is safe with them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from actioncast.settings import Settings, SettingsError

SHORTEST_KEY = 16  # characters, in production

# Security schemes of OpenAPI.
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
TO_WRITE: list[dict[str, list[str]]] = [{"APIKeyHeader": []}, {"HTTPBearer": []}]  # either of them
TO_READ = [*TO_WRITE, {"HTTPBasic": []}]


class Keys:
    """The valid keys, as digests of equal length: a comparison takes the same time for any key that is presented."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = [_digest(key) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def match(self, key: str) -> bool:
        digest = _digest(key)
        # All keys are compared, also after a match, so that the time does not tell which one
        # matched.
        matches = [hmac.compare_digest(digest, valid) for valid in self._digests]
        return any(matches)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def check_safe(settings: Settings) -> None:
    """Raise SettingsError where anybody could write: in production without a key, or with one that can be guessed."""
    if not settings.environment.production or settings.api.authentication == "platform":
        return
    keys = settings.environment.api_keys()
    if not keys:
        raise SettingsError(
            "in production the API does not start without API_KEY "
            "(several keys: with commas between); if only the cloud's IAM lets callers in, "
            'say so in config.toml: [api] authentication = "platform"'
        )
    shortest = min(len(key) for key in keys)
    if shortest < SHORTEST_KEY:
        raise SettingsError(f"a key in API_KEY has {shortest} characters; {SHORTEST_KEY} are the least in production")

"""What no output may show: secrets by value and by shape, and URIs without them.

Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, unquote

SHORTEST_PIECE = 3  # characters of a piece of a password; shorter pieces occur in any message
SHORTEST_SECRET = 6  # characters of an environment variable; masking less would garble the message
_SECRET_NAME = re.compile(r"pass|token|secret|key", re.IGNORECASE)

_CREDENTIALS_IN_URL = re.compile(r"://[^/\s@]+@")
_GITHUB_TOKEN = re.compile(r"\b(gh[a-z]_|github_pat_)\w+")
_NAMED_VALUE = re.compile(  # password=…, "api_key": "…", Authorization: Bearer …
    r"(?i)\b((?:\w*(?:password|token|secret|api[_-]?key)|authorization)['\"]?\s*[=:]\s*)"
    r"[^\s,;}]+( \S+)?"
)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret value replaced by ***."""
    # Longest first: a secret may be part of another one.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def redacted(text: str) -> str:
    """The text without what looks like a credential."""
    text = _CREDENTIALS_IN_URL.sub("://***@", text)
    text = _GITHUB_TOKEN.sub("***", text)
    return _NAMED_VALUE.sub(r"\1***", text)


def secret_values(uri: str, variables: Mapping[str, str]) -> frozenset[str]:
    """Password and secret parameters of the URI, and the values of variables named like one.

    The password counts as written, decoded, and in pieces: one with an unescaped `@` or `/` is cut
    there by the database driver, which then reports the piece as a host that does not exist.
    """
    userinfo = userinfo_of(uri)
    password = userinfo.partition(":")[2]
    secrets = {userinfo, password, unquote(password)}
    for piece in re.split(r"[@/?#:]", password):
        if len(piece) >= SHORTEST_PIECE:
            secrets.add(piece)
    for name, value in parse_qsl(uri.partition("?")[2]):
        if _SECRET_NAME.search(name):
            secrets.add(value)
    for name, value in variables.items():
        if _SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET:
            secrets.add(value)
    return frozenset(secrets - {""})


def userinfo_of(uri: str) -> str:
    """User and password before the host; of a database URI all up to the last `@`, so that no part is missed."""
    scheme, _, address = uri.partition("://")
    if scheme.startswith("sqlite"):
        return ""  # a path, which may hold any character
    if scheme.startswith("http"):
        address = re.split(r"[/?#]", address)[0]
    return address.rpartition("@")[0]


def without_secrets(uri: str) -> str:
    """The URI as it may be printed: without user, password and parameters."""
    scheme, separator, address = uri.partition("://")
    visible = address.removeprefix(f"{userinfo_of(uri)}@")
    return f"{scheme}{separator}{visible.partition('?')[0]}"

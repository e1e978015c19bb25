"""What no output may show: secrets by value and by shape, and URIs without them.

Standard library only.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, quote, quote_plus, unquote

SHORTEST_SECRET = 4  # characters; a shorter value occurs in any message, and masking it would shred the text
SHORTEST_UNNAMED = 6  # of a variable of which only the name says that it is secret, such as X_KEY=yes
SHORTEST_IN_BASE64 = 8  # shorter ones leave too few characters to be told from chance
SECRETS = (  # the variables whose values are secret, of this project and of the libraries it calls
    "DATABASE_URL",
    "URI",
    "GITHUB_TOKEN",
    "TOKEN",
    "API_KEY",
    "SOURCE_TOKEN",
    "WAREHOUSE_URL",
    "WEBHOOK_URL",
    "HEARTBEAT_URL",
    "MLFLOW_TRACKING_TOKEN",
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{8,}")
_SECRET_NAME = re.compile(r"pass|token|secret|key", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"(?i)(?:bearer|basic|token|apikey)\s+(\S+)")  # the value of that header
_NAME_IN_CONFIG = re.compile(r"[\"']\$(\w+)")  # headers = { Authorization = "$SOURCE_TOKEN" }

_CREDENTIALS_IN_URL = re.compile(r"://[^/\s@]+@")
# GitHub's own class, and shorter ones. Since May 2026 an app's token is ghs_APPID_JWT, with `.` and `-`.
_GITHUB_TOKEN = re.compile(r"\b(?:gh[a-z]_|github_pat_)[A-Za-z0-9._-]+")
_NAMED_VALUE = re.compile(  # password=…, "api_key": "…", Authorization: Bearer …
    r"(?i)\b((?:\w*(?:password|token|secret|api[_-]?key)|authorization)['\"]?\s*[=:]\s*)"
    r"[^\s,;}]+( \S+)?"
)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret value replaced by ***, however it is written in it.

    Percent-encoded, JSON-escaped and base64 forms count too. Values of fewer than SHORTEST_SECRET
    characters stay.
    """
    long_enough = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
    spellings = {spelling for secret in long_enough for spelling in _spellings(secret)}
    # Longest first: a secret may be part of another one.
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    return _without_base64(text, long_enough)


def _without_base64(text: str, secrets: Iterable[str]) -> str:
    """The text without base64 that holds a secret, as the header of Basic authentication does."""
    middles = set()
    for secret in secrets:
        if len(secret) >= SHORTEST_IN_BASE64:
            middles |= _in_base64(secret.encode())

    def shown(run: re.Match[str]) -> str:
        return "***" if any(middle in run[0] for middle in middles) else run[0]

    return _BASE64.sub(shown, text) if middles else text


def _in_base64(secret: bytes) -> set[str]:
    """The characters that stand for the secret alone, wherever it begins in what was encoded.

    What stands before it shifts it by 0, 1 or 2 bytes. Characters at its ends that also hold bits
    of its neighbours are left off.
    """
    middles = set()
    for shift in range(3):
        encoded = base64.b64encode(b" " * shift + secret).decode()
        mixed_before = (0, 2, 3)[shift]
        mixed_after = (0, 3, 2)[(shift + len(secret)) % 3]
        middle = encoded[mixed_before : len(encoded) - mixed_after]
        middles |= {middle, middle.replace("+", "-").replace("/", "_")}
    return middles


def _spellings(secret: str) -> Iterator[str]:
    """As it is, in a URL, in JSON, and each line of a key that has several."""
    yield secret
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    for line in secret.splitlines():
        if len(line) >= SHORTEST_IN_BASE64:
            yield line


def redacted(text: str) -> str:
    """The text without what looks like a credential, whatever it is called in a log."""
    return _NAMED_VALUE.sub(r"\1***", without_credentials(text))


def without_credentials(text: str) -> str:
    """The text without tokens of GitHub and users in URLs, which are no words of a report."""
    text = _CREDENTIALS_IN_URL.sub("://***@", text)
    return _GITHUB_TOKEN.sub("***", text)


def environment_secrets(variables: Mapping[str, str], config: str = "") -> list[str]:
    """The secret values among the variables: of SECRETS, of those that the text of a config.toml
    names as "$NAME", and of those that are called like a secret.

    The password of a database's URL counts by itself too. The path of a SQLite file is no secret.
    """
    values: list[str] = []
    for name in [*SECRETS, *_NAME_IN_CONFIG.findall(config)]:
        values += _parts(name, variables.get(name, "").strip())
    for name, value in variables.items():
        if _SECRET_NAME.search(name) and len(value) >= SHORTEST_UNNAMED:
            values += _parts(name, value.strip())
    return list(dict.fromkeys(values))


def _parts(name: str, value: str) -> list[str]:
    """What of a value is secret: all of it, the token of a header, the password of a URL, each of
    the API's keys."""
    if not value or value.startswith("sqlite:"):
        return []
    if name == "API_KEY":
        keys = [key.strip() for key in value.split(",")]
        return [key for key in keys if key]
    if "://" in value:
        return [value, *sorted(secret_values(value, {}))]
    header = _AUTHORIZATION.fullmatch(value)
    return [value, header[1]] if header else [value]


def secret_values(uri: str, variables: Mapping[str, str]) -> frozenset[str]:
    """Password and secret parameters of the URI, and the values of variables named like one.

    The password counts as written, decoded, and in pieces: one with an unescaped `@` or `/` is cut
    there by the database driver, which then reports the piece as a host that does not exist.
    """
    userinfo = userinfo_of(uri)
    password = userinfo.partition(":")[2]
    secrets = {userinfo, password, unquote(password), *re.split(r"[@/?#:]", password)}
    for name, value in parse_qsl(uri.partition("?")[2]):
        if _SECRET_NAME.search(name):
            secrets.add(value)
    for name, value in variables.items():
        if _SECRET_NAME.search(name) and len(value) >= SHORTEST_UNNAMED:
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

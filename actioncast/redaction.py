"""What no output may show: secrets by value and by shape. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Issues are not masked as logs are: credentials inside URLs, GitHub's tokens, and what stands after a tell-tale name.
_SECRETS = (
    (re.compile(r"://[^/\s@]+@"), "://***@"),
    (re.compile(r"\b(gh[a-z]_|github_pat_)\w+"), "***"),
    (
        re.compile(
            r"(?i)\b((?:\w*(?:password|token|secret|api[_-]?key)|authorization)['\"]?\s*[=:]\s*)[^\s,;}]+( \S+)?"
        ),
        r"\1***",
    ),
)


def redacted(text: str) -> str:
    """The text without what looks like a credential."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text with every secret value replaced by ***."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def mask_values(text: str, secrets: frozenset[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"(?<=://)[^\s/@]+@", "***@", text)

"""Requests to addresses that are secrets themselves: webhooks and dead man's switches.

Standard library only. No error shows the address.
"""

from __future__ import annotations

import base64
import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from actioncast.errors import ActioncastError
from actioncast.github.api import NoRedirects
from actioncast.redaction import masked

TIMEOUT_SECONDS = 10
PAUSES = (1.0, 3.0)  # seconds before the second and the third try
NO_ANSWER = 0  # status when nothing came back
PASSING = (NO_ANSWER, 429, 500, 502, 503, 504)  # statuses after which a later try may succeed
SHOWN_CHARACTERS = 100  # of the receiver's own words


class OutgoingError(ActioncastError):
    """The receiver did not take the request. The message holds no part of its address."""


def send(
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    pauses: tuple[float, ...] = PAUSES,
) -> None:
    """POST the body, or GET without one; tries again after silence and statuses that may pass.

    Raises OutgoingError.
    """
    answer = _once(url, body, headers or {})
    for pause in pauses:
        if answer.status not in PASSING:
            break
        time.sleep(pause)
        answer = _once(url, body, headers or {})
    if not 200 <= answer.status < 300:
        # Receivers quote what they were asked for.
        raise OutgoingError(masked(answer.words, re.split(r"[/?&=@:]+", url)))


@dataclass(frozen=True)
class _Answer:
    """`words` say what went wrong."""

    status: int
    words: str = ""


def _once(url: str, body: bytes | None, headers: Mapping[str, str]) -> _Answer:
    try:
        request = _request(url, body, headers)
        # A redirected POST would become a GET, which answers 200 and tells nobody.
        opener = urllib.request.build_opener(NoRedirects) if body else urllib.request.build_opener()
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return _Answer(response.status)
    except urllib.error.HTTPError as error:
        return _Answer(error.code, f"the receiver answered {error.code} {_words(error)}".strip())
    except urllib.error.URLError as error:
        return _Answer(NO_ANSWER, f"no answer: {type(error.reason).__name__}")
    except (OSError, http.client.HTTPException) as error:
        return _Answer(NO_ANSWER, f"no answer: {type(error).__name__}")
    except ValueError:
        raise OutgoingError("its address is not an http(s) URL") from None


def _words(error: urllib.error.HTTPError) -> str:
    """The receiver's own, as far as they arrive."""
    try:
        with error:
            words = error.read(4 * SHOWN_CHARACTERS).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    return " ".join(words.split())[:SHOWN_CHARACTERS]


def _request(url: str, body: bytes | None, headers: Mapping[str, str]) -> urllib.request.Request:
    """User and password in the URL become a header, as browsers and curl do. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http(s) URL")
    userinfo, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(  # noqa: S310 (checked above)
        parts._replace(netloc=host).geturl(),
        body,
        {"User-Agent": "actioncast", **headers},
    )
    if userinfo:
        credentials = base64.b64encode(unquote(userinfo).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {credentials}")
    return request

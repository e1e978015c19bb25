"""GitHub's REST API with the standard library alone: a failure must be reported even when installing has failed.

Everything comes from the variables of GitHub's runners: GITHUB_API_URL, GITHUB_REPOSITORY, and GITHUB_TOKEN, which a
workflow passes to the steps that need it.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actioncast.errors import ActioncastError

TIMEOUT_SECONDS = 20
PATIENCE_SECONDS = (1, 3)  # before the second and the third try
PASSING = (429, 500, 502, 503, 504)
_REMEDIES = {
    401: "GITHUB_TOKEN is not valid; in a workflow pass GITHUB_TOKEN: ${{ github.token }}",
    403: "the job's `permissions:` do not allow it, or a setting of the repository forbids it",
    404: "GitHub hides what a token may not see: check the job's `permissions:` and the name",
}


class ApiError(ActioncastError):
    """GitHub did not do what it was asked. `status` is 0 when it did not answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Api:
    """One repository's part of the API."""

    url: str
    repository: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Api:
        """From the environment. Raises ApiError that names what is missing."""
        missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not variables.get(name)]
        if missing:
            raise ApiError(f"{' and '.join(missing)} not set; in a workflow pass GITHUB_TOKEN: ${{{{ github.token }}}}")
        url = variables.get("GITHUB_API_URL") or "https://api.github.com"
        return cls(url.rstrip("/"), variables["GITHUB_REPOSITORY"], variables["GITHUB_TOKEN"])

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The parsed answer, None when it is empty. `path` follows the repository's address.

        Reads are tried again when GitHub is busy; a write may have been done, so only its refusals (429, 503) are.
        """
        passing = PASSING if method == "GET" else (429, 503)
        for pause in (*PATIENCE_SECONDS, None):
            try:
                return self._once(method, path, body)
            except ApiError as error:
                if pause is None or error.status not in passing:
                    raise
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        where = f"{method} {self.url}/repos/{self.repository}{path}"
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "User-Agent": "actioncast",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(where.partition(" ")[2], data, headers, method=method)  # noqa: S310 (their URL)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                content = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                remedy = f"; {_REMEDIES[error.code]}" if error.code in _REMEDIES else ""
                raise ApiError(f"{where}: {error.code} {_words(error)}{remedy}", error.code) from None
        except OSError as error:
            raise ApiError(f"{where}: {type(error).__name__}") from None
        return json.loads(content) if content else None


def _words(error: urllib.error.HTTPError) -> str:
    """GitHub's own explanation."""
    try:
        return str(json.loads(error.read())["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return str(error.reason)

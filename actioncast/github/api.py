"""GitHub's REST API with the standard library alone: a failure must be reported even when
installing has failed.

Everything comes from the variables of GitHub's runners: GITHUB_API_URL, GITHUB_REPOSITORY, and
GITHUB_TOKEN, which a workflow passes to the steps that need it. A repository_dispatch sent with the
workflow's own token starts a run (a push made with it does not), so no personal token is needed.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actioncast.errors import ActioncastError
from actioncast.redaction import masked

EVENT_TYPE = "execute-retrain"  # of the repository_dispatch that starts the retrain workflow
DEFAULT_URL = "https://api.github.com"
TIMEOUT_SECONDS = 20
PAUSES = (1.0, 3.0)  # seconds before the second and the third try
LONGEST_PAUSE = 20.0  # seconds, whatever Retry-After asks for; the next scheduled run tries again
SHOWN_CHARACTERS = 300  # of GitHub's own words

NO_ANSWER = 0  # status of an ApiError when GitHub did not answer
BUSY = (429, 500, 502, 503, 504)  # GitHub may answer better in a moment
REFUSED = (429, 503)  # busy, and surely nothing was done

_CONTENTS_WRITE = "the job needs `permissions: contents: write` (a personal token: Contents, read and write)"
_ANY_PERMISSION = "check the job's `permissions:`"
_MOVED = "the repository was renamed or moved: put the new OWNER/NAME into GITHUB_REPOSITORY"
_REMEDIES = {
    301: _MOVED,
    307: _MOVED,
    308: _MOVED,
    401: "GITHUB_TOKEN is not valid; in a workflow pass GITHUB_TOKEN: ${{ github.token }}",
    403: "the token lacks a permission, or a setting of the repository forbids it: {permission}",
    404: "GitHub hides what a token may not see: {permission}, and GITHUB_REPOSITORY must be OWNER/NAME",
    422: "GitHub refused the content of the request",
}


class ApiError(ActioncastError):
    """GitHub did not do what it was asked. `status` is NO_ANSWER when it did not answer."""

    def __init__(self, message: str, status: int = NO_ANSWER) -> None:
        super().__init__(message)
        self.status = status


class _NotSentError(ApiError):
    """The request never went out, so it can be repeated whatever it asks for."""


@dataclass(frozen=True)
class _Request:
    """What is sent, without the token."""

    method: str
    url: str
    data: bytes | None

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.method} {self.url}"


@dataclass(frozen=True)
class _Answer:
    """What GitHub said, whatever its status."""

    status: int
    reason: str
    retry_after: str
    content: bytes

    def words(self) -> str:
        """GitHub's own explanation."""
        try:
            return str(json.loads(self.content)["message"])[:SHOWN_CHARACTERS]
        except (ValueError, KeyError, TypeError):
            return self.reason


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a redirected POST would become a GET, which answers 200 and does nothing."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True)
class Api:
    """One repository's part of the API."""

    url: str
    repository: str
    token: str = field(repr=False)
    pauses: tuple[float, ...] = PAUSES  # seconds before each further try
    longest_pause: float = LONGEST_PAUSE  # seconds

    @classmethod
    def of(
        cls,
        variables: Mapping[str, str],
        *,
        pauses: tuple[float, ...] = PAUSES,
        longest_pause: float = LONGEST_PAUSE,
    ) -> Api:
        """From the variables of GitHub's runners.

        Raises ApiError that names those that are missing.
        """
        url = variables.get("GITHUB_API_URL") or DEFAULT_URL
        repository = variables.get("GITHUB_REPOSITORY", "").strip()
        token = variables.get("GITHUB_TOKEN", "").strip()
        if not repository or not token:
            raise ApiError(_not_set(repository, token))
        return cls(
            url=url.rstrip("/"),
            repository=repository,
            token=token,
            pauses=pauses,
            longest_pause=longest_pause,
        )

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The parsed answer, None when it is empty. `path` follows the repository's address.

        Reads are tried again when GitHub is busy; a write may have been done, so only its refusals
        are.
        """
        request = self._request(method, path, body)
        repeated = BUSY if method == "GET" else REFUSED
        answer = self._ask(request, repeated)
        if not 200 <= answer.status < 300:
            raise self._refusal(request, answer, expected="2xx", permission=_ANY_PERMISSION)
        if not answer.content:
            return None
        try:
            return json.loads(answer.content)
        except ValueError:
            raise self._error(request, f"expected JSON, got {answer.content[:40]!r}") from None

    def dispatch(self, event_type: str, payload: Mapping[str, Any]) -> None:
        """Send a repository_dispatch. Raises ApiError for any answer other than 204."""
        body = {"event_type": event_type, "client_payload": dict(payload)}
        request = self._request("POST", "/dispatches", body)
        # Repeated after every status that may pass: the workflow it starts never runs twice at a
        # time.
        answer = self._ask(request, BUSY)
        if answer.status != 204:
            raise self._refusal(request, answer, expected="204", permission=_CONTENTS_WRITE)

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> _Request:
        url = f"{self.url}/repos/{self.repository}{path}"
        if body is None:
            return _Request(method, url, None)
        try:
            return _Request(method, url, json.dumps(body, allow_nan=False).encode())
        except (ValueError, TypeError) as error:
            raise ApiError(f"{method} {url}: the body cannot be sent as JSON: {error}") from None

    def _ask(self, request: _Request, repeated: tuple[int, ...]) -> _Answer:
        """The last answer, of as many tries as there are pauses and one.

        Repeats requests that never went out, and answers whose status is in `repeated`. After
        silence nobody knows whether GitHub has done what it was asked, so silence is not repeated.
        """
        for pause in self.pauses:
            try:
                answer = self._once(request)
            except _NotSentError:
                time.sleep(pause)
                continue
            if answer.status not in repeated:
                return answer
            time.sleep(self._pause_after(answer, pause))
        return self._once(request)

    def _once(self, request: _Request) -> _Answer:
        try:
            return self._send(request)
        except urllib.error.URLError as error:
            reason = type(error.reason).__name__
            raise _NotSentError(self._masked(f"{request.name}: {reason}")) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The name only: messages of the HTTP library quote headers.
            raise self._error(request, type(error).__name__) from None

    def _send(self, request: _Request) -> _Answer:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "User-Agent": "actioncast",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        message = urllib.request.Request(  # noqa: S310 (GitHub's address)
            request.url, request.data, headers, method=request.method
        )
        opener = urllib.request.build_opener(NoRedirects)
        try:
            with opener.open(message, timeout=TIMEOUT_SECONDS) as response:
                return _read(response)
        except urllib.error.HTTPError as response:
            with response:
                return _read(response)

    def _pause_after(self, answer: _Answer, pause: float) -> float:
        """Seconds: what GitHub asks for, up to the longest pause, or else `pause`."""
        if answer.retry_after.isdigit():
            return min(float(answer.retry_after), self.longest_pause)
        return pause

    def _refusal(
        self,
        request: _Request,
        answer: _Answer,
        *,
        expected: str,
        permission: str,
    ) -> ApiError:
        """Status, GitHub's own words and what to do."""
        message = f"expected {expected}, got {answer.status} {answer.words()}"
        remedy = _REMEDIES.get(answer.status)
        if remedy:
            message = f"{message}: {remedy.replace('{permission}', permission)}"
        return self._error(request, message, answer.status)

    def _error(self, request: _Request, message: str, status: int = NO_ANSWER) -> ApiError:
        return ApiError(self._masked(f"{request.name}: {message}"), status)

    def _masked(self, message: str) -> str:
        return masked(message, [self.token])


def dispatch_retrain(api: Api, payload: Mapping[str, Any]) -> None:
    """Start the retrain workflow with this client_payload (at most 10 keys, 65,535 characters).

    Raises ApiError when GitHub does not take the event.
    """
    try:
        api.dispatch(EVENT_TYPE, payload)
    except ApiError as error:
        raise ApiError(f"{error}; no retrain was dispatched", error.status) from None


def _not_set(repository: str, token: str) -> str:
    """Which of the two is missing, and what to write into the workflow."""
    missing = []
    if not repository:
        missing.append("GITHUB_REPOSITORY")
    if not token:
        missing.append("GITHUB_TOKEN")
    is_or_are = "is" if len(missing) == 1 else "are"
    return (
        f"{' and '.join(missing)} {is_or_are} not set; "
        "in a workflow pass GITHUB_TOKEN: ${{ github.token }} "
        "and give the job the `permissions:` it needs (a dispatch needs `contents: write`)"
    )


def _read(response: http.client.HTTPResponse | urllib.error.HTTPError) -> _Answer:
    return _Answer(
        status=response.status or NO_ANSWER,
        reason=str(response.reason),
        retry_after=response.headers.get("Retry-After", ""),
        content=response.read(),
    )

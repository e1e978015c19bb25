"""What the loop asks of GitHub: start the retrain workflow.

A repository_dispatch sent with the workflow's own GITHUB_TOKEN starts a run (a push made with it does not), so no
personal token is needed. `GITHUB_API_URL` names the API, as on GitHub's runners.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from actioncast.errors import ActioncastError
from actioncast.settings import Environment, Patience

EVENT_TYPE = "execute-retrain"
TIMEOUT_SECONDS = 20
_PERMISSION = "the job needs `permissions: contents: write` (a personal token: Contents, read and write)"
_REMEDIES = {
    301: "the repository was renamed or moved: put the new OWNER/NAME into GITHUB_REPOSITORY",
    401: "GITHUB_TOKEN is not valid; in a workflow pass GITHUB_TOKEN: ${{ github.token }}",
    403: f"the token lacks a permission: {_PERMISSION}",
    404: f"GitHub hides what a token may not write to: {_PERMISSION}, and GITHUB_REPOSITORY must be OWNER/NAME",
    422: "the event or its client_payload was refused",
}
_REMEDIES |= {307: _REMEDIES[301], 308: _REMEDIES[301]}


DEFAULT_PATIENCE = Patience()


class GitHubError(ActioncastError):
    """GitHub did not do what it was asked."""


def dispatch_retrain(
    environment: Environment, payload: Mapping[str, Any], patience: Patience = DEFAULT_PATIENCE
) -> None:
    """POST repository_dispatch `execute-retrain` with this client_payload (at most 10 keys, 65,535 characters).

    Raises GitHubError when the repository or the token is not configured, and for any answer other than 204.
    """
    repository = environment.github_repository
    token = environment.github_token.get_secret_value().strip() if environment.github_token else ""
    if not (repository and token):
        raise GitHubError(
            f"{'GITHUB_TOKEN' if repository else 'GITHUB_REPOSITORY'} is not set; in a workflow pass "
            "GITHUB_TOKEN: ${{ github.token }} and give the job `permissions: contents: write`"
        )
    url = f"{environment.github_api_url.rstrip('/')}/repos/{repository}/dispatches"
    _post(url, token, {"event_type": EVENT_TYPE, "client_payload": dict(payload)}, patience)


def _post(url: str, token: str, body: Mapping[str, Any], patience: Patience) -> None:
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=_retries(patience)))
        try:
            # A redirected POST would become a GET that answers 200 and dispatches nothing.
            answer = session.post(url, headers=headers, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except (requests.RequestException, UnicodeError) as error:
            # The name only: messages of the HTTP libraries quote headers.
            raise GitHubError(f"POST {url}: {type(error).__name__}; no retrain was dispatched") from None
    if answer.status_code != 204:
        raise GitHubError(f"POST {url}: expected 204, got {_explain(answer)}".replace(token, "***"))


def _retries(patience: Patience) -> Retry:
    return Retry(
        total=2,
        read=False,  # after silence nobody knows whether the event was taken: the next check asks again if it was not
        backoff_factor=patience.pause_seconds,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=None,  # POST too: the retrain workflow's concurrency group never runs two at a time
        raise_on_status=False,
        retry_after_max=patience.longest_pause_seconds,
    )


def _explain(answer: requests.Response) -> str:
    """Status, GitHub's own words and what to do."""
    try:
        words = str(answer.json()["message"])[:200]
    except (ValueError, KeyError, TypeError):
        words = str(answer.reason)
    remedy = _REMEDIES.get(answer.status_code)
    return f"{answer.status_code} {words}" + (f": {remedy}" if remedy else "")

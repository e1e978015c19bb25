"""What the loop asks of GitHub: start the retrain workflow.

A repository_dispatch sent with the workflow's own GITHUB_TOKEN starts a run (a push made with it does not), so no
personal token is needed. `GITHUB_API_URL` names the API, as on GitHub's runners.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pipeline.settings import ActioncastError, Environment

EVENT_TYPE = "execute-retrain"
TIMEOUT_SECONDS = 20
RETRY = Retry(
    total=2,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,  # POST too: the retrain workflow's concurrency group makes a doubled dispatch one run
    raise_on_status=False,
    retry_after_max=20,
)
_REMEDIES = {
    401: "the token is not valid; in a workflow pass GITHUB_TOKEN: ${{ github.token }}",
    403: "the token lacks a permission; the job needs `permissions: contents: write`",
    404: "GitHub hides what a token may not write to: the job needs `permissions: contents: write`, and "
    "GITHUB_REPOSITORY must be OWNER/NAME",
    422: "the payload was refused",
}


class GitHubError(ActioncastError):
    """GitHub did not do what it was asked."""


def dispatch_retrain(environment: Environment, payload: Mapping[str, Any]) -> bool:
    """POST repository_dispatch `execute-retrain` with this client_payload (at most 10 keys, 65,535 characters).

    Returns False when no repository is configured, which is not GitHub's business; raises GitHubError for any answer
    other than 204.
    """
    if environment.github_repository is None:
        return False
    if environment.github_token is None:
        raise GitHubError(
            f"GITHUB_REPOSITORY is {environment.github_repository} but GITHUB_TOKEN is not set; in a workflow pass "
            "GITHUB_TOKEN: ${{ github.token }} and give the job `permissions: contents: write`"
        )
    url = f"{environment.github_api_url.rstrip('/')}/repos/{environment.github_repository}/dispatches"
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {environment.github_token.get_secret_value()}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    _post(url, headers, {"event_type": EVENT_TYPE, "client_payload": dict(payload)})
    return True


def _post(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=RETRY))
    try:
        answer = session.post(url, headers=headers, data=json.dumps(body), timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise GitHubError(f"POST {url}: {type(error).__name__}; nothing was dispatched") from None
    if answer.status_code != 204:
        remedy = _REMEDIES.get(answer.status_code, answer.reason)
        raise GitHubError(f"POST {url}: expected 204, got {answer.status_code}: {remedy}")

"""A stand-in for GitHub's API on loopback: it answers a repository_dispatch as GitHub does, permissions included."""

from __future__ import annotations

import json
from typing import Any

from tests.support.json_server import JsonServer, Request

REPOSITORY = "acme/forecasts"
TOKEN = "ghs_writes_contents"
READ_ONLY_TOKEN = "ghs_reads_only"


class FakeGitHub(JsonServer):
    """`with FakeGitHub() as github:` then GITHUB_API_URL is github.url; `events` holds what was taken.

    `answers`: statuses given to the next requests whatever they ask; 0 says nothing until the server ends.
    """

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.events: list[dict[str, Any]] = []
        self.answers: list[int] = []

    def start(self) -> None:
        super().start()
        self.headers = {"Location": f"{self.url}/repositories/1/dispatches"}  # counts with a 301 only

    def variables(self, token: str = TOKEN) -> dict[str, str]:
        """The environment of a job on GitHub that was given this token."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": token}

    def answer(self, request: Request) -> tuple[int, Any]:
        authorization = request.headers.get("Authorization", "")
        status, message = self._verdict(request.path, authorization, request.body)
        if status == 0:
            self.closing.wait(30)
        return status, None if status == 204 else {"message": message}

    def _verdict(self, path: str, authorization: str, body: str) -> tuple[int, str]:
        if self.answers:
            # The header is repeated, as a careless proxy would.
            return self.answers.pop(0), f"Told to fail; you sent {authorization}"
        if authorization not in (f"Bearer {TOKEN}", f"Bearer {READ_ONLY_TOKEN}"):
            return 401, "Bad credentials"
        if path != f"/repos/{REPOSITORY}/dispatches":
            return 404, "Not Found"
        if authorization != f"Bearer {TOKEN}":
            return 403, "Resource not accessible by integration"
        event = json.loads(body, parse_constant=_refuse)
        payload = event["client_payload"]
        if len(payload) > 10 or len(json.dumps(payload)) > 65_535 or len(event["event_type"]) > 100:
            return 422, "Invalid request. No more than 10 properties are allowed"
        self.events.append(event)
        return 204, ""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")

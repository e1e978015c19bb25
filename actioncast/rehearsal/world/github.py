"""GitHub on loopback, as far as the loop asks it: repository_dispatch and issues. What it was told is there to read."""

from __future__ import annotations

import json
import re
from typing import Any

from actioncast.rehearsal.world.loopback import Handler, Loopback

REPOSITORY = "rehearsal/actioncast"
TOKEN = "rehearsal"  # noqa: S105 - opens nothing: the stand-in takes any


class GitHubStandIn(Loopback):
    """`dispatches`: payloads that were sent and not taken yet; `issues`: all that were ever opened."""

    def __init__(self) -> None:
        self.dispatches: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        super().__init__(_handler(self))

    @property
    def open_issues(self) -> list[str]:
        """Titles of the issues that are open."""
        return [issue["title"] for issue in self.issues if issue["state"] == "open"]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """(status, document) as GitHub answers."""
        if path.endswith("/dispatches"):
            self.dispatches.append(body)
            return 204, None
        if number := re.search(r"/issues/(\d+)(/comments)?$", path):
            issue = self.issues[int(number[1]) - 1]
            issue |= {} if number[2] else body
            return 201 if number[2] else 200, issue
        if path.endswith("/issues") and method == "POST":
            labels = [{"name": name} for name in body.get("labels", [])]
            self.issues.append({**body, "labels": labels, "number": len(self.issues) + 1, "state": "open"})
            return 201, self.issues[-1]
        if "/actions/workflows" in path:
            return 200, {"workflows": [], "workflow_runs": []}
        if path.endswith("/issues"):
            return 200, [issue for issue in self.issues if issue["state"] == "open"]
        return 404, {"message": "Not Found"}


def _handler(github: GitHubStandIn) -> type[Handler]:
    class Answers(Handler):
        def _answer(self) -> None:
            path, body = self.path.partition("?")[0], json.loads(self.body() or b"{}")
            status, document = github.answer(self.command, path, body)
            self.answer(status, b"" if document is None else json.dumps(document).encode())

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - http.server's names

    return Answers

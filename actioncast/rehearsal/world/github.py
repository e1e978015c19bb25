"""A stand-in for GitHub on loopback, with what the loop asks of it: dispatches and issues."""

from __future__ import annotations

import json
import re
from typing import Any

from actioncast.rehearsal.world.loopback import Handler, Loopback

REPOSITORY = "rehearsal/actioncast"
TOKEN = "rehearsal"  # noqa: S105 - opens nothing: the stand-in takes any

Json = dict[str, Any]
Answer = tuple[int, Any]  # (status, document), None for an empty body
BOT = {"login": "github-actions[bot]", "type": "Bot"}  # the author of what a workflow's token opens
_ISSUE = re.compile(r"/issues/(\d+)(/comments)?$")


class GitHubStandIn(Loopback):
    """Keeps what it was sent.

    `dispatches`: payloads that nobody has taken yet; `issues`: all that were ever opened.
    """

    def __init__(self) -> None:
        self.dispatches: list[Json] = []
        self.issues: list[Json] = []
        super().__init__(_handler(self))

    @property
    def open_issues(self) -> list[str]:
        """Titles of the issues that are open."""
        return [issue["title"] for issue in self._open()]

    def _open(self) -> list[Json]:
        return [issue for issue in self.issues if issue["state"] == "open"]

    def answer(self, method: str, path: str, body: Json) -> Answer:
        """(status, document) as GitHub answers."""
        if path.endswith("/dispatches"):
            self.dispatches.append(body)
            return 204, None
        match = _ISSUE.search(path)
        if match:
            return self._change_issue(int(match[1]), body, is_comment=match[2] is not None)
        if path.endswith("/issues") and method == "POST":
            return self._open_issue(body)
        if path.endswith("/issues"):
            return 200, self._open()
        if path.endswith("/labels"):
            return 201, body
        if "/actions/workflows" in path:
            return 200, {"workflows": [], "workflow_runs": []}
        return 404, {"message": "Not Found"}

    def _open_issue(self, body: Json) -> Answer:
        labels = [{"name": name} for name in body.get("labels", [])]
        number = len(self.issues) + 1
        issue = {
            **body,
            "labels": labels,
            "number": number,
            "state": "open",
            "user": BOT,
            "created_at": "",  # the mark in a body says since when
        }
        self.issues.append(issue)
        return 201, issue

    def _change_issue(self, number: int, body: Json, *, is_comment: bool) -> Answer:
        """Take a comment, which is not kept, or new fields of the issue."""
        issue = self.issues[number - 1]
        if is_comment:
            return 201, issue
        issue.update(body)
        return 200, issue


def _handler(github: GitHubStandIn) -> type[Handler]:
    class Answers(Handler):
        def _answer(self) -> None:
            path = self.path.partition("?")[0]
            body = json.loads(self.body() or b"{}")
            status, document = github.answer(self.command, path, body)
            content = b"" if document is None else json.dumps(document).encode()
            self.answer(status, content)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - http.server's names

    return Answers

"""GitHub on loopback, as far as the loop asks it: repository_dispatch and issues. What it was told is there to read."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

REPOSITORY = "rehearsal/actioncast"
TOKEN = "rehearsal"  # noqa: S105 - opens nothing: the stand-in takes any


class GitHubStandIn:
    """`dispatches`: payloads that were sent and not taken yet; `issues`: all that were ever opened."""

    def __init__(self) -> None:
        self.dispatches: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> GitHubStandIn:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

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


def _handler(github: GitHubStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, document = github.answer(self.command, self.path.partition("?")[0], json.loads(body or b"{}"))
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    return Handler

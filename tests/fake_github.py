"""A stand-in for GitHub's API on loopback: it answers a repository_dispatch as GitHub does, permissions included."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

REPOSITORY = "acme/forecasts"
TOKEN = "ghs_writes_contents"
READ_ONLY_TOKEN = "ghs_reads_only"


class FakeGitHub:
    """`with FakeGitHub() as github:` then GITHUB_API_URL is github.url; `events` holds what was taken.

    `answers`: statuses given to the next requests whatever they ask; 0 says nothing until the server ends.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []  # path, headers
        self.answers: list[int] = []
        self._end = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeGitHub:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def variables(self, token: str = TOKEN) -> dict[str, str]:
        """The environment of a job on GitHub that was given this token."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": token}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                github.requests.append((self.path, dict(self.headers)))
                status, message = github._answer(self.path, self.headers["Authorization"], body)
                if status == 0:
                    github._end.wait(30)
                    return
                content = b"" if status == 204 else json.dumps({"message": message}).encode()
                self.send_response(status)
                if status == 301:
                    self.send_header("Location", f"{github.url}/repositories/1/dispatches")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Silence: the tests read stderr."""

        return Handler

    def _answer(self, path: str, authorization: str, body: str) -> tuple[int, str]:
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

"""An HTTP server on loopback that records what it is asked: the base of the tests' stubs and stand-ins."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from http import HTTPStatus

import werkzeug
from pytest_httpserver import HTTPServer
from werkzeug.datastructures import Headers

logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no line per request in what tests capture


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str  # with its query; an absolute URL from a client that takes this server for its proxy
    headers: Headers
    body: str


def status_line(status: int) -> str:
    """503 Service Unavailable."""
    phrases = {item.value: item.phrase for item in HTTPStatus}
    return f"{status} {phrases.get(status, 'Unknown')}"


class LocalServer(HTTPServer):
    """`with LocalServer() as server:` then it answers every request at `server.url` with what `respond` returns."""

    def __init__(self) -> None:
        super().__init__(host="127.0.0.1", threaded=True)
        self.requests: list[Request] = []  # in order
        self.closing = threading.Event()  # for answers that hold back
        self.expect_request(re.compile(".*")).respond_with_handler(self._record_and_respond)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def respond(self, request: Request, /) -> werkzeug.Response:
        raise NotImplementedError

    def stop(self) -> None:
        self.closing.set()
        super().stop()

    def thread_target(self) -> None:
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.02)  # seconds that stopping may take

    def _record_and_respond(self, received: werkzeug.Request) -> werkzeug.Response:
        request = Request(
            method=received.method,
            path=received.environ["REQUEST_URI"],
            headers=Headers(received.headers),
            body=received.get_data(as_text=True),
        )
        self.requests.append(request)
        return self.respond(request)

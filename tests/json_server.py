"""A server on a free port of loopback that answers in JSON: what the stand-ins for other people's APIs stand on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # with its query; an absolute URL from a client that takes this server for its proxy
    headers: Message
    body: str


class JsonServer:
    """Serves at `url` until `close`, and keeps in `requests` what it was asked.

    `answer` gives a status and what is sent as JSON, None for an empty body.
    """

    def __init__(self, answer: Callable[[Request], tuple[int, Any]]) -> None:
        self._answer = answer
        self.requests: list[Request] = []
        self.headers: dict[str, str] = {}  # sent with every answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                request = Request(self.command, self.path, self.headers, body)
                server.requests.append(request)
                status, answer = server._answer(request)
                content = b"" if answer is None else json.dumps(answer).encode()
                with suppress(ConnectionError):  # the client lost patience, as some tests want
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(content)), **server.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 http.server's names

            def log_message(self, format: str, *args: object) -> None:
                """Silent: the tests read stderr."""

        return Handler

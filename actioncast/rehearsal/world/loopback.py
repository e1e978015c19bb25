"""An HTTP server on loopback, in a thread of its own, on which stand-ins for other services are built."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Handler(BaseHTTPRequestHandler):
    """Answers one connection, which stays open between requests."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length)

    def answer(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send JSON; `headers` come on top of, or instead of, the usual ones."""
        self.send_response(status)
        defaults = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
        }
        for name, value in {**defaults, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: a rehearsal makes a request per simulated hour."""


class Loopback:
    """Answers at `url`, on a free port, until it is closed."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.closing = threading.Event()  # for answers that hold back
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},  # seconds that closing may take
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

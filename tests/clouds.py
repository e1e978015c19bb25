"""A folder with stand-ins for the clouds' command lines, and a service for them to point to."""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Service:
    """What a smoke test asks: /ready and /health of a revision, as told."""

    def __init__(self, version: str = "") -> None:
        self.version, self.database, self.fresh = version, True, True
        self.tokens: list[str | None] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.tokens.append(self.headers["Authorization"])
                status, answer = service.answer(self.path)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        if path == "/health":
            return 200, {"status": "ok", "revision": "abc1234", "models": {"demo": self.version}}
        if path != "/ready":
            return 404, {"detail": path}
        model = {"name": "model", "series": "demo", "ok": True, "detail": f"{self.version} matches its card"}
        data = {"name": "data", "series": "demo", "ok": self.fresh, "detail": "newest hour 90 h old"}
        database = {"name": "database", "series": None, "ok": self.database, "detail": "cannot be reached"}
        ready = self.database and self.fresh
        return (200 if ready else 503), {"ready": ready, "checks": [database, model, data]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Clouds:
    """gcloud, aws, az and docker for PATH, their state, and what they were asked."""

    def __init__(self, folder: Path, address: str = "http://127.0.0.1:9") -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.bin.mkdir(parents=True)
        for name in ("gcloud", "aws", "az", "docker"):
            program = self.bin / name
            variables = f"CLOUDS={folder} SERVICE={address}"
            program.write_text(
                f'#!/bin/sh\n{variables} exec {sys.executable} -IS {ROOT / "tests/cloud_cli.py"} {name} "$@"\n'
            )
            program.chmod(0o755)
        self.write({})

    def write(self, state: dict[str, Any]) -> None:
        (self.folder / "state.json").write_text(json.dumps(state))

    @property
    def state(self) -> Any:
        return json.loads((self.folder / "state.json").read_text())

    def calls(self, *begin: str) -> list[list[str]]:
        """What was asked, in order; only what begins so."""
        path = self.folder / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if call[: len(begin)] == list(begin)]

    def environment(self, **variables: str) -> dict[str, str]:
        """For a script that shall use the stand-ins; of the caller's environment only PATH."""
        return {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8", **variables}

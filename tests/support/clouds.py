"""A folder with stand-ins for the clouds' command lines, and a service for them to point to."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.support.json_server import JsonServer, Request

ROOT = Path(__file__).resolve().parents[2]


class Service(JsonServer):
    """What a smoke test asks: /ready and /health of a revision, in the state that a test sets."""

    def __init__(self, version: str = "") -> None:
        super().__init__(self.answer)
        self.version = version
        self.database = True
        self.fresh = True
        self.private = False

    @property
    def tokens(self) -> set[str | None]:
        return {request.headers.get("Authorization") for request in self.requests}

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        if self.private and not request.headers.get("Authorization"):
            return 403, {"detail": "Forbidden"}
        if request.path == "/health":
            return 200, {"status": "ok", "revision": "abc1234", "models": {"demo": self.version}}
        if request.path != "/ready":
            return 404, {"detail": request.path}
        model = {"name": "model", "series": "demo", "ok": True, "detail": f"{self.version} matches its card"}
        data = {"name": "data", "series": "demo", "ok": self.fresh, "detail": "newest hour 90 h old"}
        database = {"name": "database", "series": None, "ok": self.database, "detail": "cannot be reached"}
        ready = self.database and self.fresh
        return (200 if ready else 503), {"ready": ready, "checks": [database, model, data]}


class Clouds:
    """A folder for PATH with gcloud, aws, az and docker, their state, and what they were asked."""

    def __init__(self, folder: Path, address: str = "http://127.0.0.1:9") -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        for name in ("gcloud", "aws", "az", "docker"):
            program = self.bin / name
            variables = f"CLOUDS={folder} SERVICE={address}"
            program.write_text(
                f'#!/bin/sh\n{variables} exec {sys.executable} -IS {ROOT / "tests/support/cloud_cli.py"} {name} "$@"\n'
            )
            program.chmod(0o755)
        self.write({})

    def write(self, state: dict[str, Any]) -> None:
        (self.folder / "state.json").write_text(json.dumps(state))

    @property
    def state(self) -> Any:
        return json.loads((self.folder / "state.json").read_text())

    def calls(self, *begin: str) -> list[list[str]]:
        """The commands that begin with these words, in order."""
        path = self.folder / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if call[: len(begin)] == list(begin)]

    def environment(self, **variables: str) -> dict[str, str]:
        """Variables for a script that uses the stand-ins; only PATH comes from the caller's environment."""
        return {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8", **variables}

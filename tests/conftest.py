"""What many tests need: an empty database of either kind, a config.toml, a source that answers as it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from urllib3.util import Retry

from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.rehearsal.world.loopback import Handler, Loopback
from tests.support.images import champion, clone, containers, engine, image  # noqa: F401 fixtures
from tests.support.temp_postgres import PostgresMissingError, TempPostgres, binaries

MIDNIGHT = datetime(2022, 3, 4, tzinfo=UTC)
CHART_SERIES = """
unit = "transactions/h"
scale = 3600
points_per_hour = 4
minimum_points_per_hour = 3
"""


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach a developer's database or GitHub, nor wait between retries."""
    for name in ("DATABASE_URL", "URI", "GITHUB_TOKEN", "TOKEN", "GITHUB_REPOSITORY", "GITHUB_API_URL", "API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Retry, "sleep", _sleep_not)


@pytest.fixture(scope="session")
def postgres() -> Iterator[TempPostgres]:
    """One server for the whole session; `new_database()` gives each test its own database."""
    try:
        binaries()
    except PostgresMissingError as error:
        pytest.skip(str(error))
    with TempPostgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """DATABASE_URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    server: TempPostgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty, migrated database."""
    with open_database(load_settings(variables={"DATABASE_URL": url})) as opened:
        yield opened


def _sleep_not(_retry: Retry, _answer: object = None) -> None:
    pass


Configure = Callable[[str], Path]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a config.toml with the series `demo`, whose source is this inline table; returns its path."""

    def write(source_table: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(f"[series.demo]\nsource = {source_table}\n{CHART_SERIES}", encoding="utf-8")
        return path

    return write


def at(hours: float) -> datetime:
    """So many hours after midnight of the tests' day."""
    return MIDNIGHT + timedelta(hours=hours)


def quarters(*values: float | None, start: float = 0) -> list[tuple[int, float]]:
    """One point per 15 minutes from `start` (hours after midnight) on; None is a point that is missing."""
    first = int(at(start).timestamp())
    return [(first + 900 * i, value) for i, value in enumerate(values) if value is not None]


def chart(points: Sequence[tuple[object, object]]) -> bytes:
    """The charts API's body."""
    return json.dumps({"status": "ok", "values": [{"x": x, "y": y} for x, y in points]}).encode()


@dataclass
class Answer:
    """What the stub sends: after `delay` seconds, `pause` seconds after each byte, cut off after `sent` bytes."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    pause: float = 0
    sent: int | None = None


class Stub(Loopback):
    """A source on loopback that gives the listed answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        super().__init__(self._handler())

    def answer(self, *answers: Answer | bytes) -> None:
        self.answers = [a if isinstance(a, Answer) else Answer(a) for a in answers]

    def _handler(self) -> type[Handler]:
        stub = self

        class Answers(Handler):
            protocol_version = "HTTP/1.0"  # the end of the answer is the end of the connection

            def do_GET(self) -> None:
                stub.requests.append((self.path, dict(self.headers)))
                answer = stub.answers[0] if len(stub.answers) == 1 else stub.answers.pop(0)
                stub.closing.wait(answer.delay)
                with suppress(BrokenPipeError, ConnectionResetError):  # the client lost patience, as the test wants
                    self._send(answer)

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                body = answer.body[: answer.sent]
                if not answer.pause:
                    self.wfile.write(body)
                    return
                for i in range(len(body)):
                    self.wfile.write(body[i : i + 1])
                    if stub.closing.wait(answer.pause):
                        return

        return Answers


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        yield server


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.02)

"""A data source on loopback that answers as a test tells it, its points, and a config.toml that names it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from werkzeug import Response

from tests.support.clock import at
from tests.support.http_server import LocalServer, Request, status_line

Configure = Callable[[str], Path]
CHART_SERIES = """
unit = "transactions/h"
scale = 3600
points_per_period = 4
minimum_points_per_period = 3
minimum_value = 0
"""


def write_config(folder: Path, source_table: str) -> Path:
    """Write a config.toml with the series `demo`, whose source is this inline table; returns its path."""
    path = folder / "config.toml"
    path.write_text(f"[series.demo]\nsource = {source_table}\n{CHART_SERIES}", encoding="utf-8")
    return path


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


class Stub(LocalServer):
    """A source that gives the listed answers in turn, the last one for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []

    def answer(self, *answers: Answer | bytes) -> None:
        self.answers = [answer if isinstance(answer, Answer) else Answer(answer) for answer in answers]

    def respond(self, _request: Request, /) -> Response:
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        self.closing.wait(answer.delay)
        # Stated here: from less than the whole body, the server would compute a length that fits.
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        return Response(self._parts(answer), status_line(answer.status), headers)

    def _parts(self, answer: Answer) -> Iterator[bytes]:
        body = answer.body[: answer.sent]
        if not answer.pause:
            yield body
            return
        for i in range(len(body)):
            yield body[i : i + 1]
            if self.closing.wait(answer.pause):
                return

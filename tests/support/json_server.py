"""A server that answers in JSON: what the stand-ins for other people's APIs stand on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any

from actioncast.rehearsal.world.loopback import Handler, Loopback


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # with its query; an absolute URL from a client that takes this server for its proxy
    headers: Message
    body: str


class JsonServer(Loopback):
    """Keeps in `requests` what it was asked. `reply` gives a status and what is sent as JSON: None is an empty body."""

    def __init__(self, reply: Callable[[Request], tuple[int, Any]]) -> None:
        self.requests: list[Request] = []
        self.headers: dict[str, str] = {}  # sent with every answer
        server = self

        class Answers(Handler):
            def do_GET(self) -> None:
                request = Request(self.command, self.path, self.headers, self.body().decode())
                server.requests.append(request)
                status, answer = reply(request)
                content = b"" if answer is None else json.dumps(answer).encode()
                with suppress(ConnectionError):  # the client lost patience, as some tests want
                    self.answer(status, content, server.headers)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 http.server's names

        super().__init__(Answers)

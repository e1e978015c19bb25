"""A server that answers in JSON: the base of the stand-ins for other people's APIs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from werkzeug import Response

from tests.support.http_server import LocalServer, Request, status_line

__all__ = ["JsonServer", "Request"]


class JsonServer(LocalServer):
    """`reply` gives a status and what is sent as JSON; None is an empty body."""

    def __init__(self, reply: Callable[[Request], tuple[int, Any]]) -> None:
        super().__init__()
        self.reply = reply
        self.headers: dict[str, str] = {}  # sent with every answer
        self.encode: Callable[[Any], str] = json.dumps

    def respond(self, request: Request, /) -> Response:
        status, document = self.reply(request)
        body = "" if document is None else self.encode(document)
        return Response(body, status_line(status), self.headers, content_type="application/json")

"""Problems for people: a browser gets a page where a program gets JSON, with the same status and headers."""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actioncast.api.problems import MEDIA_TYPE

REPLACED = (b"content-type", b"content-length")


class ProblemPages:
    """What answers a request that accepts HTML: its problems become pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []  # the start of a problem, until its body is there

        async def send_page(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                held.append(message)
                return
            if not held:
                await send(message)
                return
            body = _page(scope, held[0], message["body"])
            await send(_as_html(held.pop(), len(body)))
            await send({**message, "body": body})

        await self._app(scope, receive, send_page)


def _is_problem(start: Message) -> bool:
    return (b"content-type", MEDIA_TYPE.encode()) in start["headers"]


def _page(scope: Scope, start: Message, body: bytes) -> bytes:
    # A cold start does not wait for what renders.
    from actioncast.dashboard import render

    headers = dict(start["headers"])
    retry_seconds = int(headers[b"retry-after"]) if start["status"] == 503 else None
    root = "../" * (scope["path"].count("/") - 1)
    return render.render_problem(json.loads(body), root=root, retry_seconds=retry_seconds).encode()


def _as_html(start: Message, length: int) -> Message:
    kept = [header for header in start["headers"] if header[0] not in REPLACED]
    new = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(length).encode()),
        (b"vary", b"Accept"),
    ]
    return {**start, "headers": [*kept, *new]}

"""Stand-ins for those who take webhooks and pings: each checks the shape and the size that the real one does."""

from __future__ import annotations

import json
from typing import Any

from werkzeug import Response

from tests.support.http_server import LocalServer, Request, status_line

SECRET_PATH = "/services/T000/B000/canary-of-the-path"  # an address is a secret as a whole


class Receiver(LocalServer):
    """Takes what one `kind` of receiver takes. `taken`: the documents; `paths`: of all requests.

    `answers`: statuses of the next requests, whatever they ask.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.path = SECRET_PATH
        self.taken: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answers: list[int] = []

    @property
    def address(self) -> str:
        """WEBHOOK_URL or HEARTBEAT_URL."""
        return f"{self.url}{self.path}"

    def variables(self) -> dict[str, str]:
        return {"WEBHOOK_URL": self.address, "WEBHOOK_KIND": self.kind}

    def respond(self, request: Request, /) -> Response:
        self.paths.append(request.path)
        if self.answers:
            return Response(f"told to fail at {request.path}", status_line(self.answers.pop(0)))
        if self.kind == "heartbeat":
            return Response("OK", status_line(200))
        status, words = self._verdict(request)
        return Response(words, status_line(status))

    def _verdict(self, request: Request) -> tuple[int, str]:
        try:
            document = json.loads(request.body)
        except ValueError:
            return 400, "invalid_payload"
        if self.kind == "slack" and request.path != self.path:
            return 404, "no_service"
        fault = FAULTS[self.kind](document, len(request.body.encode()), request.path)
        if fault:
            return 400, fault
        self.taken.append(document)
        return SUCCESS.get(self.kind, (200, "ok"))

    def texts(self) -> list[str]:
        """What a person reads of each message."""
        return [json.dumps(document, ensure_ascii=False) for document in self.taken]


def _slack(document: Any, _: int, __: str) -> str:
    text = document.get("text", "")
    if not text:
        return "no_text"
    return "msg_too_long" if len(text) > 40_000 else ""


def _teams(document: Any, size: int, _: str) -> str:
    if size > 28 * 1024:
        return "Request Entity too large"
    if document.get("type") != "message":
        return "expected type message"
    for attachment in document["attachments"]:
        card = attachment["content"]
        if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" or card["type"] != "AdaptiveCard":
            return "expected an Adaptive Card"
        if not all(block["text"] for block in card["body"]):
            return "an empty TextBlock"
    return ""


def _discord(document: Any, _: int, __: str) -> str:
    content = document.get("content", "")
    if not content:
        return "Cannot send an empty message"
    return "Must be 2000 or fewer in length." if len(content) > 2000 else ""


def _ntfy(document: Any, _: int, path: str) -> str:
    if not path.endswith("/") or not document.get("topic"):
        return "a JSON message goes to the server, with its topic"
    return "would become an attachment" if len(document["message"].encode()) > 4_096 else ""


def _json(document: Any, _: int, __: str) -> str:
    return "" if isinstance(document, dict) else "expected an object"


FAULTS = {"slack": _slack, "teams": _teams, "discord": _discord, "ntfy": _ntfy, "json": _json}
SUCCESS = {"teams": (202, ""), "discord": (204, "")}

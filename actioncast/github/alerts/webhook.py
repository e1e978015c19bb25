"""A message to people outside of GitHub: Slack, Teams, Discord, ntfy, or JSON for anything else.

The address is the secret WEBHOOK_URL. Its host tells the shape; the variable WEBHOOK_KIND does where
the host cannot, such as for a server of one's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from actioncast.github.alerts import outgoing
from actioncast.github.alerts.outgoing import OutgoingError

# All receivers take this much: Discord 2,000 characters, ntfy 4,096 bytes, Teams 28 KB, Slack 40,000 characters.
LONGEST_TITLE = 200  # bytes
LONGEST_TEXT = 1_200  # bytes
KINDS = ("slack", "teams", "discord", "ntfy", "json")
HOSTS = {  # the end of the host's name -> kind
    "hooks.slack.com": "slack",
    "hooks.slack-gov.com": "slack",
    "webhook.office.com": "teams",
    "logic.azure.com": "teams",
    "api.powerplatform.com": "teams",
    "api.powerautomate.com": "teams",
    "discord.com": "discord",
    "discordapp.com": "discord",
    "ntfy.sh": "ntfy",
}


@dataclass(frozen=True)
class Message:
    """What has happened. `event`: "opened", "lasting" (once a day) or "recovered"."""

    event: str
    title: str
    text: str
    url: str = ""  # of the run


class Webhook:
    """Sends messages to one address."""

    def __init__(self, url: str, kind: str = "", pauses: tuple[float, ...] = outgoing.PAUSES) -> None:
        self.url = url
        self.kind = kind or kind_of(url)
        self.pauses = pauses

    def send(self, message: Message) -> None:
        """Raises OutgoingError, which does not show the address."""
        if self.kind not in KINDS:
            raise OutgoingError(f"WEBHOOK_KIND is {self.kind!r}; there are {', '.join(KINDS)}")
        url, payload = addressed(self.url, self.kind, message)
        body = json.dumps(payload, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        outgoing.send(url, body, headers, self.pauses)


class NoWebhook(Webhook):
    """Sends nothing: WEBHOOK_URL is not set."""

    def __init__(self) -> None:
        super().__init__("", "json")

    def send(self, message: Message) -> None:
        """Do nothing."""


def of(variables: Mapping[str, str], pauses: tuple[float, ...]) -> Webhook:
    """The webhook that WEBHOOK_URL and WEBHOOK_KIND describe."""
    url = variables.get("WEBHOOK_URL", "").strip()
    kind = variables.get("WEBHOOK_KIND", "").strip().lower()
    return Webhook(url, kind, pauses) if url else NoWebhook()


def kind_of(url: str) -> str:
    """What the host takes; "json" for one that nobody has heard of."""
    host = urlsplit(url).hostname or ""
    if host.startswith("ntfy."):
        return "ntfy"
    for ending, kind in HOSTS.items():
        if host == ending or host.endswith(f".{ending}"):
            return kind
    return "json"


def addressed(url: str, kind: str, message: Message) -> tuple[str, dict[str, Any]]:
    """(address, JSON document) for a receiver of this kind."""
    title = _cut(message.title, LONGEST_TITLE)
    text = _cut(message.text, LONGEST_TEXT)
    match kind:
        case "slack":
            return url, _slack(title, text, message.url)
        case "teams":
            return url, _teams(title, text, message.url)
        case "discord":
            return url, _discord(title, text, message.url)
        case "ntfy":
            server, _, topic = url.rstrip("/").rpartition("/")
            return f"{server}/", _ntfy(topic, title, text, message)
        case _:
            return url, {"event": message.event, "title": title, "text": text, "url": message.url}


def _slack(title: str, text: str, url: str) -> dict[str, Any]:
    """See docs.slack.dev, "Sending messages using incoming webhooks"; Mattermost takes the same."""
    lines = [f"*{_for_slack(title)}*", _for_slack(text)]
    if url:
        lines.append(f"<{url}|Open the run>")
    return {"text": "\n".join(lines)}


def _for_slack(text: str) -> str:
    """The three characters that Slack reads as markup; so no text can call @channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(title: str, text: str, url: str) -> dict[str, Any]:
    """An Adaptive Card, the one form that the webhooks of Teams' Workflows take."""
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True},
            {"type": "TextBlock", "text": text, "wrap": True},
        ],
    }
    if url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the run", "url": url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _discord(title: str, text: str, url: str) -> dict[str, Any]:
    """See docs.discord.com, "Execute Webhook". No text may call @everyone."""
    lines = [f"**{title}**", text]
    if url:
        lines.append(f"<{url}>")  # without a preview
    return {"content": "\n".join(lines), "allowed_mentions": {"parse": []}}


def _ntfy(topic: str, title: str, text: str, message: Message) -> dict[str, Any]:
    """See docs.ntfy.sh/publish, "Publish as JSON": posted to the server, the topic in the document."""
    has_recovered = message.event == "recovered"
    document: dict[str, Any] = {
        "topic": topic.partition("?")[0],
        "title": title,
        "message": text,
        "tags": ["white_check_mark" if has_recovered else "warning"],
        "priority": 3 if has_recovered else 4,
    }
    if message.url:
        document["click"] = message.url
    return document


def _cut(text: str, longest: int) -> str:
    """At most so many bytes of UTF-8."""
    encoded = text.encode()
    if len(encoded) <= longest:
        return text
    return encoded[: longest - 3].decode(errors="ignore") + "…"

"""Messages to receivers outside of GitHub: which shape goes to which host."""

from __future__ import annotations

import pytest

from actioncast.github.alerts.webhook import Message, addressed, kind_of

MESSAGE = Message(event="opened", title="acme/forecasts: <etl> is failing", text="error: a & b", url="https://x/1")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://prod-23.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=x", "teams"),
        ("https://default1.2.environment.api.powerplatform.com/powerautomate/automations/direct/x", "teams"),
        ("https://acme.webhook.office.com/webhookb2/x", "teams"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://canary.discord.com/api/webhooks/1/x", "discord"),
        ("https://ntfy.sh/topic", "ntfy"),
        ("https://ntfy.example.com/topic", "ntfy"),
        ("https://hooks.slack.com.evil.example/x", "json"),
        ("https://notdiscord.com/x", "json"),
        ("https://example.com/hook", "json"),
    ],
)
def test_the_host_tells_the_kind(url: str, kind: str) -> None:
    assert kind_of(url) == kind


def test_slack_reads_no_markup_in_our_words() -> None:
    _, document = addressed("https://s", "slack", MESSAGE)
    assert document["text"].splitlines() == [
        "*acme/forecasts: &lt;etl&gt; is failing*",
        "error: a &amp; b",
        "<https://x/1|Open the run>",
    ]


def test_teams_gets_a_card_with_a_button() -> None:
    _, document = addressed("https://t", "teams", MESSAGE)
    card = document["attachments"][0]["content"]
    assert [block["text"] for block in card["body"]] == [MESSAGE.title, MESSAGE.text]
    assert card["actions"][0]["url"] == MESSAGE.url


def test_discord_calls_nobody() -> None:
    _, document = addressed("https://d", "discord", MESSAGE)
    assert document["allowed_mentions"] == {"parse": []}


def test_ntfy_gets_its_topic_in_the_document_posted_to_the_server() -> None:
    url, document = addressed("https://me:pw@ntfy.example.com/topic", "ntfy", MESSAGE)
    assert url == "https://me:pw@ntfy.example.com/"
    assert document["topic"] == "topic"
    assert document["click"] == MESSAGE.url


def test_any_other_receiver_gets_plain_fields() -> None:
    _, document = addressed("https://x", "json", MESSAGE)
    assert document == {"event": "opened", "title": MESSAGE.title, "text": MESSAGE.text, "url": MESSAGE.url}

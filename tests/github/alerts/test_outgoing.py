"""Requests to secret addresses, and the addresses of a dead man's switch."""

from __future__ import annotations

import pytest

from actioncast.github.alerts import outgoing
from actioncast.github.alerts.heartbeat import failure_url
from actioncast.github.alerts.outgoing import OutgoingError
from tests.support.receivers import Receiver


@pytest.mark.parametrize(("answers", "tries"), [([], 1), ([500], 2), ([429, 503], 3)])
def test_what_may_pass_is_tried_again(answers: list[int], tries: int) -> None:
    with Receiver("json") as receiver:
        receiver.answers = answers
        outgoing.send(receiver.address, b"{}", pauses=(0.0, 0.0))
    assert len(receiver.paths) == tries


@pytest.mark.parametrize(("answers", "tries"), [([400], 1), ([301], 1), ([500, 500, 500], 3)])
def test_a_refusal_is_an_error_that_quotes_no_part_of_the_address(answers: list[int], tries: int) -> None:
    with Receiver("json") as receiver:
        receiver.answers = list(answers)
        with pytest.raises(OutgoingError) as caught:
            outgoing.send(receiver.address, b"{}", pauses=(0.0, 0.0))
    assert str(caught.value).startswith(f"the receiver answered {answers[0]}")
    assert "canary" not in str(caught.value)
    assert len(receiver.paths) == tries


def test_a_user_in_the_address_becomes_a_header() -> None:
    with Receiver("json") as receiver:
        outgoing.send(receiver.address.replace("http://", "http://me:p%40ss@"), b"{}")
    assert receiver.requests[0].headers["Authorization"] == "Basic bWU6cEBzcw=="


def test_failure_is_said_at_the_end_of_the_path() -> None:
    assert failure_url("https://hc-ping.com/1234") == "https://hc-ping.com/1234/fail"
    assert failure_url("https://hc-ping.com/key/etl/?rid=1") == "https://hc-ping.com/key/etl/fail?rid=1"

"""How long something has failed, and when people are to hear of it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from actioncast.github.outage import Outage
from actioncast.times import isoformat

START = datetime(2026, 11, 25, 12, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours_of_reminders(minutes_late: list[int]) -> list[int]:
    """The hours after the start in which an hourly job that goes on failing reminds."""
    outage = Outage.starting(START)
    reminded = []
    for hour, late in enumerate(minutes_late, 1):
        now = START + hour * HOUR + timedelta(minutes=late)
        if outage.reminder_is_due(now):
            reminded.append(hour)
        outage = outage.failed_again(now)
    assert outage.failures == len(minutes_late) + 1
    return reminded


def test_an_hourly_failure_reminds_once_a_day() -> None:
    assert hours_of_reminders([0] * 72) == [23, 47, 71]


def test_a_cron_that_comes_late_moves_no_later_reminder() -> None:
    late = [0] * 72
    late[22] = late[23] = 59
    assert hours_of_reminders(late) == [23, 47, 71]


def test_a_look_each_twelve_hours_that_comes_early_reminds_on_the_same_day() -> None:
    outage = Outage.starting(START)
    assert not outage.reminder_is_due(START + 12 * HOUR)
    assert outage.reminder_is_due(START + 24 * HOUR - timedelta(minutes=20))


def test_a_silence_of_days_is_one_reminder() -> None:
    outage = Outage.starting(START).failed_again(START + 100 * HOUR)
    assert outage.noticed == START + 100 * HOUR
    assert not outage.reminder_is_due(START + 101 * HOUR)


def test_a_body_keeps_it() -> None:
    outage = Outage.starting(START).failed_again(START + 30 * HOUR)
    body = f"What failed\n\n{outage.mark()}\n"
    assert Outage.of_body(body, isoformat(START)) == outage


@pytest.mark.parametrize("body", ["", "by an older release", f"{Outage.starting(START).mark()} quoted by a log"])
def test_a_body_without_a_mark_at_its_end_began_when_it_was_opened(body: str) -> None:
    opened = START + 5 * HOUR
    assert Outage.of_body(body, isoformat(opened)) == Outage.starting(opened)

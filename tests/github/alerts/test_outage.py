"""How long something has failed, and when people are to hear of it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from actioncast.github.alerts.outage import Outage, PastRun, event_of_runs, hit_the_limit
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
    assert hours_of_reminders([0] * 73) == [24, 48, 72]


def test_a_cron_that_comes_late_moves_no_later_reminder() -> None:
    late = [0] * 73
    late[23] = late[24] = 59
    assert hours_of_reminders(late) == [24, 48, 72]


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


@pytest.mark.parametrize(
    ("previous", "failed", "event"),
    [
        (None, False, ""),
        (None, True, "opened"),
        (PastRun(START - HOUR, failed=False), True, "opened"),
        (PastRun(START - HOUR, failed=False), False, ""),
        (PastRun(START - HOUR, failed=True), True, ""),
        (PastRun(START - 13 * HOUR, failed=True), True, "lasting"),
        (PastRun(START - HOUR, failed=True), False, "recovered"),
    ],
)
def test_without_an_issue_the_previous_run_says_what_is_news(
    previous: PastRun | None, failed: bool, event: str
) -> None:
    assert event_of_runs(previous, START, failed=failed) == event


@pytest.mark.parametrize(
    ("minutes", "limit", "expected"),
    [(10, 10, True), (9.8, 10, True), (9, 10, False), (400, 0, False)],
)
def test_a_job_that_ran_as_long_as_it_may_was_not_cancelled_by_a_person(
    minutes: float, limit: float, expected: bool
) -> None:
    assert hit_the_limit(START, START + timedelta(minutes=minutes), limit) is expected


def test_a_job_of_which_nobody_knows_the_start_was_cancelled() -> None:
    assert not hit_the_limit(None, START, 10)

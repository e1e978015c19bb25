"""Which series are due for a look at their live error."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actioncast.monitoring.due import due_series
from tests.support.clock import MIDNIGHT


@pytest.mark.parametrize(
    ("minutes", "verdict", "due"),
    [
        (60, "good", False),
        (89, "watch", False),
        (90, "good", True),  # the load before it was late by half an hour
        (121, "good", True),
        (60, "alarm", True),
    ],
)
def test_a_series_is_due_when_its_last_check_is_two_hours_old_or_an_alarm(
    minutes: int, verdict: str, due: bool
) -> None:
    check = {"checked_at": MIDNIGHT - timedelta(minutes=minutes), "verdict": verdict}
    assert due_series(["demo"], {"demo": check}, 2, MIDNIGHT) == (["demo"] if due else [])


def test_a_series_that_was_never_checked_is_due_and_the_others_are_not() -> None:
    check = {"checked_at": MIDNIGHT - timedelta(minutes=60), "verdict": "good"}
    assert due_series(["old", "new"], {"old": check}, 2, MIDNIGHT) == ["new"]
    assert due_series(["old", "new"], {"old": check}, 1, MIDNIGHT) == ["old", "new"]

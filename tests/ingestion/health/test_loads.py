from __future__ import annotations

from actioncast.ingestion.health import loads
from actioncast.periods.timeline import UTC_HOURS
from tests.support.clock import at
from tests.support.rows import run_row


def test_rejected_points_are_one_finding_with_their_share_and_the_newest_reason() -> None:
    newest = run_row(started_at=at(5.3), points_read=50, points_rejected=4, message="4 x not finite")
    older = run_row(started_at=at(4.3), points_read=50)
    (finding,) = loads.rejected([newest, older])
    assert finding.first == finding.last == at(5.3)
    assert finding.evidence == (
        "4 of 100 points read were rejected (4.0%), by 1 of 2 loads; the newest: 4 x not finite"
    )


def test_few_rejected_points_are_worth_no_word() -> None:
    assert loads.rejected([run_row(points_read=1000, points_rejected=2)]) == []
    assert loads.rejected([]) == []


def test_a_source_that_restates_complete_hours_is_named_with_their_share() -> None:
    rows = [{"reality_date": at(hour), "samples": 4} for hour in range(90)]
    (finding,) = loads.revised(rows, UTC_HOURS, points_per_period=4)
    assert (finding.first, finding.last) == (at(0), at(89))
    assert finding.evidence.startswith("90 hours (12% of 30 days) were restated")


def test_hours_that_late_points_complete_are_no_restatement() -> None:
    rows = [{"reality_date": at(hour), "samples": 3} for hour in range(90)]
    assert loads.revised(rows, UTC_HOURS, points_per_period=4) == []
    assert loads.revised([], UTC_HOURS, points_per_period=4) == []

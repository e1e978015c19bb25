from __future__ import annotations

from actioncast.ingestion.health import loads
from tests.support.clock import at
from tests.support.rows import run_row


def test_rejected_points_are_one_finding_with_their_share_and_the_newest_reason() -> None:
    newest = run_row(started_at=at(5.3), points_read=50, points_rejected=4, message="4 x not finite")
    older = run_row(started_at=at(4.3), points_read=50)
    (finding,) = loads.rejected([newest, older])
    assert finding.first == finding.last == at(5)
    assert finding.evidence == (
        "4 of 100 points read were rejected (4.0%), by 1 of 2 loads; the newest: 4 x not finite"
    )


def test_few_rejected_points_are_worth_no_word() -> None:
    assert loads.rejected([run_row(points_read=1000, points_rejected=2)]) == []
    assert loads.rejected([]) == []

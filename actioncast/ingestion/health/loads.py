"""What the loads of a series say about its source.

Rows of `etl_runs` and `revisions` in, findings out. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.ingestion.health import findings
from actioncast.ingestion.health.findings import HealthFinding
from actioncast.periods.frequency import DAY
from actioncast.periods.timeline import Timeline

DAYS = 30  # of loads that are looked at
DOUBTFUL_SHARE = 0.01  # of the points read, rejected; more is worth a word
REVISED_SHARE = 0.1  # of these days' hours, restated though complete; more is a source's habit
SHOWN_CHARACTERS = 300  # of what the newest such load said


def rejected(runs: Sequence[Mapping[str, Any]]) -> list[HealthFinding]:
    """One finding if more than a few of the points read were rejected; `runs` newest first."""
    share = rejected_share(runs)
    if share <= DOUBTFUL_SHARE:
        return []
    points_read = _total(runs, "points_read")
    points_rejected = _total(runs, "points_rejected")
    rejecting = [run for run in runs if run["points_rejected"]]
    newest = rejecting[0]
    oldest = rejecting[-1]
    message = newest["message"][:SHOWN_CHARACTERS]
    evidence = (
        f"{points_rejected:,} of {points_read:,} points read were rejected ({share:.1%}), "
        f"by {len(rejecting):,} of {len(runs):,} loads; the newest: {message}"
    )
    finding = HealthFinding(
        kind=findings.REJECTED,
        first=oldest["started_at"],
        last=newest["started_at"],
        periods=0,
        evidence=evidence,
    )
    return [finding]


def rejected_share(runs: Sequence[Mapping[str, Any]]) -> float:
    """Share of the points read that were rejected; 0 without any."""
    points_read = _total(runs, "points_read")
    points_rejected = _total(runs, "points_rejected")
    if not points_read:
        return 0.0
    return points_rejected / points_read


def _total(runs: Sequence[Mapping[str, Any]], column: str) -> int:
    """The sum of one column of `etl_runs`."""
    numbers: list[int] = [run[column] for run in runs]
    return sum(numbers)


def revised(
    revisions: Sequence[Mapping[str, Any]], timeline: Timeline, *, points_per_period: int
) -> list[HealthFinding]:
    """One finding if many hours were restated though they were complete.

    `revisions` are those of the last DAYS, ascending. An hour that late points complete is no
    restatement.
    """
    restated = []
    for revision in revisions:
        if revision["samples"] >= points_per_period:
            restated.append(revision["reality_date"])
    periods = len(set(restated))
    share = periods / max(1, DAYS * DAY // timeline.frequency.seconds)
    if share <= REVISED_SHARE:
        return []
    number = f"{periods:,} {timeline.frequency.plural} ({share:.0%} of {DAYS} days)"
    evidence = f"{number} were restated by the source though they were complete"
    finding = HealthFinding(
        kind=findings.REVISIONS,
        first=restated[0],
        last=restated[-1],
        periods=periods,
        evidence=evidence,
    )
    return [finding]

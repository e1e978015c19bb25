"""What the loads of a series say about its source: rows of `etl_runs` and `revisions` in, findings out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.ingestion.health import findings
from actioncast.ingestion.health.findings import HealthFinding
from actioncast.times import HOURS_PER_DAY, floor_hour

DAYS = 30  # of loads that are looked at
DOUBTFUL_SHARE = 0.01  # of the points read, rejected; more is worth a word
REVISED_SHARE = 0.1  # of these days' hours, restated though complete; more is a source's habit
SHOWN_CHARACTERS = 300  # of what the newest such load said


def rejected(runs: Sequence[Mapping[str, Any]]) -> list[HealthFinding]:
    """One finding if more than a few of the points read were rejected; `runs` newest first."""
    read = sum(run["points_read"] for run in runs)
    rejecting = [run for run in runs if run["points_rejected"]]
    number = sum(run["points_rejected"] for run in rejecting)
    if not read or number / read <= DOUBTFUL_SHARE:
        return []
    newest = rejecting[0]
    finding = HealthFinding(
        kind=findings.REJECTED,
        first=floor_hour(rejecting[-1]["started_at"]),
        last=floor_hour(newest["started_at"]),
        evidence=(
            f"{number:,} of {read:,} points read were rejected ({number / read:.1%}), by {len(rejecting):,} of "
            f"{len(runs):,} loads; the newest: {newest['message'][:SHOWN_CHARACTERS]}"
        ),
    )
    return [finding]


def rejected_share(runs: Sequence[Mapping[str, Any]]) -> float:
    """Share of the points read that were rejected; 0 without any."""
    read = sum(run["points_read"] for run in runs)
    number = sum(run["points_rejected"] for run in runs)
    return number / read if read else 0.0


def revised(revisions: Sequence[Mapping[str, Any]], *, points_per_hour: int) -> list[HealthFinding]:
    """One finding if many hours were restated though they were complete; `revisions` of the last DAYS, ascending.

    An hour that late points complete is no restatement.
    """
    restated = [row["reality_date"] for row in revisions if row["samples"] >= points_per_hour]
    hours = len(set(restated))
    share = hours / (DAYS * HOURS_PER_DAY)
    if share <= REVISED_SHARE:
        return []
    evidence = f"{hours:,} hours ({share:.0%} of {DAYS} days) were restated by the source though they were complete"
    return [HealthFinding(findings.REVISIONS, restated[0], restated[-1], evidence)]

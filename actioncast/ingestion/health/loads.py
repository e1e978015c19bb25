"""What the loads of a series say about its source: rows of `etl_runs` in, findings out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.ingestion.health import findings
from actioncast.ingestion.health.findings import HealthFinding
from actioncast.times import floor_hour

DAYS = 30  # of loads that are looked at
DOUBTFUL_SHARE = 0.01  # of the points read, rejected; more is worth a word
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

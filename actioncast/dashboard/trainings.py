"""The history of trainings, and what comes next: for the page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actioncast.monitoring.live_error import Row
from actioncast.periods.words import Words
from actioncast.policies import RetrainPolicy
from actioncast.text import duration
from actioncast.times import ONE_WEEK

SHOWN_TRAININGS = 12
COMPARED_CANDIDATES = 12  # of each training


@dataclass(frozen=True)
class Training:
    """One training as the page lists and compares it. `board`: candidate -> mae."""

    started_at: datetime
    verdict: str
    challenger: str
    reason: str
    periods: int
    board: dict[str, float]

    def as_json(self, words: Words) -> dict[str, Any]:
        return {
            "name": f"{words.moment(self.started_at)}, {self.verdict}",
            "challenger": self.challenger,
            "board": self.board,
        }


def trainings_of(runs: Sequence[Row]) -> list[Training]:
    """The newest trainings; `runs` are newest first."""
    return [
        Training(
            started_at=run["started_at"],
            verdict=run["verdict"],
            challenger=(run["challenger"] or {}).get("name", ""),
            reason=run["reason"],
            periods=run["periods"],
            board=_board(run["leaderboard"]),
        )
        for run in runs[:SHOWN_TRAININGS]
    ]


def _board(rows: Sequence[Row]) -> dict[str, float]:
    """The best candidates, and the best naive."""
    tried = [row for row in rows if row["mae"] is not None]
    naives = [row for row in tried if "naive" in row["candidate"]]
    return {row["candidate"]: row["mae"] for row in [*tried[:COMPARED_CANDIDATES], *naives[:1]]}


def what_comes_next(
    checks: Sequence[Row],
    trainings: Sequence[Row],
    policy: RetrainPolicy,
    check_hours: float,
    now: datetime,
    words: Words,
) -> str:
    """When the next check is due, whether a retrain would be possible, and how many were asked for this week.

    `checks` and `trainings` are newest first.
    """
    if not checks:
        return ""
    requests = [check["checked_at"] for check in checks if check["dispatched"]]
    this_week = sum(now - moment < ONE_WEEK for moment in requests)
    moments = [*requests[:1], *(run["started_at"] for run in trainings[:1])]
    next_check = checks[0]["checked_at"] + timedelta(hours=check_hours)
    due = f"Next check due {words.moment(next_check)} {words.zone}"
    possible = max(moments, default=now - policy.cooldown) + policy.cooldown
    retrain = "a retrain is possible now"
    if possible > now:
        retrain = f"a retrain is possible after {words.moment(possible)} (a pause of {duration(policy.cooldown)})"
    return f"{due}; {retrain}; {this_week} of {policy.maximum_per_week} this week."

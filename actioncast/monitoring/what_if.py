"""What another policy would have said to the same live errors. Pure: the checks that were stored are judged again.

The errors are those that happened: a retrain that was not made would have changed those after it, and only a
rehearsal shows how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actioncast.forecasting.card import Holidays
from actioncast.monitoring.live_error import LiveScore, Row
from actioncast.monitoring.verdict import judge
from actioncast.policies import RetrainPolicy
from actioncast.times import ONE_WEEK


@dataclass(frozen=True)
class Replayed:
    """The verdict of each stored check under a policy, ascending, and when a retrain would have been asked for."""

    verdicts: Sequence[str]
    retrains: Sequence[datetime]


def replay(checks: Sequence[Row], policy: RetrainPolicy, holidays: Holidays | None = None) -> Replayed:
    """Judge stored checks again, oldest first. A retrain is taken to run at once when it is asked for."""
    earlier: list[dict[str, Any]] = []  # newest first, as `judge` wants them
    verdicts: list[str] = []
    retrains: list[datetime] = []
    for check in checks:
        now = check["checked_at"]
        since = now - max(ONE_WEEK, policy.cooldown)
        earlier = [row for row in earlier if row["checked_at"] >= since]
        verdict = judge(
            _score_of(check),
            earlier=earlier,
            last_training=retrains[-1] if retrains else None,
            policy=policy,
            now=now,
            holidays=holidays,
        )
        is_retrain = verdict.name == "retrain"
        again = {"verdict": verdict.name, "bad": verdict.bad, "dispatched": is_retrain}
        earlier.insert(0, {**check, **again})
        verdicts.append(verdict.name)
        if is_retrain:
            retrains.append(now)
    return Replayed(verdicts, retrains)


def _score_of(check: Row) -> LiveScore:
    """The live score that a check has stored."""
    return LiveScore(
        scored_periods=check["scored_periods"],
        newest_period=check["newest_period"],
        mae=check["mae"],
        reference_mae=check["reference_mae"],
        naive_mae=check["naive_mae"],
        mae_beside_naive=check["mae"],
        naive_periods=check["scored_periods"] if check["naive_mae"] is not None else 0,
        coverage=None,
    )

"""Is the live error still good, and if not, is it time to retrain? Pure functions over rows.

The loop must be able to say "enough". A retrain needs a bad look (relative to the champion's own backtest and to the
weekly naive on the same hours), k of the last n looks bad with the newest among them, a minimum of scored hours, no
retrain still open, a cooldown and a weekly cap. An error that is not a number is an alarm, never a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any, Literal

from pipeline.settings import RetrainSettings

Row = Mapping[str, Any]
VerdictName = Literal["good", "watch", "retrain", "wait", "too few hours", "alarm"]
OPEN_HOURS = 6  # a retrain asked for is open until a training run starts, at most as long as a job may run


@dataclass(frozen=True)
class LiveScore:
    """Mean absolute errors in the series' unit over the scored hours; None where there is nothing to compare with."""

    scored_hours: int
    newest_hour: datetime | None
    mae: float | None
    reference_mae: float | None  # the champion's own backtest error at the same leads
    naive_mae: float | None  # same hour one week earlier
    coverage: float | None  # share of hours inside lower..upper


@dataclass(frozen=True)
class Verdict:
    """What a check says. `bad` is this look alone, `name` what follows from it and from the looks before."""

    name: VerdictName
    bad: bool
    reasons: list[str]


def live_score(rows: Sequence[Row], backtest_mae_by_lead: Sequence[float]) -> LiveScore:
    """Score rows of the view `performance` (ascending) whose reality is known.

    `backtest_mae_by_lead` [h] is the champion's backtest error at lead 1..h; longer leads count as the last one. The
    naive error is that of the same hours; hours without one are left out of both sides of that comparison only.
    """
    scored = [row for row in rows if row["reality"] is not None]
    if not scored:
        return LiveScore(0, None, None, None, None, None)
    longest = len(backtest_mae_by_lead)
    reference = [backtest_mae_by_lead[min(int(row["lead"]), longest) - 1] for row in scored] if longest else []
    naive = [row["naive_error"] for row in scored if row["naive_error"] is not None]
    return LiveScore(
        scored_hours=len(scored),
        newest_hour=scored[-1]["prediction_date"],
        mae=fmean(row["absolute_error"] for row in scored),
        reference_mae=fmean(reference) if reference else None,
        naive_mae=fmean(naive) if 2 * len(naive) >= len(scored) else None,
        coverage=fmean(bool(row["covered"]) for row in scored),
    )


def judge(
    score: LiveScore, earlier: Sequence[Row], last_training: datetime | None, policy: RetrainSettings, now: datetime
) -> Verdict:
    """The verdict of this look.

    `earlier`: rows of `checks`, newest first, of the last week at least; `last_training`: start of the newest training
    run, None if there was none.
    """
    if score.scored_hours < policy.minimum_scored_hours:
        return Verdict("too few hours", False, [_too_few(score, policy)])
    strange = [name for name in ("mae", "reference_mae", "naive_mae") if not is_number(getattr(score, name))]
    if strange:
        return Verdict(
            "alarm", True, [f"{name} is {getattr(score, name)}: a stored value is broken" for name in strange]
        )
    faults = _faults(score, policy)
    if not faults:
        return Verdict("good", False, [_praise(score)])
    bad_looks, looks = _bad_looks(score, earlier, policy)
    reasons = [
        *faults,
        f"{bad_looks} of the last {looks} looks are bad; {policy.bad_checks} of {policy.of_checks} are needed",
    ]
    if bad_looks < policy.bad_checks:
        return Verdict("watch", True, reasons)
    obstacle = _obstacle(earlier, last_training, policy, now)
    return Verdict("wait" if obstacle else "retrain", True, [*reasons, obstacle] if obstacle else reasons)


def is_number(value: float | None) -> bool:
    """Finite, or absent, which is no fault."""
    return value is None or math.isfinite(value)


def _too_few(score: LiveScore, policy: RetrainSettings) -> str:
    return (
        f"{score.scored_hours} scored hours in the last {policy.window_hours} h, "
        f"{policy.minimum_scored_hours} are needed for a verdict"
    )


def _praise(score: LiveScore) -> str:
    beside = [f"backtest {score.reference_mae:,.4g}"] if score.reference_mae is not None else []
    beside += [f"weekly naive {score.naive_mae:,.4g}"] if score.naive_mae is not None else []
    return f"live error {score.mae:,.4g} over {score.scored_hours} h; {', '.join(beside) or 'nothing to compare with'}"


def _faults(score: LiveScore, policy: RetrainSettings) -> list[str]:
    """Why this look is bad; empty when it is good."""
    limits = (
        ("the champion's backtest error", score.reference_mae, policy.maximum_ratio_to_backtest),
        ("the weekly naive's error on the same hours", score.naive_mae, policy.maximum_ratio_to_naive),
        ("max_mae", policy.max_mae, 1.0),
    )
    mae = score.mae or 0.0
    return [
        f"live error {mae:,.4g} over {score.scored_hours} h is above {ratio:g} x {name} ({reference:,.4g})"
        for name, reference, ratio in limits
        if reference is not None and mae > ratio * reference
    ]


def _bad_looks(score: LiveScore, earlier: Sequence[Row], policy: RetrainSettings) -> tuple[int, int]:
    """(bad, all) among this look and the n - 1 before it; a look that saw no newer hour is no new evidence."""
    looks = [True]
    seen = score.newest_hour
    for check in earlier:
        if len(looks) == policy.of_checks:
            break
        if check["newest_hour"] is not None and (seen is None or check["newest_hour"] < seen):
            looks.append(bool(check["bad"]))
            seen = check["newest_hour"]
    return sum(looks), len(looks)


def _obstacle(
    earlier: Sequence[Row], last_training: datetime | None, policy: RetrainSettings, now: datetime
) -> str | None:
    """Why a retrain that is due must wait; None when nothing stands in its way."""
    asked = [check["checked_at"] for check in earlier if check["dispatched"]]
    if asked and now - asked[0] < timedelta(hours=OPEN_HOURS) and (last_training is None or last_training < asked[0]):
        return f"the retrain asked for at {asked[0]:%Y-%m-%d %H:%M}Z has not started yet"
    last = max([*asked[:1], *([last_training] if last_training else [])], default=None)
    if last and now - last < timedelta(hours=policy.cooldown_hours):
        return f"cooldown: the last retrain was at {last:%Y-%m-%d %H:%M}Z, less than {policy.cooldown_hours:g} h ago"
    week = sum(moment > now - timedelta(days=7) for moment in asked)
    if week >= policy.maximum_per_week:
        return f"{week} retrains were asked for in the last 7 days, the cap is {policy.maximum_per_week}"
    return None

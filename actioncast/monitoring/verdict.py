"""Is the live error still good, and if not, is it time to retrain? Pure functions over rows.

The loop must be able to say "enough". A retrain needs a bad look (relative to the champion's own backtest and to the
weekly naive on the same hours), k of the last n looks bad with the newest among them, a minimum of scored hours, no
retrain still open, a cooldown and a weekly cap. An error that is not a number is an alarm, never a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from actioncast.monitoring.live_error import LiveScore, Row, is_sound
from actioncast.settings import RetrainSettings

VerdictName = Literal["good", "watch", "retrain", "wait", "too few hours", "alarm"]
NO_EVIDENCE = ("too few hours", "alarm")  # looks that say nothing about the champion
WEEK = timedelta(hours=168)
OPEN_HOURS = 6  # a retrain asked for is open until a training run starts, at most as long as a job may run
LONG_AGO = datetime.min.replace(tzinfo=UTC)
ROUNDING = 1e-9  # a champion that is the weekly naive must not lose to it by the last digit


@dataclass(frozen=True)
class Verdict:
    """What a check says. `bad` is this look alone, `name` what follows from it and from the looks before."""

    name: VerdictName
    bad: bool
    reasons: list[str]

    def because(self, reason: str) -> Verdict:
        """The same verdict with one more reason."""
        return replace(self, reasons=[*self.reasons, reason])


class Comparison(NamedTuple):
    """A live error and the reference that it may exceed by a ratio, both over the same hours."""

    live: float
    hours: int
    ratio: float
    name: str
    reference: float

    @property
    def is_bad(self) -> bool:
        return self.live > self.ratio * self.reference * (1 + ROUNDING)

    def __str__(self) -> str:
        side = "above" if self.is_bad else "within"
        limit = f"{self.ratio:g} x {self.name} ({_figure(self.reference)})"
        return f"live error {_figure(self.live)} over {self.hours} h is {side} {limit}"


def judge(
    score: LiveScore, earlier: Sequence[Row], last_training: datetime | None, policy: RetrainSettings, now: datetime
) -> Verdict:
    """The verdict of this look.

    `earlier`: rows of `checks`, newest first, of the last week and the cooldown at least; `last_training`: start of the
    newest training run, None if there was none.
    """
    if broken := [name for name in ("mae", "reference_mae", "naive_mae") if not is_sound(getattr(score, name))]:
        return Verdict(
            "alarm", False, [f"{name} is {getattr(score, name)}: a stored value is broken" for name in broken]
        )
    comparisons = _comparisons(score, policy)
    if silence := _why_no_verdict(score, comparisons, policy, now):
        return Verdict("too few hours", False, [silence])
    faults = [str(comparison) for comparison in comparisons if comparison.is_bad]
    if not faults:
        return Verdict("good", False, [str(comparison) for comparison in comparisons])
    last_retrain = max([*asked(earlier)[:1], *([last_training] if last_training else [])], default=None)
    bad_looks = _bad_looks(score, earlier, last_retrain, policy)
    verdict = Verdict("watch", True, [*faults, _count(bad_looks, policy)])
    if bad_looks < policy.bad_checks:
        return verdict
    obstacle = _obstacle(asked(earlier), last_training, last_retrain, policy, now)
    return replace(verdict.because(obstacle), name="wait") if obstacle else replace(verdict, name="retrain")


def asked(checks: Iterable[Row]) -> list[datetime]:
    """When retrains were asked for, in the order of the checks."""
    return [check["checked_at"] for check in checks if check["dispatched"]]


def _comparisons(score: LiveScore, policy: RetrainSettings) -> list[Comparison]:
    """All that can be made: the weekly naive only where it is known for as many hours as a verdict needs."""
    live, hours = score.mae, score.scored_hours
    naive = score.naive_mae if score.naive_hours >= policy.minimum_scored_hours else None
    backtest_name, naive_name = "the champion's backtest error", "the weekly naive's error on the same hours"
    possible = (
        (live, hours, policy.maximum_ratio_to_backtest, backtest_name, score.reference_mae),
        (score.mae_beside_naive, score.naive_hours, policy.maximum_ratio_to_naive, naive_name, naive),
        (live, hours, 1.0, "max_mae", policy.max_mae),
    )
    return [
        Comparison(error, over, ratio, name, reference)
        for error, over, ratio, name, reference in possible
        if error is not None and reference is not None
    ]


def _why_no_verdict(
    score: LiveScore, comparisons: Sequence[Comparison], policy: RetrainSettings, now: datetime
) -> str | None:
    """Why nothing can be said about the champion; None when something can."""
    if score.newest_hour is None or score.scored_hours < policy.minimum_scored_hours:
        return (
            f"{score.scored_hours} scored hours of the champion's forecasts within {policy.window_hours} h, "
            f"{policy.minimum_scored_hours} are needed for a verdict"
        )
    if now - score.newest_hour > timedelta(hours=policy.window_hours):
        return f"the newest scored hour is {_moment(score.newest_hour)}, more than {policy.window_hours} h ago"
    return None if comparisons else "nothing to compare with yet: no card, no hours one week earlier, no max_mae"


def _bad_looks(score: LiveScore, earlier: Sequence[Row], last_retrain: datetime | None, policy: RetrainSettings) -> int:
    """How many of the last n looks are bad, this one, which is, among them.

    Looks at the same newest hour are one look. What was seen up to the last retrain is spent, and without a newer hour
    this look is no evidence either.
    """
    this: Row = {"newest_hour": score.newest_hour, "bad": True}
    evidence = [check for check in earlier if check["verdict"] not in NO_EVIDENCE]
    spent = [check["newest_hour"] for check in evidence if last_retrain and check["checked_at"] <= last_retrain]
    looks = {  # oldest first: of the looks at one hour the newest stays
        look["newest_hour"]: bool(look["bad"])
        for look in [*reversed(evidence), this]
        if look["newest_hour"] > max(spent, default=LONG_AGO)
    }
    if this["newest_hour"] not in looks:
        return 0
    hours = sorted(hour for hour in looks if hour <= this["newest_hour"])
    return sum(looks[hour] for hour in hours[-policy.of_checks :])


def _count(bad_looks: int, policy: RetrainSettings) -> str:
    return (
        f"bad looks among the last {policy.of_checks}: {bad_looks}, {policy.bad_checks} are needed; "
        "only looks at newer hours since the last retrain count"
    )


def _obstacle(
    asked: Sequence[datetime],
    last_training: datetime | None,
    last_retrain: datetime | None,
    policy: RetrainSettings,
    now: datetime,
) -> str | None:
    """Why a retrain that is due must wait; None when nothing stands in its way. `asked` is newest first."""
    unanswered = bool(asked) and (last_training is None or last_training < asked[0])
    if unanswered and now - asked[0] < timedelta(hours=OPEN_HOURS):
        return f"the retrain asked for at {_moment(asked[0])} has not been recorded as run yet"
    if last_retrain and now - last_retrain < timedelta(hours=policy.cooldown_hours):
        idle = "; no training run followed it, so look at the retrain workflow" if unanswered else ""
        return f"cooldown of {policy.cooldown_hours:g} h since the last retrain at {_moment(last_retrain)}{idle}"
    this_week = sum(now - moment < WEEK for moment in asked)
    if this_week >= policy.maximum_per_week:
        return f"retrains asked for in the last 7 days: {this_week}, the cap is {policy.maximum_per_week}"
    return None


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"

"""Is the live error still good, and if not, is it time to retrain? Pure functions over rows.

The loop must be able to say "enough". A retrain needs a bad look (relative to the champion's own
backtest and to the seasonal naive on the same periods), k of the last n looks bad with the newest among
them, a minimum of scored periods, no retrain still open, a cooldown and a weekly cap. An error that
is not a number is an alarm and never a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from actioncast.forecasting.card import Holidays
from actioncast.monitoring.live_error import LiveScore, Row, is_sound
from actioncast.policies import RetrainPolicy
from actioncast.serving.restatement import Ended
from actioncast.text import duration, number
from actioncast.times import ONE_WEEK

VerdictName = Literal["good", "watch", "retrain", "wait", "too few periods", "alarm"]
NO_EVIDENCE = ("too few periods", "alarm")  # looks that say nothing about the champion
# A retrain asked for is open until a training run starts, at most as long as a job may run.
OPEN_HOURS = 6
LONG_AGO = datetime.min.replace(tzinfo=UTC)
ROUNDING = 1e-9  # a champion that is the naive must not lose to it by the last digit


@dataclass(frozen=True)
class Verdict:
    """What a check says.

    `bad` is this look alone, `name` what follows from it and from the looks before.
    """

    name: VerdictName
    bad: bool
    reasons: list[str]

    def because(self, reason: str) -> Verdict:
        """The same verdict with one more reason."""
        return replace(self, reasons=[*self.reasons, reason])


class Comparison(NamedTuple):
    """A live error and the reference that it may exceed by a ratio, both over the same hours."""

    live: float
    periods: int
    plural: str
    ratio: float
    name: str
    reference: float

    @property
    def is_bad(self) -> bool:
        return self.live > self.ratio * self.reference * (1 + ROUNDING)

    def __str__(self) -> str:
        side = "above" if self.is_bad else "within"
        limit = f"{self.ratio:g} x {self.name} ({number(self.reference)})"
        return f"live error {number(self.live)} over {self.periods} {self.plural} is {side} {limit}"


def judge(
    score: LiveScore,
    *,
    earlier: Sequence[Row],
    last_training: datetime | None,
    policy: RetrainPolicy,
    now: datetime,
    holidays: Holidays | None = None,
    ended: Ended | None = None,
) -> Verdict:
    """The verdict of this look.

    `earlier`: rows of `checks`, newest first, of the last week and the cooldown at least;
    `last_training`: start of the newest training run, None if there was none; `holidays`: those of
    the series, around which a retrain waits; `ended` is a change of level that the champion was trained
    for and that is over, which is reason enough
    once: a training since then has seen it.
    """
    look = _judge_look(score, policy, now)
    requests = dispatch_times(earlier)
    if ended is not None and _is_unseen(ended, last_training, now) and look.name != "alarm":
        return _re_examine(ended, _obstacle(requests, last_training, policy, now))
    if not look.bad:
        return look
    last_retrain = _last_retrain(requests, last_training)
    bad_looks = _bad_looks(score.newest_period, earlier, last_retrain, policy)
    verdict = look.because(_count(bad_looks, policy))
    if bad_looks < policy.bad_checks:
        return verdict
    obstacle = _holiday(score.newest_period, holidays) or _obstacle(requests, last_training, policy, now)
    if obstacle is not None:
        return replace(verdict.because(obstacle), name="wait")
    return replace(verdict, name="retrain")


def _is_unseen(ended: Ended, last_training: datetime | None, now: datetime) -> bool:
    """Whether a training would believe the end now and none has seen it yet."""
    return now >= ended.seen_at and (last_training is None or last_training < ended.seen_at)


def _re_examine(ended: Ended, obstacle: str | None) -> Verdict:
    """The verdict on a champion that was trained for a level that is over."""
    verdict = Verdict("retrain", bad=True, reasons=[str(ended)])
    return verdict if obstacle is None else replace(verdict.because(obstacle), name="wait")


def dispatch_times(checks: Iterable[Row]) -> list[datetime]:
    """When retrains were asked for, in the order of the checks."""
    return [check["checked_at"] for check in checks if check["dispatched"]]


def _judge_look(score: LiveScore, policy: RetrainPolicy, now: datetime) -> Verdict:
    """The verdict of this look alone: alarm, too few periods, good, or a bad look to watch."""
    broken = _broken_errors(score)
    if broken:
        return Verdict("alarm", bad=False, reasons=broken)
    comparisons = _comparisons(score, policy)
    silence = _why_no_verdict(score, comparisons, policy, now)
    if silence is not None:
        return Verdict("too few periods", bad=False, reasons=[silence])
    faults = [str(comparison) for comparison in comparisons if comparison.is_bad]
    if faults:
        return Verdict("watch", bad=True, reasons=faults)
    return Verdict("good", bad=False, reasons=[str(comparison) for comparison in comparisons])


def _broken_errors(score: LiveScore) -> list[str]:
    """A reason for each error that is NaN or infinite."""
    return [
        f"{name} is {error}: a stored value is broken" for name, error in score.errors().items() if not is_sound(error)
    ]


def _comparisons(score: LiveScore, policy: RetrainPolicy) -> list[Comparison]:
    """All comparisons that can be made of this score."""
    comparisons = []
    if score.mae is not None and score.reference_mae is not None:
        backtest = Comparison(
            live=score.mae,
            periods=score.scored_periods,
            plural=policy.frequency.plural,
            ratio=policy.maximum_ratio_to_backtest,
            name="the champion's backtest error",
            reference=score.reference_mae,
        )
        comparisons.append(backtest)
    # The naive counts once it has an error for as many periods as a verdict needs.
    naive_counts = score.naive_periods >= policy.minimum_scored
    if naive_counts and score.mae_beside_naive is not None and score.naive_mae is not None:
        naive = Comparison(
            live=score.mae_beside_naive,
            periods=score.naive_periods,
            plural=policy.frequency.plural,
            ratio=policy.maximum_ratio_to_naive,
            name=f"the error of {policy.naive} earlier",
            reference=score.naive_mae,
        )
        comparisons.append(naive)
    if score.mae is not None and policy.max_mae is not None:
        absolute = Comparison(
            live=score.mae,
            periods=score.scored_periods,
            plural=policy.frequency.plural,
            ratio=1.0,
            name="max_mae",
            reference=policy.max_mae,
        )
        comparisons.append(absolute)
    return comparisons


def _why_no_verdict(
    score: LiveScore, comparisons: Sequence[Comparison], policy: RetrainPolicy, now: datetime
) -> str | None:
    """Why nothing can be said about the champion; None when something can."""
    plural = policy.frequency.plural
    if score.newest_period is None or score.scored_periods < policy.minimum_scored:
        return (
            f"{score.scored_periods} scored {plural} of the champion's forecasts within {policy.window}, "
            f"{policy.minimum_scored} are needed for a verdict"
        )
    if now - score.newest_period > policy.window * timedelta(seconds=policy.frequency.seconds):
        newest = _minute(score.newest_period)
        return f"the newest scored {policy.frequency.noun} is {newest}, more than {policy.window} {plural} ago"
    if not comparisons:
        return "nothing to compare with yet: no card, no naive, no max_mae"
    return None


def _last_retrain(requests: Sequence[datetime], last_training: datetime | None) -> datetime | None:
    """The newest retrain, asked for or run; `requests` are newest first."""
    moments = list(requests[:1])
    if last_training is not None:
        moments.append(last_training)
    return max(moments, default=None)


def _bad_looks(
    newest_period: datetime | None,
    earlier: Sequence[Row],
    last_retrain: datetime | None,
    policy: RetrainPolicy,
) -> int:
    """Number of bad looks among the last n, with this bad look at `newest_period` as the newest.

    Looks at the same newest hour are one look. Periods that were seen up to the last retrain are
    spent; 0 when `newest_period` is one of them, because then this look is no new evidence.
    """
    evidence = [check for check in earlier if check["verdict"] not in NO_EVIDENCE]
    spent_until = _newest_spent_period(evidence, last_retrain)
    if newest_period is None or newest_period <= spent_until:
        return 0
    bad_by_period = {}
    # From the oldest look on, so that of several looks at one hour the newest stays.
    for check in reversed(evidence):
        if spent_until < check["newest_period"] <= newest_period:
            bad_by_period[check["newest_period"]] = bool(check["bad"])
    bad_by_period[newest_period] = True
    last_hours = sorted(bad_by_period)[-policy.of_checks :]
    return sum(bad_by_period[hour] for hour in last_hours)


def _newest_spent_period(evidence: Sequence[Row], last_retrain: datetime | None) -> datetime:
    """The newest hour that a look had seen when the last retrain was asked for or run."""
    if last_retrain is None:
        return LONG_AGO
    spent = [check["newest_period"] for check in evidence if check["checked_at"] <= last_retrain]
    return max(spent, default=LONG_AGO)


def _count(bad_looks: int, policy: RetrainPolicy) -> str:
    return (
        f"bad looks among the last {policy.of_checks}: {bad_looks}, "
        f"{policy.bad_checks} are needed; "
        "only looks at newer periods since the last retrain count"
    )


def _obstacle(
    requests: Sequence[datetime],
    last_training: datetime | None,
    policy: RetrainPolicy,
    now: datetime,
) -> str | None:
    """Why a retrain that is due must wait; None when nothing stands in its way.

    `requests` are newest first.
    """
    unanswered = _is_unanswered(requests, last_training)
    if unanswered and now - requests[0] < timedelta(hours=OPEN_HOURS):
        return f"the retrain asked for at {_minute(requests[0])} has not been recorded as run yet"
    last_retrain = _last_retrain(requests, last_training)
    if last_retrain is not None and now - last_retrain < policy.cooldown:
        hint = "; no training run followed it, so look at the retrain workflow"
        return (
            f"cooldown of {duration(policy.cooldown)} since the last retrain "
            f"at {_minute(last_retrain)}{hint if unanswered else ''}"
        )
    this_week = sum(now - moment < ONE_WEEK for moment in requests)
    cap = policy.maximum_per_week
    if this_week >= cap:
        return f"retrains asked for in the last 7 days: {this_week}, the cap is {cap}"
    return None


def _holiday(newest_period: datetime | None, holidays: Holidays | None) -> str | None:
    """Why what the newest periods show says little; None where it does."""
    if holidays is None or newest_period is None:
        return None
    holiday = holidays.beside(newest_period)
    if holiday is None:
        return None
    return f"{holiday:%Y-%m-%d} is a holiday: what is learned around it does not last"


def _is_unanswered(requests: Sequence[datetime], last_training: datetime | None) -> bool:
    """Whether no training run has started since the newest request."""
    if not requests:
        return False
    return last_training is None or last_training < requests[0]


def _minute(moment: datetime) -> str:
    """2022-03-04 03:00Z."""
    return f"{moment:%Y-%m-%d %H:%M}Z"

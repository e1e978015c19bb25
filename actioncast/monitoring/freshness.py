"""Is anything silently dead? Pure functions: stored times and runs in, findings out.

Nothing is remembered between looks. A finding must hold at each of the last `bad_looks` look
moments. What an earlier look would have seen follows from stored times: what arrived later was not
there yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actioncast.monitoring.age import Age, age_verdict
from actioncast.monitoring.live_error import Row
from actioncast.settings import FreshnessSettings
from actioncast.times import HOURS_PER_DAY

WORKFLOW_REMEDY = (
    "Look at its runs in the Actions tab; run it by hand. GitHub's schedule is late at times, and drops runs."
)


@dataclass(frozen=True)
class Finding:
    """One thing that may be dead, and the evidence.

    `title` is the key of its issue and never holds a number.
    """

    title: str
    stale: bool
    evidence: str
    remedy: str


@dataclass(frozen=True)
class SeriesState:
    """What the database and the model folder hold of a series; times in any order."""

    series: str
    loads: Sequence[tuple[datetime, datetime]]  # (loaded at, end of the hour)
    issues: Sequence[datetime]  # when each vintage was issued
    champion_created: datetime | None
    scored: Sequence[Row]  # prediction_date, covered
    nominal_coverage: float


@dataclass(frozen=True)
class WorkflowRuns:
    """Runs of one scheduled workflow that GitHub still lists."""

    file: str
    allowed_hours: float
    first_run: datetime | None
    successes: Sequence[datetime]


def looks(now: datetime, policy: FreshnessSettings) -> list[datetime]:
    """The moment of this look and those before it that must agree, newest first."""
    return [now - timedelta(hours=policy.look_hours * i) for i in range(policy.bad_looks)]


def of_series(state: SeriesState, policy: FreshnessSettings, now: datetime) -> list[Finding]:
    """All findings about one series, fresh ones too: they close issues."""
    moments = looks(now, policy)
    return [
        _data(state, policy, moments),
        _forecast(state, policy, moments),
        _champion(state, policy, moments),
        _coverage(state, policy, moments),
    ]


def of_workflow(runs: WorkflowRuns, policy: FreshnessSettings, now: datetime) -> Finding:
    """Whether a workflow has had no success for too long; one that has never run is not judged."""
    ages = []
    for moment in looks(now, policy):
        last_success = _newest_until(moment, runs.successes)
        ages.append(age_verdict(last_success or runs.first_run, moment, runs.allowed_hours))
    return _aged(
        f"The workflow {runs.file} has not succeeded for too long",
        "last success",
        ages,
        remedy=WORKFLOW_REMEDY,
        missing_is_stale=False,
    )


def _data(state: SeriesState, policy: FreshnessSettings, moments: Sequence[datetime]) -> Finding:
    ages = []
    for moment in moments:
        ends = [end for loaded_at, end in state.loads if loaded_at <= moment]
        ages.append(age_verdict(max(ends, default=None), moment, policy.actual_hours))
    return _aged(
        f"The data of {state.series} are stale",
        "newest stored hour",
        ages,
        remedy="Look at the runs of `update_real_data` and at the source.",
        missing_is_stale=True,
    )


def _forecast(state: SeriesState, policy: FreshnessSettings, moments: Sequence[datetime]) -> Finding:
    ages = []
    for moment in moments:
        issued_at = _newest_until(moment, state.issues)
        ages.append(age_verdict(issued_at, moment, policy.forecast_hours))
    return _aged(
        f"The forecast of {state.series} is stale",
        "newest forecast",
        ages,
        remedy="Look at the runs of `make_predictions`; without a champion run `retrain`.",
        missing_is_stale=True,
    )


def _champion(state: SeriesState, policy: FreshnessSettings, moments: Sequence[datetime]) -> Finding:
    allowed_hours = policy.champion_days * HOURS_PER_DAY
    ages = [age_verdict(state.champion_created, moment, allowed_hours) for moment in moments]
    return _aged(
        f"The champion of {state.series} is old",
        "champion",
        ages,
        remedy="Run `retrain`: the gate keeps the champion if nothing is better.",
        missing_is_stale=False,
    )


def _newest_until(moment: datetime, times: Iterable[datetime]) -> datetime | None:
    """The newest of the times that had come by this moment."""
    return max((time for time in times if time <= moment), default=None)


def _aged(
    title: str,
    subject: str,
    ages: Sequence[Age],
    *,
    remedy: str,
    missing_is_stale: bool,
) -> Finding:
    """The finding about the age of one thing at each look, newest look first; it is stale if every look says so."""
    stale = all(each.stale or (each.missing and missing_is_stale) for each in ages)
    newest_look = ages[0]
    age = "none"
    if newest_look.newest is not None:
        age = f"{newest_look.newest:%Y-%m-%d %H:%M}Z, {newest_look.hours:,.0f} h ago"
    evidence = f"{subject}: {age}; {newest_look.allowed_hours:g} h are allowed"
    return Finding(title, stale, evidence, remedy)


def _coverage(state: SeriesState, policy: FreshnessSettings, moments: Sequence[datetime]) -> Finding:
    """Whether the share of hours inside lower..upper was off over the window before each moment."""
    shares = [_share_inside(state.scored, moment, policy.coverage_hours) for moment in moments]
    off = [_is_off(share, state.nominal_coverage, policy.coverage_tolerance) for share in shares]
    result = "too few scored hours"
    if shares[0] is not None:
        result = f"{shares[0]:.0%} of the hours fell inside"
    target = f"{state.nominal_coverage:.0%} within {policy.coverage_tolerance:.0%} is expected"
    return Finding(
        title=f"The intervals of {state.series} are off",
        stale=all(off),
        evidence=f"last {policy.coverage_hours} h: {result}; {target}",
        remedy="Run `retrain`: intervals are calibrated anew on the newest errors.",
    )


def _is_off(share: float | None, nominal: float, tolerance: float) -> bool:
    return share is not None and abs(share - nominal) > tolerance


def _share_inside(scored: Iterable[Row], moment: datetime, hours: int) -> float | None:
    """Share of the scored hours inside lower..upper among the `hours` before `moment`; None if too few are scored."""
    start = moment - timedelta(hours=hours)
    inside = [bool(row["covered"]) for row in scored if start <= row["prediction_date"] < moment]
    if len(inside) < hours / 2:
        return None
    return sum(inside) / len(inside)

"""Is anything silently dead? Pure functions: stored times and runs in, findings out.

Nothing is remembered between looks. A finding must hold at each of the last `bad_looks` look
moments. What an earlier look would have seen follows from stored times: what arrived later was not
there yet.

What has never been there is not stale at once. A copy of the template, or a new series, is young
for YOUNG_HOURS, and a series has no forecast before it has enough hours for a first training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actioncast.ingestion.health import values
from actioncast.monitoring import findings
from actioncast.monitoring.age import Age, age_verdict
from actioncast.monitoring.findings import Finding, Kind
from actioncast.monitoring.live_error import Row
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline
from actioncast.policies import FreshnessPolicy
from actioncast.settings import FreshnessSettings
from actioncast.text import duration

YOUNG_HOURS = 48

WORKFLOW_REMEDY = (
    "Look at its runs in the Actions tab; run it by hand. GitHub's schedule is late at times, and drops runs."
)
STUCK_REMEDY = (
    "Look at the sensor or at the source's cache; `python check_data.py --series NAME` shows the periods concerned."
)
NEVER_LOADED = (
    "Nothing has ever been stored: press Run workflow of `start` in the Actions tab, "
    "and read what it says about the source."
)


@dataclass(frozen=True)
class SeriesState:
    """What the database and the model folder hold of a series; times in any order.

    `since` is when the series began: its first ingestion, or else the first run of a workflow; None
    when neither is recorded.
    """

    series: str
    timeline: Timeline
    since: datetime | None
    loads: Sequence[tuple[datetime, datetime]]  # (loaded at, end of the hour)
    issues: Sequence[datetime]  # when each vintage was issued
    champion_created: datetime | None
    scored: Sequence[Row]  # prediction_date, covered
    nominal_coverage: float
    history: Grid | None  # the newest hours, enough to tell what is usual; None without any
    failure: str  # of the newest ingestion; "" when it succeeded
    hours: int  # stored, at most `first_periods`
    first_periods: int  # that a first training needs


@dataclass(frozen=True)
class WorkflowRuns:
    """Runs of one scheduled workflow that GitHub still lists; times in any order."""

    file: str
    allowed_hours: float
    started: Sequence[datetime]
    successes: Sequence[datetime]


def looks(now: datetime, policy: FreshnessPolicy | FreshnessSettings) -> list[datetime]:
    """The moment of this look and those before it that must agree, newest first."""
    return [now - timedelta(hours=policy.look_hours * i) for i in range(policy.bad_looks)]


def of_series(state: SeriesState, policy: FreshnessPolicy, now: datetime) -> list[Finding]:
    """All findings about one series, fresh ones too: they close issues."""
    moments = looks(now, policy)
    return [
        _data(state, policy, moments),
        _stuck(state, moments),
        _forecast(state, policy, moments),
        _champion(state, policy, moments),
        _coverage(state, policy, moments),
    ]


def of_workflow(runs: WorkflowRuns, policy: FreshnessSettings, now: datetime) -> Finding:
    """Whether a workflow has had no success for too long; one that has never run is not judged."""
    ages = []
    for moment in looks(now, policy):
        last_success = _newest_until(moment, runs.successes)
        first_run = min(runs.started, default=None)
        ages.append(age_verdict(last_success or first_run, moment, timedelta(hours=runs.allowed_hours)))
    return Finding(
        kind=findings.workflow_kind(runs.file),
        subject=runs.file,
        evidence=_evidence("last success", ages[0]),
        remedy=WORKFLOW_REMEDY,
        stale=all(age.stale for age in ages),
    )


def runs_still(runs: WorkflowRuns, now: datetime) -> bool:
    """Whether a workflow runs, well or not: then its own incident says what is wrong."""
    age = age_verdict(max(runs.started, default=None), now, timedelta(hours=runs.allowed_hours))
    return not age.missing and not age.stale


def first_start(workflows: Iterable[WorkflowRuns]) -> datetime | None:
    """When the first of the workflows ran that GitHub still lists."""
    return min((start for runs in workflows for start in runs.started), default=None)


def _data(state: SeriesState, policy: FreshnessPolicy, moments: Sequence[datetime]) -> Finding:
    ages = []
    for moment in moments:
        ends = [end for loaded_at, end in state.loads if loaded_at <= moment]
        ages.append(age_verdict(max(ends, default=None), moment, policy.actual, state.timeline))
    never = not state.loads
    subject = f"newest stored {state.timeline.frequency.noun}"
    evidence = _evidence(subject, ages[0])
    if never and state.failure:
        evidence = f"{subject}: none; the source has never answered: {state.failure}"
    return _judged(
        findings.DATA,
        state,
        ages,
        evidence=evidence,
        remedy=NEVER_LOADED if never else "Look at the runs of `update_real_data` and at the source.",
        is_young=never and _is_young(state, moments[0]),
    )


def _stuck(state: SeriesState, moments: Sequence[datetime]) -> Finding:
    """Whether the newest hours that were there at each moment are one value, for longer than ever before."""
    runs = [_newest_run(state.history, moment) for moment in moments]
    return Finding(
        kind=findings.STUCK,
        subject=state.series,
        evidence=runs[0] or "the newest values differ as they did before",
        remedy=STUCK_REMEDY,
        stale=all(runs),
    )


def _newest_run(history: Grid | None, moment: datetime) -> str:
    """The evidence that the hours until this moment are stuck; empty if they are not."""
    if history is None:
        return ""
    periods = max(history.timeline.last_over(moment) + 1 - history.first, 0)
    if not periods:
        return ""
    plural = history.timeline.frequency.plural
    until_then = history.values[:periods]
    newest = len(until_then) - 1
    suspicions = [*values.zeros(until_then, newest, plural), *values.stuck(until_then, newest, plural)]
    return suspicions[0].evidence if suspicions else ""


def _forecast(state: SeriesState, policy: FreshnessPolicy, moments: Sequence[datetime]) -> Finding:
    ages = []
    for moment in moments:
        issued_at = _newest_until(moment, state.issues)
        ages.append(age_verdict(issued_at, moment, policy.forecast, state.timeline))
    never = not state.issues
    too_short = never and 0 < state.hours < state.first_periods
    evidence = _evidence("newest forecast", ages[0])
    if too_short:
        plural = state.timeline.frequency.plural
        stored = f"{state.hours} of {state.first_periods} {plural} for a first training are stored"
        evidence = f"newest forecast: none; {stored}"
    return _judged(
        findings.FORECAST,
        state,
        ages,
        evidence=evidence,
        remedy="Look at the runs of `make_predictions`; without a champion run `retrain`.",
        is_young=too_short or (never and _is_young(state, moments[0])),
    )


def _is_young(state: SeriesState, now: datetime) -> bool:
    """Whether the series began so recently that nothing can be expected of it."""
    return state.since is not None and now - state.since < timedelta(hours=YOUNG_HOURS)


def _judged(
    kind: Kind,
    state: SeriesState,
    ages: Sequence[Age],
    *,
    evidence: str,
    remedy: str,
    is_young: bool,
) -> Finding:
    """The finding about a thing that must be there; `ages` are those at each look."""
    stale = all(age.stale or age.missing for age in ages)
    return Finding(
        kind=kind,
        subject=state.series,
        evidence=evidence,
        remedy=remedy,
        stale=stale and not is_young,
        young=is_young,
    )


def _champion(state: SeriesState, policy: FreshnessPolicy, moments: Sequence[datetime]) -> Finding:
    """Whether the champion is old; without one, the forecast is missing."""
    ages = [age_verdict(state.champion_created, moment, policy.champion) for moment in moments]
    return Finding(
        kind=findings.CHAMPION,
        subject=state.series,
        evidence=_evidence("champion", ages[0]),
        remedy="Run `retrain`: the gate keeps the champion if nothing is better.",
        stale=all(age.stale for age in ages),
    )


def _newest_until(moment: datetime, times: Iterable[datetime]) -> datetime | None:
    """The newest of the times that had come by this moment."""
    return max((time for time in times if time <= moment), default=None)


def _evidence(subject: str, age: Age) -> str:
    """What is there, how old it is, and how old it may be."""
    newest = "none"
    if age.newest is not None and age.age is not None:
        newest = f"{age.newest:%Y-%m-%d %H:%M}Z, {duration(age.age)} ago"
    return f"{subject}: {newest}; {duration(age.allowed)} are allowed"


def _coverage(state: SeriesState, policy: FreshnessPolicy, moments: Sequence[datetime]) -> Finding:
    """Whether the share of hours inside lower..upper was off over the window before each moment."""
    shares = [_share_inside(state, moment, policy.coverage_window) for moment in moments]
    off = [_is_off(share, state.nominal_coverage, policy.coverage_tolerance) for share in shares]
    plural = state.timeline.frequency.plural
    result = f"too few scored {plural}"
    if shares[0] is not None:
        result = f"{shares[0]:.0%} of the {plural} fell inside"
    target = f"{state.nominal_coverage:.0%} within {policy.coverage_tolerance:.0%} is expected"
    return Finding(
        kind=findings.COVERAGE,
        subject=state.series,
        evidence=f"last {policy.coverage_window} {plural}: {result}; {target}",
        remedy="Run `retrain`: intervals are calibrated anew on the newest errors.",
        stale=all(off),
    )


def _is_off(share: float | None, nominal: float, tolerance: float) -> bool:
    return share is not None and abs(share - nominal) > tolerance


def _share_inside(state: SeriesState, moment: datetime, periods: int) -> float | None:
    """Share of the scored periods inside lower..upper among those before `moment`; None if too few are scored."""
    start = state.timeline.shift(moment, -periods)
    inside = [bool(row["covered"]) for row in state.scored if start <= row["prediction_date"] < moment]
    if len(inside) < periods / 2:
        return None
    return sum(inside) / len(inside)

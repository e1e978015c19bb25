"""Is anything silently dead? Pure functions: what was seen in, findings out.

Nothing is remembered between looks. A finding must hold at each of the last N look moments, and what each of them would
have seen is worked out from stored times: what arrived later than a moment was not there yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actioncast.settings import FreshnessSettings

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing and how it is. `title` is the key of its issue and never holds a number."""

    title: str
    stale: bool
    evidence: str
    remedy: str


@dataclass(frozen=True)
class Seen:
    """What the database and the model of a series say: moments ascending."""

    series: str
    loads: Sequence[tuple[datetime, datetime]]  # (loaded at, end of the hour)
    issues: Sequence[datetime]  # of vintages
    champion_created: datetime | None
    scored: Sequence[Row]  # prediction_date, covered
    nominal_coverage: float


@dataclass(frozen=True)
class WorkflowSeen:
    """Runs of one scheduled workflow that GitHub still lists."""

    file: str
    allowed_hours: float
    first_run: datetime | None
    successes: Sequence[datetime]


def looks(now: datetime, policy: FreshnessSettings) -> list[datetime]:
    """This look's moment and those before it that must agree."""
    return [now - timedelta(hours=policy.look_hours * i) for i in range(policy.bad_looks)]


def of_series(seen: Seen, policy: FreshnessSettings, now: datetime) -> list[Finding]:
    """All findings about one series, fresh ones too: they close issues."""
    moments = looks(now, policy)
    ends = [max((end for loaded, end in seen.loads if loaded <= moment), default=None) for moment in moments]
    issued = [max((issue for issue in seen.issues if issue <= moment), default=None) for moment in moments]
    champion = [seen.champion_created] * len(moments)
    return [
        _aged(
            f"The data of {seen.series} are stale", "newest stored hour", moments, ends, policy.actual_hours,
            "Look at the runs of `update_real_data` and at the source.",
        ),
        _aged(
            f"The forecast of {seen.series} is stale", "newest forecast", moments, issued, policy.forecast_hours,
            "Look at the runs of `make_predictions`; without a champion run `retrain`.",
        ),
        _aged(
            f"The champion of {seen.series} is old", "champion", moments, champion, policy.champion_days * 24,
            "Run `retrain`: the gate keeps the champion if nothing is better.", missing_is_stale=False,
        ),
        _coverage(seen, policy, moments),
    ]  # fmt: skip


def of_workflow(seen: WorkflowSeen, policy: FreshnessSettings, now: datetime) -> Finding:
    """No success for too long; one that has never run is not judged."""
    moments = looks(now, policy)
    last = [max((run for run in seen.successes if run <= moment), default=seen.first_run) for moment in moments]
    title = f"The workflow {seen.file} has not succeeded for too long"
    remedy = "Look at its runs in the Actions tab; run it by hand. GitHub's schedule is late at times, and drops runs."
    return _aged(title, "last success", moments, last, seen.allowed_hours, remedy, missing_is_stale=False)


def _aged(
    title: str,
    what: str,
    moments: Sequence[datetime],
    newest: Sequence[datetime | None],
    allowed_hours: float,
    remedy: str,
    *,
    missing_is_stale: bool = True,
) -> Finding:
    """Stale when at each moment the newest thing was too old."""
    ages = [(moment - t).total_seconds() / 3600 if t else None for moment, t in zip(moments, newest, strict=True)]
    stale = all(missing_is_stale if age is None else age > allowed_hours for age in ages)
    found = f"{newest[0]:%Y-%m-%d %H:%M}Z, {ages[0]:,.0f} h ago" if newest[0] and ages[0] is not None else "none"
    return Finding(title, stale, f"{what}: {found}; {allowed_hours:g} h are allowed", remedy)


def _coverage(seen: Seen, policy: FreshnessSettings, moments: Sequence[datetime]) -> Finding:
    """The share of hours inside lower..upper over the window before each moment; too few hours are no finding."""
    shares = [_share(seen.scored, moment, policy.coverage_hours) for moment in moments]
    off = [share is not None and abs(share - seen.nominal_coverage) > policy.coverage_tolerance for share in shares]
    found = "too few scored hours" if shares[0] is None else f"{shares[0]:.0%} of the hours fell inside"
    wanted = f"{seen.nominal_coverage:.0%} within {policy.coverage_tolerance:.0%} is expected"
    return Finding(
        f"The intervals of {seen.series} are off",
        all(off),
        f"last {policy.coverage_hours} h: {found}; {wanted}",
        "Run `retrain`: intervals are calibrated anew on the newest errors.",
    )


def _share(scored: Iterable[Row], moment: datetime, hours: int) -> float | None:
    start = moment - timedelta(hours=hours)
    window = [bool(row["covered"]) for row in scored if start <= row["prediction_date"] < moment]
    return sum(window) / len(window) if len(window) >= hours / 2 else None

"""What a rehearsal says: text for people, JSON for programs, Markdown for the step summary, a block for config.toml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from actioncast.rehearsal.policies import TUTORIAL
from actioncast.rehearsal.score import Outcome
from actioncast.text import table
from actioncast.times import isoformat

ENOUGH = 1.02  # times the best live error: among policies this good the one that retrains least is recommended


@dataclass(frozen=True)
class RehearsalReport:
    """All policies' outcomes on one plan; `violations` are broken promises, and must be none."""

    unit: str
    start: datetime
    end: datetime
    ticks: int
    scenario: str
    seed: int
    outcomes: Sequence[Outcome]
    seconds: float
    folder: Path
    recommends: bool = False

    @property
    def violations(self) -> list[str]:
        alone = len(self.outcomes) == 1
        return [
            violation if alone else f"{outcome.policy.name}: {violation}"
            for outcome in self.outcomes
            for violation in outcome.progress.violations
        ]

    @property
    def failed(self) -> bool:
        return bool(self.violations)

    @property
    def best(self) -> Outcome | None:
        """The hindsight-best: lowest live error."""
        scored = [outcome for outcome in self.outcomes if outcome.live_mae is not None]
        return min(scored, key=lambda outcome: outcome.live_mae or 0.0, default=None)

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "ticks": self.ticks,
            "seconds": round(self.seconds, 2),
            "violations": self.violations,
            "policies": [outcome.as_json() for outcome in self.outcomes],
            "scenario": self.scenario,
            "seed": self.seed,
            "verdict": self.outcomes[0].progress.verdict,
        }
        return document | ({"recommended": recommended(self).policy.name} if self.recommends else {})

    def as_text(self) -> str:
        body = _one(self) if len(self.outcomes) == 1 else _several(self)
        return "\n".join(
            [
                *body,
                *(f"VIOLATION: {violation}" for violation in self.violations),
                *(["", recommendation(self)] if self.recommends else []),
                "",
                f"Took {self.seconds:.0f} s; report.html, database and model lie in {self.folder.name}/.",
                *([_SERVE] if len(self.outcomes) == 1 else []),
            ]
        )

    def as_markdown(self) -> str:
        """For $GITHUB_STEP_SUMMARY."""
        promises = f"{len(self.violations)} broken promises" if self.violations else "every promise held"
        parts = [
            "## Rehearsal",
            f"{isoformat(self.start)} to {isoformat(self.end)}, {self.ticks} hourly ticks, faults: {self.scenario}, "
            f"seed {self.seed}; {promises}.",
            comparison(self),
            *(f"- {violation}" for violation in self.violations),
            *([f"```toml\n{recommendation(self)}\n```"] if self.recommends else []),
        ]
        return "\n\n".join(parts) + "\n"


_SERVE = "Serve them: make serve DEMO=1, then open http://127.0.0.1:8000/"


def _one(report: RehearsalReport) -> list[str]:
    """A single policy: the story of its loop."""
    outcome = report.outcomes[0]
    progress = outcome.progress
    checks = ", ".join(f"{count} x {name}" for name, count in progress.checks.items())
    failures = ", ".join(f"{count} x {name}" for name, count in sorted(progress.failures.items()))
    rows = [["champion", outcome.live_mae, outcome.naive_ratio], ["weekly naive", outcome.naive_mae, 1.0]]
    covered = "-" if outcome.coverage is None else f"{outcome.coverage:.0%}"
    return [
        "First training",
        progress.first_training,
        "",
        f"Then live from {isoformat(report.start)} to {isoformat(report.end)}: {progress.ticks} hourly ticks, "
        f"{progress.runs.get('forecast', 0)} forecasts, {outcome.retrains} retrains, "
        f"{outcome.promoted} of them promoted",
        f"Checks: {checks or 'none'}",
        *([f"Failed runs: {failures}"] if failures else []),
        "",
        f"Live error over {outcome.hours} hours",
        table(["", f"MAE, {report.unit}", "ratio"], rows),
        f"{covered} of the hours fell inside lower..upper; {outcome.billed_minutes:,} Actions minutes, "
        f"${outcome.dollars:.2f} in a private repository beyond its free minutes",
        "",
        "Verdict of the last check",
        progress.last_check,
    ]


def _several(report: RehearsalReport) -> list[str]:
    return [
        f"{isoformat(report.start)} to {isoformat(report.end)}: {report.ticks} hourly ticks for each policy, faults: "
        f"{report.scenario}, seed {report.seed}",
        "",
        comparison(report),
    ]


def comparison(report: RehearsalReport) -> str:
    """One row a policy."""
    best = report.best
    headers = [
        "policy",
        f"live MAE, {report.unit}",
        "/ naive",
        "/ best",
        "24 h ahead",
        "retrains",
        "promoted",
        "rejected",
        "false alarms",
        "degraded h",
        "h to promotion",
        "coverage",
        "minutes",
        "dollars",
        "KiB in git",
    ]
    rows = [
        [
            outcome.policy.name,
            outcome.live_mae,
            outcome.naive_ratio,
            outcome.live_mae / best.live_mae if best and best.live_mae and outcome.live_mae else None,
            outcome.day_ahead_mae,
            outcome.retrains,
            outcome.promoted,
            outcome.rejected,
            outcome.false_alarms,
            outcome.degraded_hours,
            outcome.hours_to_promotion,
            outcome.coverage,
            outcome.billed_minutes,
            outcome.dollars,
            outcome.repository_bytes // 1024,
        ]
        for outcome in report.outcomes
    ]
    return table(headers, rows)


def recommended(report: RehearsalReport) -> Outcome:
    """Of the policies within ENOUGH of the best live error the one that trains least often; then the better one."""
    candidates = [o for o in report.outcomes if o.live_mae is not None and o.policy.name != TUTORIAL]
    best = min(outcome.live_mae or 0.0 for outcome in candidates)
    good = [outcome for outcome in candidates if (outcome.live_mae or 0.0) <= ENOUGH * best]
    return min(good, key=lambda outcome: (outcome.retrains, outcome.live_mae))


def recommendation(report: RehearsalReport) -> str:
    """The block for config.toml with its evidence as comments."""
    chosen = recommended(report)
    retrained = f"{chosen.retrains} retrains, {chosen.promoted} promoted, {chosen.billed_minutes} Actions minutes"
    naive = chosen.naive_mae or float("nan")
    evidence = [
        f"# Rehearsed on {isoformat(report.start)} to {isoformat(report.end)}, faults: {report.scenario},",
        f"# seed {report.seed}: live MAE {chosen.live_mae:,.6g} {report.unit} (weekly naive {naive:,.6g}),",
        f"# {retrained};",
        f"# the fewest trainings among {len(report.outcomes)} policies within {ENOUGH - 1:.0%} of the best live error.",
    ]
    if chosen.policy.refresh_hours:
        evidence.append(
            f"# Trains every {chosen.policy.refresh_hours} h whatever the checks say: a cron of the retrain job."
        )
    return "\n".join([*evidence, chosen.policy.as_toml()])

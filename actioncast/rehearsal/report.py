"""The report of a rehearsal: text, JSON, Markdown for the step summary, and a [retrain] block for config.toml."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from actioncast.paths import DEMO
from actioncast.rehearsal.policies import TUTORIAL
from actioncast.rehearsal.score import Outcome
from actioncast.report import Report
from actioncast.text import number, table
from actioncast.times import isoformat

# Times the best live error: among policies this good the one that retrains least is recommended.
ENOUGH = 1.02


@dataclass(frozen=True)
class RehearsalReport(Report):
    """The outcome of each policy on one plan.

    `violations` are broken promises; there should be none.
    """

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
        """Broken promises of all policies, each with its policy's name when there are several."""
        violations = []
        for outcome in self.outcomes:
            prefix = f"{outcome.policy.name}: " if len(self.outcomes) > 1 else ""
            violations += [prefix + violation for violation in outcome.progress.violations]
        return violations

    @property
    def failed(self) -> bool:
        return bool(self.violations)

    @property
    def best(self) -> Outcome | None:
        """The best policy in hindsight: the one with the lowest live error."""
        scored = _scored(self.outcomes)
        if not scored:
            return None
        _, best = min(scored, key=lambda pair: pair[0])
        return best

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
        if self.recommends:
            document["recommended"] = recommended(self).policy.name
        return document

    def as_text(self) -> str:
        alone = len(self.outcomes) == 1
        lines = _one_policy(self) if alone else _several_policies(self)
        lines += [f"VIOLATION: {violation}" for violation in self.violations]
        if self.recommends:
            lines += ["", recommendation(self)]
        lines += ["", f"Took {self.seconds:.0f} s; report.html, database and model lie in {self.folder}/."]
        lines.append(f"Open the report: {self.folder / 'report.html'}")
        if alone:
            lines.append(f"Serve its end: {_serve(self.folder)}, then open http://127.0.0.1:8000/")
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """For $GITHUB_STEP_SUMMARY."""
        promises = "every promise held"
        if self.violations:
            promises = f"{len(self.violations)} broken promises"
        conditions = f"{self.ticks} ticks, {_faults(self)}"
        paragraphs = [
            "## Rehearsal",
            f"{_span(self)}, {conditions}; {promises}.",
            comparison(self),
        ]
        paragraphs += [f"- {violation}" for violation in self.violations]
        if self.recommends:
            paragraphs.append(f"```toml\n{recommendation(self)}\n```")
        return "\n\n".join(paragraphs) + "\n"


def _serve(folder: Path) -> str:
    """The command that shows what the rehearsal left."""
    if folder == DEMO:
        return "make serve DEMO=1"
    return f"python app.py --demo {shlex.quote(str(folder))}"


def _scored(outcomes: Sequence[Outcome]) -> list[tuple[float, Outcome]]:
    """(live error, outcome) of each policy that has an error."""
    scored = []
    for outcome in outcomes:
        if outcome.live_mae is not None:
            scored.append((outcome.live_mae, outcome))
    return scored


def _span(report: RehearsalReport) -> str:
    return f"{isoformat(report.start)} to {isoformat(report.end)}"


def _faults(report: RehearsalReport) -> str:
    return f"faults: {report.scenario}, seed {report.seed}"


def _one_policy(report: RehearsalReport) -> list[str]:
    """A single policy: its first training, its runs, its live error and its last check."""
    outcome = report.outcomes[0]
    progress = outcome.progress
    lines = [
        "First training",
        progress.first_training,
        "",
        f"Then live from {_span(report)}: {progress.ticks} ticks, "
        f"{progress.runs.get('forecast', 0)} forecasts, {outcome.retrains} retrains, "
        f"{outcome.promoted} of them promoted",
        f"Checks: {_counts(progress.checks) or 'none'}",
    ]
    if progress.failures:
        failures = dict(sorted(progress.failures.items()))
        lines.append(f"Failed runs: {_counts(failures)}")
    return [
        *lines,
        "",
        *_live_error(outcome, report.unit),
        "",
        "Verdict of the last check",
        progress.last_check,
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in counts.items())


def _live_error(outcome: Outcome, unit: str) -> list[str]:
    rows = [
        ["champion", outcome.live_mae, outcome.naive_ratio],
        ["seasonal naive", outcome.naive_mae, 1.0],
    ]
    coverage = "-" if outcome.coverage is None else f"{outcome.coverage:.0%}"
    distribution = outcome.distribution
    crps = f"the quantiles have a CRPS of {number(distribution.crps)}; " if distribution else ""
    return [
        f"Live error over {outcome.hours} periods",
        table(["", f"MAE, {unit}", "ratio"], rows),
        f"{coverage} of the periods fell inside lower..upper; {crps}"
        f"{outcome.billed_minutes:,} Actions minutes, "
        f"${outcome.dollars:.2f} in a private repository beyond its free minutes",
    ]


def _several_policies(report: RehearsalReport) -> list[str]:
    return [
        f"{_span(report)}: {report.ticks} ticks for each policy, {_faults(report)}",
        "",
        comparison(report),
    ]


def comparison(report: RehearsalReport) -> str:
    """A Markdown table with one row per policy."""
    best = report.best
    best_mae = best.live_mae if best else None
    rows = [_comparison_row(outcome, report.unit, best_mae) for outcome in report.outcomes]
    return table(list(rows[0]), [list(row.values()) for row in rows])


def _comparison_row(outcome: Outcome, unit: str, best_mae: float | None) -> dict[str, object]:
    """Header of each column -> what one policy has there."""
    ratio_to_best = None
    if outcome.live_mae and best_mae:
        ratio_to_best = outcome.live_mae / best_mae
    return {
        "policy": outcome.policy.name,
        f"live MAE, {unit}": outcome.live_mae,
        "/ naive": outcome.naive_ratio,
        "/ best": ratio_to_best,
        "24 h ahead": outcome.day_ahead_mae,
        "retrains": outcome.retrains,
        "promoted": outcome.promoted,
        "rejected": outcome.rejected,
        "false alarms": outcome.false_alarms,
        "degraded ticks": outcome.degraded_hours,
        "ticks to promotion": outcome.hours_to_promotion,
        "coverage": outcome.coverage,
        "minutes": outcome.billed_minutes,
        "dollars": outcome.dollars,
        "KiB in git": outcome.repository_bytes // 1024,
    }


def recommended(report: RehearsalReport) -> Outcome:
    """The policy that trains least often among those within ENOUGH of the best live error; then the better one."""
    candidates = [outcome for outcome in report.outcomes if outcome.policy.name != TUTORIAL]
    scored = _scored(candidates)
    limit = ENOUGH * min(error for error, _ in scored)
    good = [outcome for error, outcome in scored if error <= limit]
    return min(good, key=lambda outcome: (outcome.retrains, outcome.live_mae))


def recommendation(report: RehearsalReport) -> str:
    """The [retrain] block for config.toml, with its evidence as comments."""
    outcome = recommended(report)
    policy = outcome.policy
    naive_mae = outcome.naive_mae or float("nan")
    unit = report.unit
    naive = f"(seasonal naive {naive_mae:,.6g})"
    tolerance = f"within {ENOUGH - 1:.0%} of the best live error"
    lines = [
        f"# Rehearsed on {_span(report)}, faults: {report.scenario},",
        f"# seed {report.seed}: live MAE {outcome.live_mae:,.6g} {unit} {naive},",
        f"# {_trainings(outcome)};",
        f"# the fewest trainings among {len(report.outcomes)} policies {tolerance}.",
    ]
    if policy.refresh_hours:
        every = f"every {policy.refresh_hours} h"
        lines.append(f"# Trains {every} whatever the checks say: a cron of the retrain job.")
    return "\n".join([*lines, policy.as_toml()])


def _trainings(outcome: Outcome) -> str:
    minutes = f"{outcome.billed_minutes} Actions minutes"
    return f"{outcome.retrains} retrains, {outcome.promoted} promoted, {minutes}"

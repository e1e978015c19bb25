"""Freshness: is anything silently dead? Opens one issue per finding and closes it on recovery.

Looks at data times, whatever the colour of the runs: newest stored hour, newest forecast, age of the champion, interval
coverage. On GitHub also at the last success of each scheduled workflow; enables those that GitHub disabled after 60
quiet days, and touches the others so that it does not. A finding counts when the last [freshness] bad_looks agree.

    python check_freshness.py

Reads `reality`, `predictions`, `performance`, model/<series>/card.json and, with GITHUB_TOKEN (`actions: write`,
`issues: write`) and GITHUB_REPOSITORY, GitHub's API. Writes issues only.
Exit codes: 0 everything is fresh; 1 something is stale, or GitHub or the database failed; 2 wrong flags, config.toml or
environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.forecasting.card import ModelError, read_card
from actioncast.github import incidents, summary
from actioncast.github.api import Api
from actioncast.monitoring import freshness
from actioncast.monitoring.freshness import Finding, SeriesState, WorkflowRuns
from actioncast.report import Report
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.times import parse_time


@dataclass(frozen=True)
class FreshnessReport(Report):
    """All findings, fresh ones too, and what was done about them."""

    findings: list[Finding]
    actions: list[str]

    @property
    def failed(self) -> bool:
        return any(finding.stale for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        findings = [vars(finding) for finding in self.findings]
        return {"findings": findings, "actions": self.actions}

    def as_text(self) -> str:
        rows = []
        for finding in self.findings:
            rows.append([finding.title, "STALE" if finding.stale else "no", finding.evidence])
        lines = [table(["finding", "holds", "evidence"], rows), *self.actions]
        return "\n".join(lines)


def run(
    settings: Settings, database: Database, now: datetime, *, series_ids: Sequence[str], api: Api | None
) -> FreshnessReport:
    """Look at series and workflows, then bring issues and schedules in step. Without `api`, look at the series only."""
    policy = settings.freshness
    findings = []
    for series_id in series_ids:
        findings += freshness.of_series(_state(settings, database, series_id, now), policy, now)
    if api is None:
        left_alone = "no GITHUB_TOKEN and GITHUB_REPOSITORY: workflows and issues were left alone"
        return FreshnessReport(findings, [left_alone])
    actions = _keep_alive(api)
    for file, allowed_hours in policy.workflow_hours.items():
        findings.append(freshness.of_workflow(_workflow_runs(api, file, allowed_hours), policy, now))
    actions += _update_issues(api, findings, now)
    return FreshnessReport(findings, actions)


def _state(settings: Settings, database: Database, series_id: str, now: datetime) -> SeriesState:
    """What the database and the model folder hold of a series, far enough back for the oldest look."""
    policy = settings.freshness
    try:
        card = read_card(settings.model_directory(series_id))
    except ModelError:
        card = None  # check_retrain.py reports a card that cannot be read
    oldest_look = now - timedelta(hours=policy.look_hours * policy.bad_looks)
    since = oldest_look - timedelta(hours=policy.coverage_hours)
    rows = database.performance(series_id, since=since, until=now)
    return SeriesState(
        series=series_id,
        loads=database.newest_loads(series_id),
        issues=database.newest_vintages(series_id),
        champion_created=card.created_at if card else None,
        scored=[row for row in rows if row["reality"] is not None],
        nominal_coverage=settings.train.coverage,
    )


def _keep_alive(api: Api) -> list[str]:
    """Enable every workflow that no person has disabled. GitHub counts its 60 quiet days from then."""
    actions = []
    for workflow in api.call("GET", "/actions/workflows?per_page=100")["workflows"]:
        name = Path(workflow["path"]).name
        state = workflow["state"]
        if not workflow["path"].startswith(".github/workflows/"):
            continue  # one of GitHub's own, without a file in the repository
        if state in ("active", "disabled_inactivity"):
            api.call("PUT", f"/actions/workflows/{workflow['id']}/enable")
        if state == "disabled_inactivity":
            actions.append(f"{name} was {state}: enabled again")
        elif state != "active":
            actions.append(f"{name} was {state}: left disabled")
    return actions


def _workflow_runs(api: Api, file: str, allowed_hours: float) -> WorkflowRuns:
    """The newest 100 runs of a workflow."""
    runs = api.call("GET", f"/actions/workflows/{file}/runs?per_page=100")["workflow_runs"]
    created = sorted(parse_time(run["created_at"]) for run in runs)
    successes = [parse_time(run["created_at"]) for run in runs if run["conclusion"] == "success"]
    return WorkflowRuns(
        file=file,
        allowed_hours=allowed_hours,
        first_run=created[0] if created else None,
        successes=sorted(successes),
    )


def _update_issues(api: Api, findings: Sequence[Finding], now: datetime) -> list[str]:
    """Open, update or close the issue of each finding; the lines that say which."""
    actions = []
    run_link = incidents.run_link(os.environ)
    issues = incidents.Incidents(api, now=now, run_link=run_link)
    for finding in findings:
        body = None  # closes the issue
        if finding.stale:
            evidence = f"{finding.evidence} (seen by {run_link})."
            body = f"{evidence}\n\n{finding.remedy}\n\nThis issue closes itself on recovery."
        action = issues.sync(finding.title, body)
        if action != incidents.NOTHING:
            actions.append(action)
    return actions


def _run(arguments: argparse.Namespace, settings: Settings, database: Database) -> FreshnessReport:
    """Look; on GitHub with workflows and issues, and with the report as summary and `looked` as output of the step."""
    on_github = bool(os.environ.get("GITHUB_TOKEN") and os.environ.get("GITHUB_REPOSITORY"))
    api = Api.of(os.environ) if on_github else None
    report = run(settings, database, arguments.now, series_ids=list(settings.series), api=api)
    summary.write(f"## check_freshness\n\n{report.as_text()}")
    summary.output("looked", "true")
    return report


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run)


if __name__ == "__main__":
    sys.exit(main())

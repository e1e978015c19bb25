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
from actioncast.monitoring.freshness import Finding, Seen, WorkflowSeen
from actioncast.settings import Settings
from actioncast.text import table
from actioncast.times import parse_time


@dataclass(frozen=True)
class FreshnessReport:
    """What was looked at, and what was done about it."""

    findings: list[Finding]
    actions: list[str]

    @property
    def failed(self) -> bool:
        return any(finding.stale for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {"findings": [vars(finding) for finding in self.findings], "actions": self.actions}

    def as_text(self) -> str:
        rows = [[f.title, "STALE" if f.stale else "no", f.evidence] for f in self.findings]
        return "\n".join([table(["finding", "holds", "evidence"], rows), *self.actions])


def run(
    settings: Settings, database: Database, now: datetime, *, series_ids: Sequence[str], api: Api | None
) -> FreshnessReport:
    """Look, then bring issues and schedules in step with what was seen."""
    findings = [
        finding
        for series_id in series_ids
        for finding in freshness.of_series(_seen(settings, database, series_id, now), settings.freshness, now)
    ]
    if api is None:
        return FreshnessReport(
            findings, ["no GITHUB_TOKEN and GITHUB_REPOSITORY: workflows and issues were left alone"]
        )
    actions = _keep_alive(api)
    hours = settings.freshness.workflow_hours
    findings += [
        freshness.of_workflow(_runs(api, file, allowed), settings.freshness, now) for file, allowed in hours.items()
    ]
    run_link = incidents.run_link(os.environ)
    for finding in findings:
        body = f"{finding.evidence} (seen by {run_link}).\n\n{finding.remedy}\n\nThis issue closes itself on recovery."
        done = incidents.report(api, finding.title, body if finding.stale else None, run_link)
        actions += [done] if done != incidents.NOTHING else []
    return FreshnessReport(findings, actions)


def _seen(settings: Settings, database: Database, series_id: str, now: datetime) -> Seen:
    policy = settings.freshness
    oldest = now - timedelta(hours=policy.look_hours * policy.bad_looks)
    try:
        card = read_card(settings.model_directory(series_id))
    except ModelError:
        card = None  # the check says so
    rows = database.performance(series_id, since=oldest - timedelta(hours=policy.coverage_hours), until=now)
    return Seen(
        series=series_id,
        loads=database.newest_loads(series_id),
        issues=database.newest_vintages(series_id),
        champion_created=card.created_at if card else None,
        scored=[row for row in rows if row["reality"] is not None],
        nominal_coverage=settings.train.coverage,
    )


def _keep_alive(api: Api) -> list[str]:
    """Enable every workflow with a schedule that nobody has disabled on purpose; that also starts its 60 days anew."""
    actions = []
    for workflow in api.call("GET", "/actions/workflows?per_page=100")["workflows"]:
        if not workflow["path"].startswith(".github/workflows/"):
            continue  # GitHub's own
        if workflow["state"] in ("active", "disabled_inactivity"):
            api.call("PUT", f"/actions/workflows/{workflow['id']}/enable")
        if workflow["state"] != "active":
            name = Path(workflow["path"]).name
            done = "enabled again" if workflow["state"] == "disabled_inactivity" else "left disabled"
            actions.append(f"{name} was {workflow['state']}: {done}")
    return actions


def _runs(api: Api, file: str, allowed_hours: float) -> WorkflowSeen:
    runs = api.call("GET", f"/actions/workflows/{file}/runs?per_page=100")["workflow_runs"]
    begun = sorted((parse_time(run["created_at"]), run["conclusion"]) for run in runs)
    successes = [moment for moment, conclusion in begun if conclusion == "success"]
    return WorkflowSeen(file, allowed_hours, begun[0][0] if begun else None, successes)


def _tell(report: FreshnessReport) -> FreshnessReport:
    """For GitHub: the summary, and that the look itself came to its end."""
    summary.write(f"## check_freshness\n\n{report.as_text()}")
    output = os.environ.get("GITHUB_OUTPUT")
    if output:
        with Path(output).open("a", encoding="utf-8") as file:
            file.write("looked=true\n")
    return report


def main(argv: Sequence[str] | None = None) -> int:
    on_github = bool(os.environ.get("GITHUB_TOKEN") and os.environ.get("GITHUB_REPOSITORY"))
    return run_script(
        argv,
        __doc__,
        lambda arguments, settings, database: _tell(
            run(
                settings,
                database,
                arguments.now,
                series_ids=list(settings.series),
                api=Api.of(os.environ) if on_github else None,
            )
        ),
    )


if __name__ == "__main__":
    sys.exit(main())

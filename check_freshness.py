"""Freshness: is anything silently dead? Opens one issue per kind of finding and closes it on recovery.

Looks at what is stored, whatever the colour of the runs: newest hour, one value again and again,
newest forecast, age of the champion, interval coverage; on GitHub also at the last success of each
workflow with a schedule. A finding counts when the last [freshness] bad_looks agree; what has never
been there is young for two days. A job that fails has an incident of its own, and what follows from
its failure gets no second one. Workflows that GitHub disabled after 60 quiet days are enabled.
Once a week it looks for a newer release of the template.

    python check_freshness.py

Reads `reality`, `predictions`, `performance`, `etl_runs`, model/<series>/card.json and, with
GITHUB_TOKEN (`actions: write`, `issues: write`) and GITHUB_REPOSITORY, GitHub's API. Writes issues
only.
Exit codes: 0 everything is fresh or young; 1 something is stale, or GitHub or the database failed;
2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.github import incidents, release_notice, schedules, summary
from actioncast.github.alerts.text import page_links
from actioncast.github.api import Api
from actioncast.github.incidents import Incidents
from actioncast.monitoring import freshness, watch
from actioncast.monitoring.findings import Finding, by_kind, former_titles, issue_body
from actioncast.paths import ROOT
from actioncast.report import Report
from actioncast.settings import Settings
from actioncast.text import table

MOST_FORMER = 10  # issues of earlier versions that one look closes
SHOWN_FINDINGS = 60  # of more than these, only those that hold are shown


@dataclass(frozen=True)
class FreshnessReport(Report):
    """All findings, fresh ones too, and what was done about them."""

    findings: list[Finding]
    actions: list[str]

    @property
    def failed(self) -> bool:
        return any(finding.stale for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {"findings": [finding.as_json() for finding in self.findings], "actions": self.actions}

    def as_text(self) -> str:
        shown = self.findings
        if len(shown) > SHOWN_FINDINGS:
            shown = [finding for finding in shown if finding.stale or finding.young]
        rows = [[each.kind.title, each.subject, each.word, each.evidence] for each in shown]
        lines = [table(["finding", "of", "holds", "evidence"], rows)]
        if len(shown) < len(self.findings):
            lines.append(f"{len(self.findings) - len(shown):,} more are fresh")
        return "\n".join([*lines, *self.actions])


def run(
    settings: Settings,
    database: Database,
    now: datetime,
    *,
    series_ids: Sequence[str],
    api: Api | None,
    variables: Mapping[str, str] | None = None,
) -> FreshnessReport:
    """Look at series and workflows, then bring the issues in step. Without `api`, look at the series only.

    `variables` of the runner say which run it is and who is notified; without them nobody is.
    """
    policy = settings.freshness
    workflows = [] if api is None else watch.workflow_runs(api, policy.workflow_hours)
    started = freshness.first_start(workflows)
    findings = []
    for series_id in series_ids:
        state = watch.series_state(settings, database, series_id, now, started)
        findings += freshness.of_series(state, settings.freshness_of(series_id), now)
    if api is None:
        left_alone = "no GITHUB_TOKEN and GITHUB_REPOSITORY: workflows and issues were left alone"
        return FreshnessReport(findings, [left_alone])
    watched = [runs for runs in workflows if runs.file != watch.WATCH]
    findings += [freshness.of_workflow(runs, policy, now) for runs in watched]
    running = {runs.file for runs in watched if freshness.runs_still(runs, now)}
    issues = Incidents(api, now=now, variables=variables)
    actions = _update_issues(issues, findings, running)
    if release_notice.is_due(now):
        actions.append(release_notice.look(api, issues, ROOT))
    return FreshnessReport(findings, actions)


def _update_issues(issues: Incidents, findings: Sequence[Finding], running: Container[str]) -> list[str]:
    """Open, update or close the issue of each kind; the lines that say which.

    A kind whose workflow is in `running` and has an incident gets no issue beside that one.
    """
    open_titles = issues.titles()
    # A look closes a few; with hundreds it would use up the hour's requests.
    former = former_titles(open_titles)[:MOST_FORMER]
    actions = [issues.supersede(old, new) for old, new in former]
    for kind, group in by_kind(findings):
        stale = [finding for finding in group if finding.stale]
        causes = [incident for incident in kind.incidents if incident in open_titles]
        if stale and causes and kind.workflow in running and kind.title not in open_titles:
            actions.append(f"{kind.title}: left to the issue “{causes[0]}”")
            continue
        series = [finding.subject for finding in stale if not kind.is_of_workflow]
        seen_by = f"Seen by {issues.run_link}. {page_links(issues.variables, series)}".rstrip()
        action = issues.sync(kind.title, issue_body(stale, seen_by), series)
        if action != incidents.NOTHING:
            actions.append(action)
    return actions


def _run(arguments: argparse.Namespace, settings: Settings, database: Database) -> FreshnessReport:
    """Look; on GitHub with workflows and issues, and with the report as summary and `looked` as output of the step."""
    on_github = bool(os.environ.get("GITHUB_TOKEN") and os.environ.get("GITHUB_REPOSITORY"))
    api = Api.of(os.environ) if on_github else None
    kept = []
    if api is not None:
        commit = schedules.last_commit(ROOT)
        kept = schedules.keep_on(api, ROOT, commit=commit, now=arguments.now)
    report = run(
        settings,
        database,
        arguments.now,
        series_ids=list(settings.series),
        api=api,
        variables=os.environ,
    )
    report = replace(report, actions=[*kept, *report.actions])
    summary.write(f"## check_freshness\n\n{report.as_text()}")
    summary.output("looked", "true")
    return report


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(argv, __doc__, _run)


if __name__ == "__main__":
    sys.exit(main())

"""Incidents: one issue per failing thing. The title is the key; recovery closes the issue.

Runs with any Python and nothing installed, as the last step of a job:

    python3 -m actioncast.github.incidents update_real_data failure --log job.log
    python3 -m actioncast.github.incidents update_real_data success

Needs GITHUB_TOKEN with `issues: write` and GITHUB_REPOSITORY.
Exit codes: 0 reported, or nothing to report; 1 GitHub refused.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from actioncast.github.api import Api, ApiError
from actioncast.github.outage import Outage
from actioncast.github.summary import without_job_secrets
from actioncast.redaction import redacted
from actioncast.text import duration
from actioncast.times import isoformat

Issue = dict[str, Any]  # as GitHub's API shows it

LABEL = "incident"
OUR_PEOPLE = ("OWNER", "MEMBER", "COLLABORATOR")  # of the repository, when a job has a person's token
PAGE = 100  # issues; the most that GitHub sends at once
LONGEST_BODY = 60_000  # characters; an issue takes 65,536
NEWLINE = "\n"
CLOSED = {"state": "closed", "state_reason": "completed"}
LAST_LINES = 30
LONGEST_LOG = 20_000  # characters; an issue takes 65,536
NOTHING = "nothing to report"
FENCE = "~~~~"  # around the log, which may hold backticks
NO_LOG = "(the job failed before its script)"
ANY_REMEDY = "The last lines say what failed."
REMEDIES = {
    "update_real_data": (
        "The last lines name the cause, mostly a source that is dead, old or out of reach. "
        "Nothing was loaded and nothing is lost: the next run that succeeds catches up."
    ),
    "make_predictions": (
        "The newest vintage goes on serving (a week of hours). The last lines say whether the "
        "model, the data or, with `API_URL` set, the service is at fault."
    ),
    "check_retrain": (
        "An alarm means that a stored error is not a number or that the card cannot be read; "
        "a refused dispatch names the permission that is missing."
    ),
    "retrain": (
        "The champion stays in service. A push that branch protection refuses: set the variable "
        "`MODEL_DELIVERY` to `pr`."
    ),
    "rollback": "The present champion stays. The last lines say which versions there are.",
    "check_freshness": "The watch itself could not look. Is the database reachable?",
    "pages": "Settings, Pages: choose GitHub Actions as the source.",
}


class Incidents:
    """The incidents of one job. Made once: it lists the open issues once, when it first needs them."""

    def __init__(self, api: Api, *, now: datetime, run_link: str = "") -> None:
        self.api = api
        self.now = now
        self.run_link = run_link  # Markdown; empty outside of GitHub

    def sync(self, title: str, body: str | None) -> str:
        """Open, update or (body None) close the issue with this title.

        A comment a day says that it lasts, since edits notify nobody; the first line of `body`
        says what is wrong. Returns what was done, for the log. Raises ApiError.
        """
        issues = self._open_issues.get(title, [])
        if body is None:
            return self._close(title, issues)
        if issues:
            return self._update(title, issues[0], body)
        return self._open(title, body)

    def titles(self) -> list[str]:
        """The titles of the open incidents. Raises ApiError."""
        return list(self._open_issues)

    def supersede(self, title: str, new_title: str) -> str:
        """Close the issue with this title, whose matter goes on under another one.

        Returns what was done, for the log. Raises ApiError.
        """
        issues = self._open_issues.pop(title, [])
        for issue in issues:
            number = issue["number"]
            self._comment(number, f"This goes on in the issue “{new_title}”, if it still holds.")
            fields = {"state": "closed", "state_reason": "not_planned"}
            self.api.call("PATCH", f"/issues/{number}", fields)
        return f"closed in favour of “{new_title}”: {title}"

    def announce(self, title: str, body: str | None) -> str:
        """The same for news that is no failure: no label, no comments, nothing where nothing changes."""
        issues = self._open_issues.get(title, [])
        if body is None:
            return self._close_in_silence(title, issues)
        if not issues:
            issue = self.api.call("POST", "/issues", {"title": title, "body": body})
            return f"opened issue #{issue['number']}: {title}"
        if issues[0]["body"] == body:
            return NOTHING
        self.api.call("PATCH", f"/issues/{issues[0]['number']}", {"body": body})
        return f"updated issue #{issues[0]['number']}: {title}"

    def _open(self, title: str, body: str) -> str:
        outage = Outage.starting(self.now)
        fields = {"title": title, "body": _marked(body, outage), "labels": [LABEL]}
        issue = self.api.call("POST", "/issues", fields)
        self._open_issues[title] = [issue]
        return f"opened issue #{issue['number']}: {title}"

    def _update(self, title: str, issue: Issue, body: str) -> str:
        """Bring the body up to date; comment when a day has passed."""
        number = issue["number"]
        before = _outage_of(issue)
        outage = before.failed_again(self.now)
        self.api.call("PATCH", f"/issues/{number}", {"body": _marked(body, outage)})
        issue["body"] = _marked(body, outage)
        if not before.reminder_is_due(self.now):
            return f"updated issue #{number}: {title}"
        self._comment(number, _reminder(outage, body, self.run_link))
        return f"commented on issue #{number}: {title}"

    def _close(self, title: str, issues: Sequence[Issue]) -> str:
        """Close all of them: two runs that failed at the same moment may have opened two."""
        if not issues:
            return NOTHING
        for issue in issues:
            number = issue["number"]
            self._comment(number, _recovery(_outage_of(issue), self.now, self.run_link))
            self.api.call("PATCH", f"/issues/{number}", CLOSED)
        del self._open_issues[title]
        closed = ", ".join(f"#{issue['number']}" for issue in issues)
        return f"closed issue {closed}: {title}"

    def _close_in_silence(self, title: str, issues: Sequence[Issue]) -> str:
        if not issues:
            return NOTHING
        for issue in issues:
            self.api.call("PATCH", f"/issues/{issue['number']}", CLOSED)
        return f"closed issue #{issues[0]['number']}: {title}"

    def _comment(self, number: int, text: str) -> None:
        self.api.call("POST", f"/issues/{number}/comments", {"body": text})

    @cached_property
    def _open_issues(self) -> dict[str, list[Issue]]:
        """The open issues that we, or people of the repository, have opened; by title, oldest first."""
        issues: dict[str, list[Issue]] = {}
        for page in count(1):
            path = f"/issues?state=open&direction=asc&per_page={PAGE}&page={page}"
            answer = self.api.call("GET", path)
            for issue in answer:
                if _is_ours(issue):
                    issues.setdefault(issue["title"], []).append(issue)
            if len(answer) < PAGE:
                break
        return issues


def _is_ours(issue: Issue) -> bool:
    """Whether a workflow or a person of the repository opened it.

    Anybody may open an issue of a public repository, under any title: those of strangers are left
    alone. Labels say nothing: GitHub may drop them.
    """
    if "pull_request" in issue:
        return False
    return issue["user"]["type"] == "Bot" or issue["author_association"] in OUR_PEOPLE


def _outage_of(issue: Issue) -> Outage:
    return Outage.of_body(issue["body"] or "", issue["created_at"])


def _marked(body: str, outage: Outage) -> str:
    return f"{body[:LONGEST_BODY]}\n\n{outage.mark()}"


def _reminder(outage: Outage, body: str, run_link: str) -> str:
    """The comment of a day on which it still fails."""
    lines = [f"Still failing since {isoformat(outage.since)}: {_times(outage.failures)}."]
    lines.append(f"Newest: {body.partition(NEWLINE)[0]}")
    if run_link:
        lines.append(f"Last seen by {run_link}.")
    return "\n\n".join(lines)


def _recovery(outage: Outage, now: datetime, run_link: str) -> str:
    by_run = f" in {run_link}" if run_link else ""
    lasted = duration(now - outage.since)
    return f"Recovered{by_run}, after {lasted} and {_times(outage.failures)}."


def _times(failures: int) -> str:
    """1 failure, 2 failures."""
    plural = "" if failures == 1 else "s"
    return f"{failures:,} failure{plural}"


def job_body(job: str, lines: Sequence[str], opening: str) -> str:
    """What a person needs: which run failed (`opening`), what it printed last, what to do."""
    log = redacted(without_job_secrets("\n".join(lines[-LAST_LINES:])))
    log = log[-LONGEST_LOG:].replace(FENCE, "~~~")
    name = job.partition(",")[0]  # "retrain, shard 2/4" -> "retrain"
    paragraphs = [
        opening,
        "Last lines:",
        f"{FENCE}text\n{log or NO_LOG}\n{FENCE}",
        REMEDIES.get(name, ANY_REMEDY),
        "This issue closes itself when the job succeeds.",
    ]
    return "\n\n".join(paragraphs)


def run_link(variables: Mapping[str, str]) -> str:
    """Markdown link to the run that these variables of GitHub's runners describe."""
    run_id = variables.get("GITHUB_RUN_ID", "")
    if not run_id:
        return "a run"
    server = variables.get("GITHUB_SERVER_URL", "")
    repository = variables.get("GITHUB_REPOSITORY", "")
    number = variables.get("GITHUB_RUN_NUMBER", run_id)
    return f"[run {number}]({server}/{repository}/actions/runs/{run_id})"


def _lines_of(log: Path | None) -> list[str]:
    """The log's lines; none when the job failed before it wrote one."""
    if log is None or not log.is_file():
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("job")
    parser.add_argument("outcome", choices=["success", "failure", "cancelled"])
    parser.add_argument("--log", type=Path, help="what the job has printed")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.outcome == "cancelled":  # by a person or a newer run: neither bad nor good news
        return 0
    job = arguments.job
    run = run_link(os.environ)
    body = None
    if arguments.outcome == "failure":
        body = job_body(job, _lines_of(arguments.log), f"`{job}` failed in {run}.")
    try:
        incidents = Incidents(Api.of(os.environ), now=datetime.now(UTC), run_link=run)
        print(incidents.sync(f"{job} is failing", body))
    except ApiError as error:
        print(f"::error title=Incident not reported::{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

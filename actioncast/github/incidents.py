"""Incidents: one issue per failing thing, and people who hear of it. The title is the key; recovery
closes the issue.

Runs with any Python and nothing installed, as the last step of a job:

    python3 -m actioncast.github.incidents update_real_data failure --log job.log
    python3 -m actioncast.github.incidents update_real_data cancelled --limit-minutes 10
    python3 -m actioncast.github.incidents update_real_data success

Needs GITHUB_TOKEN with `issues: write` and GITHUB_REPOSITORY. NOTIFY names who is mentioned and
assigned, WEBHOOK_URL is told on opening, daily and on recovery, HEARTBEAT_URL is pinged. A job that
was cancelled at its time limit has failed; one that a person or a newer run cancelled has not.
Exit codes: 0 reported, or nothing to report, or Issues are switched off; 1 GitHub refused.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from actioncast.github import summary
from actioncast.github.alerts import heartbeat, outgoing, webhook
from actioncast.github.alerts.issues import GONE, Issue, Issues, title_of
from actioncast.github.alerts.outage import Outage, PastRun, event_of_runs, hit_the_limit
from actioncast.github.alerts.outgoing import OutgoingError
from actioncast.github.alerts.text import (
    failure_of,
    first_line,
    job_body,
    page_links,
    recovery,
    reminder,
    run_link,
    run_url,
)
from actioncast.github.alerts.webhook import Message
from actioncast.github.api import Api, ApiError
from actioncast.times import parse_time

LONGEST_BODY = 60_000  # characters; an issue takes 65,536
SWITCH_ON = "Settings, General, Features has the switch."
NOTHING = "nothing to report"
_ACCOUNT = re.compile(r"(?<![\w/-])@?([A-Za-z0-9][A-Za-z0-9-]*(?:/[\w.-]+)?)")


class Incidents:
    """The incidents of one job. Made once: it lists the open issues once, when it first needs them."""

    def __init__(
        self,
        api: Api,
        *,
        now: datetime,
        variables: Mapping[str, str] | None = None,
        pauses: tuple[float, ...] = outgoing.PAUSES,
    ) -> None:
        """`variables` are those of GitHub's runners, with NOTIFY and WEBHOOK_URL; without them
        nobody is mentioned and no webhook is sent. `pauses`: seconds between tries of the webhook.
        """
        self.api = api
        self.now = now
        self.variables = variables or {}
        self.run_link = run_link(self.variables)  # Markdown
        self.issues = Issues(api)
        self.webhook = webhook.of(self.variables, pauses)

    def sync(self, title: str, body: str | None, series: Sequence[str] = ()) -> str:
        """Open, update or (body None) close the issue with this title, in which the `series` are named.

        The first line of `body` says what is wrong. A comment a day says that it lasts, since edits
        notify nobody. The webhook hears of the opening, of each such day, and of the recovery; also
        where Issues are switched off, which is no error. Returns what was done, for the log.
        Raises ApiError.
        """
        if body is not None:
            body = summary.without_job_secrets(body)
        try:
            return self._sync_issue(title, body, series)
        except ApiError as error:
            self._send_without_issue(title, body)
            if error.status != GONE:
                raise
        if body is None:
            return NOTHING
        summary.notice("Issues are switched off", f"no issue says so: {title}. {SWITCH_ON}")
        return f"no issue, Issues are switched off: {title}"

    def titles(self) -> list[str]:
        """The titles of the open incidents; none where Issues are switched off. Raises ApiError."""
        try:
            return list(self.issues.open_by_key)
        except ApiError as error:
            if error.status != GONE:
                raise
            return []

    def supersede(self, title: str, new_title: str) -> str:
        """Close the issue with this title, whose matter goes on under another one.

        Returns what was done, for the log. Raises ApiError.
        """
        for issue in self.issues.open_by_key.pop(title, []):
            self.issues.comment(issue, f"This goes on in the issue “{new_title}”, if it still holds.")
            self.issues.close(issue, "not_planned")
        return f"closed in favour of “{new_title}”: {title}"

    def announce(self, title: str, body: str | None) -> str:
        """The same for news that is no failure: no label, no comments, nothing where nothing changes."""
        issues = self.issues.open_by_key.get(title, [])
        if body is None:
            return self._close_in_silence(title, issues)
        if not issues:
            issue = self.api.call("POST", "/issues", {"title": title, "body": body})
            return f"opened issue #{issue['number']}: {title}"
        if issues[0]["body"] == body:
            return NOTHING
        self.issues.edit(issues[0], body, title)
        return f"updated issue #{issues[0]['number']}: {title}"

    def _sync_issue(self, title: str, body: str | None, series: Sequence[str]) -> str:
        issues = self.issues.open_by_key.get(title, [])
        if body is None:
            return self._close(title, issues)
        if issues:
            return self._update(title_of(title, series), issues[0], body)
        return self._open(title_of(title, series), body)

    def _open(self, title: str, body: str) -> str:
        """Assigned to those of NOTIFY, or to the owner of the repository if that is a person."""
        owner = self.variables.get("GITHUB_REPOSITORY_OWNER", "")
        names = self._names if self.variables.get("NOTIFY") else [owner]
        assignees = self.issues.assignable([name for name in names if name])
        text = _marked(body, self._names or assignees, Outage.starting(self.now))
        issue = self.issues.open_incident(title, text, assignees)
        self._send("opened", title, first_line(body))
        return f"opened issue #{issue['number']}: {title}"

    @cached_property
    def _names(self) -> list[str]:
        """Who is to be mentioned, as NOTIFY names them."""
        return _ACCOUNT.findall(self.variables.get("NOTIFY", ""))

    def _update(self, title: str, issue: Issue, body: str) -> str:
        """Bring the body up to date; comment when a day has passed."""
        before = _outage_of(issue)
        outage = before.failed_again(self.now)
        mentions = self._names or [person["login"] for person in issue.get("assignees", [])]
        self.issues.edit(issue, _marked(body, mentions, outage), title)
        if not before.reminder_is_due(self.now):
            return f"updated issue #{issue['number']}: {title}"
        text = reminder(outage, first_line(body))
        comment = _joined([text, f"Seen by {self.run_link}.", _mentioned(mentions)])
        self.issues.comment(issue, comment)
        self._send("lasting", title, text)
        return f"commented on issue #{issue['number']}: {title}"

    def _close(self, title: str, issues: Sequence[Issue]) -> str:
        """Close all of them: two runs that failed at the same moment may have opened two."""
        if not issues:
            return NOTHING
        for issue in issues:
            self.issues.comment(issue, recovery(_outage_of(issue), self.now, self.run_link))
            self.issues.close(issue)
        del self.issues.open_by_key[title]
        self._send("recovered", title, recovery(_outage_of(issues[0]), self.now, ""))
        closed = ", ".join(f"#{issue['number']}" for issue in issues)
        return f"closed issue {closed}: {title}"

    def _close_in_silence(self, title: str, issues: Sequence[Issue]) -> str:
        if not issues:
            return NOTHING
        for issue in issues:
            self.issues.close(issue)
        return f"closed issue #{issues[0]['number']}: {title}"

    def _send(self, event: str, title: str, text: str) -> None:
        """Let the webhook know. One that fails is a warning: the issue stands."""
        repository = self.variables.get("GITHUB_REPOSITORY", "")
        message = Message(
            event=event,
            title=f"{repository}: {title}",
            text=text,
            url=run_url(self.variables),
        )
        try:
            self.webhook.send(message)
        except OutgoingError as error:
            summary.warning("Webhook not sent", f"{title}: {error}")

    def _send_without_issue(self, title: str, body: str | None) -> None:
        """The same where no issue keeps what people have heard: the workflow's previous run does."""
        event = event_of_runs(self._previous_run, self.now, failed=body is not None)
        if event:
            self._send(event, title, first_line(body or "Recovered."))

    @cached_property
    def _previous_run(self) -> PastRun | None:
        """None where there is none, or where the job lacks `actions: read`."""
        file = _workflow_file(self.variables)
        path = f"/actions/workflows/{file}/runs?status=completed&per_page=20"
        try:
            runs = self.api.call("GET", path)["workflow_runs"]
        except ApiError:
            return None
        for run in runs:
            if run["conclusion"] in ("success", "failure", "timed_out"):
                return PastRun(parse_time(run["created_at"]), run["conclusion"] != "success")
        return None


def _outage_of(issue: Issue) -> Outage:
    return Outage.of_body(issue["body"] or "", issue["created_at"])


def _marked(body: str, mentions: Sequence[str], outage: Outage) -> str:
    """The body of an issue: the words, who is mentioned, and what the next run needs to know."""
    return _joined([body[:LONGEST_BODY], _mentioned(mentions), outage.mark()])


def _mentioned(names: Sequence[str]) -> str:
    return " ".join(f"@{name}" for name in names)


def _joined(paragraphs: Sequence[str]) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _workflow_file(variables: Mapping[str, str]) -> str:
    """ "owner/name/.github/workflows/pages.yml@refs/heads/main" -> "pages.yml"."""
    return variables.get("GITHUB_WORKFLOW_REF", "").partition("@")[0].rpartition("/")[2]


# --- the last step of a job ---------------------------------------------------------------------------


def _lines_of(log: Path | None) -> list[str]:
    """The log's lines; none when the job failed before it wrote one."""
    if log is None or not log.is_file():
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()


def _job_started(variables: Mapping[str, str]) -> datetime | None:
    """When the runner wrote the event's file, which it does first of all; None where there is none."""
    path = Path(variables.get("GITHUB_EVENT_PATH") or "none")
    if not path.is_file():
        return None
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _ping(url: str, *, succeeded: bool) -> None:
    """Tell the dead man's switch. One that fails is a warning."""
    if not url:
        return
    try:
        heartbeat.ping(url, succeeded=succeeded)
    except OutgoingError as error:
        summary.warning("Heartbeat not sent", str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("job")
    parser.add_argument("outcome", choices=["success", "failure", "cancelled"])
    parser.add_argument("--log", type=Path, help="what the job has printed")
    parser.add_argument(
        "--limit-minutes",
        type=float,
        default=0.0,
        help="the job's timeout-minutes, to tell a time limit from a person's cancel",
    )
    return parser


def _body_of(arguments: argparse.Namespace, lines: Sequence[str], *, timed_out: bool) -> str:
    """The body of a failed job's issue."""
    series = failure_of(lines, arguments.job).series
    opening = f"`{arguments.job}` failed in {run_link(os.environ)}. {page_links(os.environ, series)}".rstrip()
    error = ""
    if timed_out:
        error = f"the job was stopped at its time limit of {arguments.limit_minutes:g} minutes"
    return job_body(arguments.job, lines, opening, error)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    now = datetime.now(UTC)
    timed_out = False
    if arguments.outcome == "cancelled":
        timed_out = hit_the_limit(_job_started(os.environ), now, arguments.limit_minutes)
        if not timed_out:  # a person or a newer run stopped it: neither bad nor good news
            return 0
    succeeded = arguments.outcome == "success"
    _ping(os.environ.get("HEARTBEAT_URL", "").strip(), succeeded=succeeded)
    lines = _lines_of(arguments.log)
    body = None if succeeded else _body_of(arguments, lines, timed_out=timed_out)
    series = failure_of(lines, arguments.job).series
    try:
        incidents = Incidents(Api.of(os.environ), now=now, variables=os.environ)
        print(incidents.sync(f"{arguments.job} is failing", body, series))
    except ApiError as error:
        summary.failure("Incident not reported", str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

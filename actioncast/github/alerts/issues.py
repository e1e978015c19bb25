"""The issues of a repository: found by title and author, opened whatever GitHub does with labels.

The series that an incident is about stand behind its key in the title, and may change while it lasts:
"The data are stale · gb_demand".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import count
from typing import Any

from actioncast.github.api import Api, ApiError

Issue = dict[str, Any]  # as GitHub's API shows it

LABEL = {"name": "incident", "color": "b60205", "description": "A job that runs by itself is failing"}
OUR_PEOPLE = ("OWNER", "MEMBER", "COLLABORATOR")  # of the repository, when a job has a person's token
PAGE = 100  # issues; the most that GitHub sends at once
MOST_ASSIGNEES = 10  # of an issue on GitHub
GONE = 410  # status of all that concerns issues where they are switched off
SEPARATOR = " · "  # between the key of an incident and its series
NAMED_SERIES = 3  # in a title
INVALID = 422  # status of an issue with a label or an assignee that GitHub does not take


def title_of(key: str, series: Sequence[str]) -> str:
    """The title of an incident with its series."""
    if not series:
        return key
    names = ", ".join(series[:NAMED_SERIES])
    more = len(series) - NAMED_SERIES
    rest_of_them = f" and {more:,} more" if more > 0 else ""
    return f"{key}{SEPARATOR}{names}{rest_of_them}"


def key_of(title: str) -> str:
    """The key of an incident: its title without the series."""
    return title.partition(SEPARATOR)[0]


class Issues:
    """Asks GitHub for the open issues once, when they are first needed. All methods raise ApiError."""

    def __init__(self, api: Api) -> None:
        self.api = api

    @cached_property
    def open_by_key(self) -> dict[str, list[Issue]]:
        """Those that we, or people of the repository, have opened, by the key in their title; oldest first."""
        issues: dict[str, list[Issue]] = {}
        for page in count(1):
            path = f"/issues?state=open&direction=asc&per_page={PAGE}&page={page}"
            answer = self.api.call("GET", path)
            for issue in answer:
                if _is_ours(issue):
                    issues.setdefault(key_of(issue["title"]), []).append(issue)
            if len(answer) < PAGE:
                break
        return issues

    def open_incident(self, title: str, body: str, assignees: Sequence[str]) -> Issue:
        """Open an issue with the label of incidents, or without where GitHub does not give it."""
        self._try("POST", "/labels", LABEL)  # refused where it exists
        plain = {"title": title, "body": body}
        fields = {**plain, "labels": [LABEL["name"]], "assignees": assignees}
        try:
            issue: Issue = self.api.call("POST", "/issues", fields)
        except ApiError as error:
            if error.status != INVALID:
                raise
            issue = self.api.call("POST", "/issues", plain)
        if not issue["labels"]:
            self._try("POST", f"/issues/{issue['number']}/labels", {"labels": [LABEL["name"]]})
        self.open_by_key[key_of(title)] = [issue]
        return issue

    def assignable(self, names: Sequence[str]) -> list[str]:
        """Those whom GitHub lets us assign: no teams, no organisations, nobody from elsewhere."""
        people = [name for name in names if "/" not in name]
        return [name for name in people if self._try("GET", f"/assignees/{name}")][:MOST_ASSIGNEES]

    def edit(self, issue: Issue, body: str, title: str) -> None:
        """Replace title and body, of which GitHub notifies nobody."""
        self.api.call("PATCH", f"/issues/{issue['number']}", {"title": title, "body": body})
        issue |= {"title": title, "body": body}

    def comment(self, issue: Issue, text: str) -> None:
        """Add a comment, of which GitHub notifies all who watch or were mentioned."""
        self.api.call("POST", f"/issues/{issue['number']}/comments", {"body": text})

    def close(self, issue: Issue, reason: str = "completed") -> None:
        """`reason`: "completed" or "not_planned"."""
        fields = {"state": "closed", "state_reason": reason}
        self.api.call("PATCH", f"/issues/{issue['number']}", fields)

    def _try(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bool:
        """Ask GitHub for something that an incident can do without. Returns whether it was done."""
        try:
            self.api.call(method, path, body)
        except ApiError:
            return False
        return True


def _is_ours(issue: Issue) -> bool:
    """Whether a workflow or a person of the repository opened it.

    Anybody may open an issue of a public repository, under any title: those of strangers are left
    alone. Labels say nothing: GitHub may drop them.
    """
    if "pull_request" in issue:
        return False
    author = issue["user"] or {}  # none when the account was deleted
    return author.get("type") == "Bot" or issue.get("author_association") in OUR_PEOPLE

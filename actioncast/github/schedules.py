"""The schedules of the workflows: which there are, when they ran, and that GitHub keeps them on.

GitHub disables the scheduled workflows of a public repository after 60 days without activity. What
counts as activity is not documented; commits on the default branch do, the state branch may not.
Enabling a workflow that is on starts the 60 days anew, but it may make the bot the one who gets
GitHub's mails about failed runs. So it is done late: after QUIET_DAYS without a commit.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from actioncast.github.api import Api
from actioncast.github.git import git
from actioncast.times import parse_time

FOLDER = ".github/workflows"
QUIET_DAYS = 45  # of GitHub's 60; later looks have two weeks to come through
_SCHEDULE = re.compile(r"^ +schedule:", re.MULTILINE)


def is_scheduled(root: Path, file: str) -> bool:
    """Whether a workflow of this checkout is there and has a schedule."""
    path = root / FOLDER / file
    return path.is_file() and _SCHEDULE.search(path.read_text(encoding="utf-8")) is not None


def last_commit(root: Path) -> datetime:
    """When the commit that is checked out was made. Raises GitError."""
    return parse_time(git(root, "log", "-1", "--format=%cI"))


def runs(api: Api, file: str) -> list[dict[str, Any]]:
    """The newest 100 runs of a workflow. Raises ApiError."""
    answer = api.call("GET", f"/actions/workflows/{file}/runs?per_page=100")
    newest: list[dict[str, Any]] = answer["workflow_runs"]
    return newest


def keep_on(api: Api, root: Path, *, commit: datetime, now: datetime) -> list[str]:
    """Enable what GitHub has disabled, and keep schedules on; what a person has disabled stays so.

    `commit` is when the last one was made on the default branch. Returns what was done. Raises
    ApiError.
    """
    actions = []
    scheduled = []
    for workflow in api.call("GET", "/actions/workflows?per_page=100")["workflows"]:
        folder, _, file = workflow["path"].rpartition("/")
        if folder != FOLDER:
            continue  # one of GitHub's own, without a file in the repository
        state = workflow["state"]
        if state == "disabled_inactivity":
            _enable(api, workflow["id"])
            actions.append(f"{file} was {state}: enabled again")
        elif state != "active":
            actions.append(f"{file} was {state}: left disabled")
        elif is_scheduled(root, file):
            scheduled.append(workflow["id"])
    quiet = now - commit
    if quiet < timedelta(days=QUIET_DAYS) or api.call("GET", "")["private"]:
        return actions
    for workflow_id in scheduled:
        _enable(api, workflow_id)
    actions.append(f"no commit for {quiet.days} days: {len(scheduled)} schedules were enabled anew")
    return actions


def _enable(api: Api, workflow_id: int) -> None:
    api.call("PUT", f"/actions/workflows/{workflow_id}/enable")

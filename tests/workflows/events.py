"""Event payloads with the fields of GitHub's that workflows read."""

from __future__ import annotations

from . import github_rest
from .github_git import ZERO
from .github_stand_in import GitHub
from .workflow_file import Json


def payload_of(github: GitHub, event: str, given: Json, actor: str) -> Json:
    """`given` with repository, sender and (for a branch event) ref filled in."""
    base: Json = {"repository": github_rest.repository_json(github), "sender": {"login": actor}}
    if event in ("push", "workflow_dispatch"):
        base["ref"] = f"refs/heads/{github.default_branch}"
    return base | given


def push_payload(github: GitHub, *, branch: str | None = None, before: str | None = None) -> Json:
    """A push that brought `branch` from `before` (its parent, when not given) to where it is now."""
    ref = f"refs/heads/{branch or github.default_branch}"
    head = github.repository.log(ref)[0]
    start = before or (head.parents[0] if head.parents else ZERO)
    return {"ref": ref, "before": start, "after": head.sha, "head_commit": {"id": head.sha, "message": head.subject}}


def pull_request_payload(github: GitHub, number: int, *, action: str = "opened", from_fork: bool = False) -> Json:
    """A pull request at its branches' present commits. From a fork the token only reads and there are no secrets."""
    issue = github.issues[number]
    github_rest.refresh_pull(github, issue)
    pull = github_rest.pull_json(issue)
    if from_fork:
        fork = github_rest.repository_json(github) | {"fork": True, "full_name": "contributor/fork"}
        pull["head"] = pull["head"] | {"repo": fork}
    return {"action": action, "number": number, "pull_request": pull}


def is_from_fork(payload: Json) -> bool:
    return bool(payload.get("pull_request", {}).get("head", {}).get("repo", {}).get("fork"))


def ref_of(github: GitHub, event: str, payload: Json) -> str:
    """GITHUB_REF of the run that an event starts."""
    if event == "pull_request":
        return f"refs/pull/{payload['number']}/merge"
    if event in ("push", "workflow_dispatch"):
        return str(payload["ref"])
    return f"refs/heads/{github.default_branch}"


def changed_files(github: GitHub, event: str, payload: Json) -> list[str]:
    """What path filters look at."""
    if event == "push":
        return github.repository.changed_files(payload.get("before"), str(payload["after"]))
    if event == "pull_request":
        pull = payload["pull_request"]
        return github.repository.changed_files(pull["base"]["sha"], pull["merge_commit_sha"])
    return []

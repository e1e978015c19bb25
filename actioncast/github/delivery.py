"""Delivery: a changed champion becomes one commit of model/, a push or a pull request, and the start of a deployment.

The last step of a retrain, in the checkout whose model/ has changed or not:

    python -m actioncast.github.delivery

Reads MODEL_DELIVERY (push, or pr for protected branches) and DEPLOY_WORKFLOW (its file name: a push made with
GITHUB_TOKEN starts no workflow, so the deployment is started explicitly). Needs GITHUB_TOKEN with `contents: write`,
`actions: write` to start the deployment and `pull-requests: write` for pr.
Exit codes: 0 delivered, or nothing to deliver; 1 git or GitHub refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from actioncast.errors import ActioncastError
from actioncast.github import summary
from actioncast.github.api import Api, ApiError
from actioncast.github.git import GitError, git
from actioncast.paths import CARD, MODEL_FOLDER, NUMBERS, ROOT

TRIES = 5
Way = Literal["push", "pr"]
Outcome = Literal["kept", "pushed", "pull request"]
_LOST_RACE = ("[rejected]", "fetch first", "cannot lock ref", "non-fast-forward", "failed to update ref")
_PROTECTED = ("GH006", "GH013", "protected branch", "Protected branch", "repository rule")


class DeliveryError(ActioncastError):
    """The change could not be brought to the repository."""


@dataclass(frozen=True)
class Change:
    """The champion of one series before (None: there was none) and after, as their cards say."""

    series: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]

    @property
    def subject(self) -> str:
        before, after = self.before, self.after
        error = f"{before['mae']:,.6g} → {after['mae']:,.6g}" if before else f"{after['mae']:,.6g}"
        return f"Promote {after['name']} for {self.series}: error {error}"

    def lines(self) -> list[str]:
        """Before → after, for people who read the history."""
        before: Mapping[str, Any] = self.before or {}
        rows = [
            ("version", "version"),
            ("candidate", "name"),
            ("backtest error", "mae"),
            ("learned until", "window_end"),
        ]
        return [f"{label}: {before.get(key, 'none')} → {self.after[key]}" for label, key in rows]


def changes(folder: Path) -> list[Change]:
    """The series whose champion differs from the last commit's."""
    listed = git(folder, "status", "--porcelain", "--untracked-files=all", "-z", "--", MODEL_FOLDER).split("\0")
    series = sorted({Path(entry[3:]).parent.name for entry in listed if entry[3:].startswith(f"{MODEL_FOLDER}/")})
    return [
        Change(name, card_at(folder, "HEAD", name), _card(path.read_text(encoding="utf-8"), name))
        for name in series
        if (path := folder / MODEL_FOLDER / name / CARD).is_file()
    ]


def card_at(folder: Path, commit: str, series: str) -> dict[str, Any] | None:
    """The card of a series in a commit, None when it is not there."""
    try:
        return _card(git(folder, "cat-file", "blob", f"{commit}:{MODEL_FOLDER}/{series}/{CARD}"), series)
    except GitError:
        return None


def _card(text: str, series: str) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(text)
        missing = {"version", "name", "mae", "window_end", "sha256"} - set(card)
    except (ValueError, TypeError) as error:
        raise DeliveryError(f"the card of {series} cannot be read: {error}") from None
    if missing:
        raise DeliveryError(f"the card of {series} lacks {', '.join(sorted(missing))}")
    return card


def verify(folder: Path, series: str) -> None:
    """Raise unless the numbers of the champion are those that its card names."""
    place = folder / MODEL_FOLDER / series
    wanted = _card((place / CARD).read_text(encoding="utf-8"), series)["sha256"]
    got = hashlib.sha256((place / NUMBERS).read_bytes()).hexdigest()
    if got != wanted:
        raise DeliveryError(
            f"{MODEL_FOLDER}/{series}: expected sha256 {wanted[:12]}..., got {got[:12]}...; nothing was delivered"
        )


def message(found: list[Change]) -> str:
    """Subject and body of the commit."""
    subject = found[0].subject if len(found) == 1 else f"Promote new champions of {len(found)} series"
    paragraphs = ["\n".join(([change.subject] if len(found) > 1 else []) + change.lines()) for change in found]
    return "\n\n".join([subject, *paragraphs])


def publish(folder: Path, text: str, branch: str, way: Way) -> Outcome:
    """Commit model/ with this message and push it, or open a pull request from `branch`."""
    git(folder, "add", "--", MODEL_FOLDER)
    git(folder, "commit", "--quiet", "--message", text, "--", MODEL_FOLDER)
    if way == "pr":
        _open_pull_request(folder, text, branch)
        return "pull request"
    _push(folder, _base(folder))
    _start_deployment(_base(folder))
    return "pushed"


def _base(folder: Path) -> str:
    return os.environ.get("GITHUB_REF_NAME") or git(folder, "rev-parse", "--abbrev-ref", "HEAD")


def _push(folder: Path, branch: str) -> None:
    """Push on top of whatever others have pushed meanwhile."""
    for attempt in range(TRIES):
        try:
            git(folder, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", network=True)
            return
        except GitError as error:
            if any(sign in str(error) for sign in _PROTECTED):
                hint = "set the repository variable MODEL_DELIVERY to pr, and models come as pull requests"
                raise DeliveryError(f"{branch} is protected: {hint}. {error}") from None
            if attempt == TRIES - 1 or not any(sign in str(error) for sign in _LOST_RACE):
                raise
        time.sleep(attempt)
        _rebase(folder, branch)
    raise AssertionError("the last try returns or raises")


def _rebase(folder: Path, branch: str) -> None:
    git(folder, "fetch", "--quiet", "origin", branch, network=True)
    try:
        git(folder, "rebase", "--quiet", "--autostash", "FETCH_HEAD")
    except GitError:
        git(folder, "rebase", "--abort")
        raise DeliveryError(
            f"somebody changed {MODEL_FOLDER}/ on {branch} meanwhile; nothing was pushed, train again"
        ) from None
    print(f"somebody pushed to {branch} meanwhile: rebased")


def _open_pull_request(folder: Path, text: str, branch: str) -> None:
    """Open it from `branch`, or bring the open one of this branch up to date."""
    git(folder, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}", network=True)
    subject, _, body = text.partition("\n\n")
    words = {"title": subject[:250], "body": body}
    api = Api.of(os.environ)
    try:
        owner = api.repository.partition("/")[0]
        pulls = api.call("GET", f"/pulls?state=open&head={owner}:{branch}")
        if pulls:
            pull = api.call("PATCH", f"/pulls/{pulls[0]['number']}", words)
        else:
            pull = api.call("POST", "/pulls", {**words, "head": branch, "base": _base(folder)})
    except ApiError as error:
        hint = "Settings, Actions, General: allow GitHub Actions to create pull requests; or open it from the branch"
        raise DeliveryError(f"{branch} was pushed, but its pull request was not opened. {hint}. {error}") from None
    print(f"pull request #{pull['number']}: {subject}")


def _start_deployment(branch: str) -> None:
    """workflow_dispatch, which GITHUB_TOKEN may send although its pushes start nothing."""
    workflow = os.environ.get("DEPLOY_WORKFLOW", "")
    if not workflow:
        words = "set the variable DEPLOY_WORKFLOW to the file name of your deployment, e.g. deploy.yml"
        summary.notice("No deployment started", words)
        return
    Api.of(os.environ).call("POST", f"/actions/workflows/{workflow}/dispatches", {"ref": branch})
    print(f"started {workflow} on {branch}")


def way_of(variables: Mapping[str, str]) -> Way:
    """MODEL_DELIVERY: push unless said otherwise."""
    wanted = variables.get("MODEL_DELIVERY") or "push"
    if wanted not in ("push", "pr"):
        raise DeliveryError(f"MODEL_DELIVERY: expected push or pr, got {wanted!r}")
    return "pr" if wanted == "pr" else "push"


def champions_of(variables: Mapping[str, str]) -> str:
    """The end of the branch for several champions; each SHARD, such as 2/4, has its own."""
    shard = variables.get("SHARD") or "1/1"
    return "champions" if shard == "1/1" else f"champions-{shard.replace('/', '-of-')}"


def deliver(folder: Path) -> Outcome:
    """Bring what a training has promoted to the repository; "kept" when it has promoted nothing."""
    found = changes(folder)
    if not found:
        print("the champion stays: nothing to commit")
        return "kept"
    for change in found:
        verify(folder, change.series)
    text = message(found)
    branch = f"model/{found[0].series if len(found) == 1 else champions_of(os.environ)}"  # one pull request, kept up
    outcome = publish(folder, text, branch, way_of(os.environ))
    print(f"{outcome}: {text}")
    summary.write(f"### Delivered by {outcome}\n\n```text\n{text}\n```")
    return outcome


def main() -> int:
    try:
        outcome = deliver(ROOT)
    except ActioncastError as error:
        summary.failure("Not delivered", str(error))
        return 1
    output = os.environ.get("GITHUB_OUTPUT")
    if output:
        with Path(output).open("a", encoding="utf-8") as file:
            file.write(f"delivered={outcome}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Delivery: a changed champion becomes one commit of model/, a push or a pull request, and the
start of a deployment.

The last step of a retrain, in the checkout whose model/ may have changed:

    python -m actioncast.github.delivery
    python -m actioncast.github.delivery --config    # config.toml instead, to which a series was added

Reads MODEL_DELIVERY (push, or pr for protected branches) and DEPLOY_WORKFLOW (its file name: a push
made with GITHUB_TOKEN starts no workflow, so the deployment is started explicitly). Needs
GITHUB_TOKEN with `contents: write`, `actions: write` to start the deployment and `pull-requests:
write` for pr.
Exit codes: 0 delivered, or nothing to deliver; 1 git or GitHub refused; 2 wrong flags.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from actioncast.errors import ActioncastError
from actioncast.github import summary
from actioncast.github.api import Api, ApiError
from actioncast.github.git import GitError, git, git_bytes
from actioncast.paths import CARD, DEFAULT_CONFIG, MODEL_FOLDER, NUMBERS, ROOT

Way = Literal["push", "pr"]
Outcome = Literal["kept", "pushed", "pull request"]

CONFIG_BRANCH = "config/new-series"  # of the pull request of a series that was added
TRIES = 5  # of a push, when others push at the same time
LONGEST_TITLE = 250  # characters of a pull request's title; GitHub takes 256
CARD_KEYS = {"version", "name", "mae", "window_end", "sha256"}  # of a card that can be delivered
MESSAGE_ROWS = (  # what a commit says, and the card's key for it
    ("version", "version"),
    ("candidate", "name"),
    ("backtest error", "mae"),
    ("learned until", "window_end"),
)
# What git says when somebody else has pushed first, and when a rule of the repository forbids the
# push.
_LOST_RACE = (
    "[rejected]",
    "fetch first",
    "cannot lock ref",
    "non-fast-forward",
    "failed to update ref",
)
_PROTECTED = ("GH006", "GH013", "protected branch", "Protected branch", "repository rule")
_ALLOW_PULL_REQUESTS = (
    "Settings, Actions, General: allow GitHub Actions to create pull requests; or open it from the branch"
)
_APPROVE = (
    "its checks wait until a person presses “Approve workflows to run” there; "
    "README, “Models as pull requests”, says when they need not"
)


class DeliveryError(ActioncastError):
    """The change could not be brought to the repository."""


# --- what has changed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """The cards of one series' champion before (None: there was none) and after."""

    series: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]

    @property
    def subject(self) -> str:
        error = f"{self.after['mae']:,.6g}"
        if self.before:
            error = f"{self.before['mae']:,.6g} → {error}"
        return f"Promote {self.after['name']} for {self.series}: error {error}"

    def lines(self) -> list[str]:
        """Before → after, for people who read the history."""
        before = self.before or {}
        lines = []
        for label, key in MESSAGE_ROWS:
            lines.append(f"{label}: {before.get(key, 'none')} → {self.after[key]}")
        return lines


def changes(folder: Path) -> list[Change]:
    """The series whose champion differs from the last commit's."""
    promotions = []
    for series in _changed_series(folder):
        path = folder / MODEL_FOLDER / series / CARD
        if path.is_file():
            after = _read_card(path.read_text(encoding="utf-8"), series)
            before = card_at(folder, "HEAD", series)
            promotions.append(Change(series, before, after))
    return promotions


def _changed_series(folder: Path) -> list[str]:
    """Names of the folders of model/ with any file that is not as committed."""
    flags = ["--porcelain", "--untracked-files=all", "-z"]
    status = git_bytes(folder, "status", *flags, "--", MODEL_FOLDER).decode()
    series = set()
    for entry in status.split("\0"):
        path = entry[3:]  # after two letters of status and a blank
        if path.startswith(f"{MODEL_FOLDER}/"):
            series.add(Path(path).parent.name)
    return sorted(series)


def card_at(folder: Path, commit: str, series: str) -> dict[str, Any] | None:
    """The card of a series in a commit, None when it is not there."""
    path = f"{MODEL_FOLDER}/{series}/{CARD}"
    try:
        text = git(folder, "cat-file", "blob", f"{commit}:{path}")
    except GitError:
        return None
    return _read_card(text, series)


def _read_card(text: str, series: str) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(text)
        missing = CARD_KEYS - set(card)
    except (ValueError, TypeError) as error:
        raise DeliveryError(f"the card of {series} cannot be read: {error}") from None
    if missing:
        raise DeliveryError(f"the card of {series} lacks {', '.join(sorted(missing))}")
    return card


def verify(folder: Path, series: str) -> None:
    """Raise DeliveryError unless the numbers of the champion are those that its card names."""
    directory = folder / MODEL_FOLDER / series
    card = _read_card((directory / CARD).read_text(encoding="utf-8"), series)
    expected = card["sha256"]
    actual = hashlib.sha256((directory / NUMBERS).read_bytes()).hexdigest()
    if actual != expected:
        raise DeliveryError(
            f"{MODEL_FOLDER}/{series}: expected sha256 {expected[:12]}..., got {actual[:12]}...; nothing was delivered"
        )


def message(promotions: Sequence[Change]) -> str:
    """Subject and body of the commit."""
    if len(promotions) == 1:
        (change,) = promotions
        return "\n\n".join([change.subject, "\n".join(change.lines())])
    paragraphs = [f"Promote new champions of {len(promotions)} series"]
    for change in promotions:
        paragraphs.append("\n".join([change.subject, *change.lines()]))
    return "\n\n".join(paragraphs)


# --- commit, push, pull request, deployment ---------------------------------------------------------------------------


def publish(folder: Path, text: str, *, branch: str, way: Way) -> Outcome:
    """Commit model/ with this message and push it, or open a pull request from `branch`."""
    git(folder, "add", "--", MODEL_FOLDER)
    git(folder, "commit", "--quiet", "--message", text, "--", MODEL_FOLDER)
    if way == "pr":
        _open_pull_request(folder, text, branch)
        return "pull request"
    base = _base(folder)
    _push(folder, base)
    _start_deployment(base)
    return "pushed"


def _base(folder: Path) -> str:
    """The branch that is delivered to: the run's, or the one checked out."""
    return os.environ.get("GITHUB_REF_NAME") or git(folder, "rev-parse", "--abbrev-ref", "HEAD")


def _push(folder: Path, branch: str) -> None:
    """Push on top of whatever others have pushed meanwhile."""
    for attempt in range(TRIES):
        try:
            git(folder, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", network=True)
            return
        except GitError as error:
            complaint = str(error)
            if _names_any(complaint, _PROTECTED):
                hint = "set the repository variable MODEL_DELIVERY to pr, and models come as pull requests"
                raise DeliveryError(f"{branch} is protected: {hint}. {error}") from None
            if attempt == TRIES - 1 or not _names_any(complaint, _LOST_RACE):
                raise
        time.sleep(attempt)
        _rebase(folder, branch)
    raise AssertionError("the last try returns or raises")


def _names_any(complaint: str, signs: Sequence[str]) -> bool:
    return any(sign in complaint for sign in signs)


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
    content = {"title": subject[:LONGEST_TITLE], "body": body}
    api = Api.of(os.environ)
    owner = api.repository.partition("/")[0]
    try:
        open_pulls = api.call("GET", f"/pulls?state=open&head={owner}:{branch}")
        if open_pulls:
            pull = api.call("PATCH", f"/pulls/{open_pulls[0]['number']}", content)
        else:
            pull = api.call("POST", "/pulls", {**content, "head": branch, "base": _base(folder)})
    except ApiError as error:
        raise DeliveryError(
            f"{branch} was pushed, but its pull request was not opened. {_ALLOW_PULL_REQUESTS}. {error}"
        ) from None
    print(f"pull request #{pull['number']}: {subject}")
    summary.notice(f"Pull request #{pull['number']}", _APPROVE)


def _start_deployment(branch: str) -> None:
    """Send a workflow_dispatch, which GITHUB_TOKEN may do although its pushes start nothing."""
    workflow = os.environ.get("DEPLOY_WORKFLOW", "")
    if not workflow:
        remedy = "set the variable DEPLOY_WORKFLOW to the file name of your deployment, e.g. deploy.yml"
        summary.notice("No deployment started", remedy)
        return
    api = Api.of(os.environ)
    api.call("POST", f"/actions/workflows/{workflow}/dispatches", {"ref": branch})
    print(f"started {workflow} on {branch}")


def way_of(variables: Mapping[str, str]) -> Way:
    """MODEL_DELIVERY, push by default. Raises DeliveryError for anything but push and pr."""
    way = variables.get("MODEL_DELIVERY") or "push"
    if way == "push":
        return "push"
    if way == "pr":
        return "pr"
    raise DeliveryError(f"MODEL_DELIVERY: expected push or pr, got {way!r}")


# --- the step ---------------------------------------------------------------------------------------------------------


def deliver(folder: Path) -> Outcome:
    """Bring what a training has promoted to the repository; "kept" when it has promoted nothing."""
    promotions = changes(folder)
    if not promotions:
        print("the champion stays: nothing to commit")
        return "kept"
    for change in promotions:
        verify(folder, change.series)
    text = message(promotions)
    branch = _branch_of(promotions, os.environ)
    outcome = publish(folder, text, branch=branch, way=way_of(os.environ))
    print(f"{outcome}: {text}")
    summary.write(f"### Delivered by {outcome}\n\n```text\n{text}\n```")
    return outcome


def deliver_config(folder: Path) -> Outcome:
    """Bring a changed config.toml to the repository; "kept" when it is as committed."""
    path = DEFAULT_CONFIG.name
    if not git(folder, "status", "--porcelain", "--", path):
        print(f"{path} is as it was: nothing to commit")
        return "kept"
    text = f"Add a series to {path}"
    git(folder, "commit", "--quiet", "--message", text, "--", path)
    if way_of(os.environ) == "pr":
        _open_pull_request(folder, text, CONFIG_BRANCH)
        return "pull request"
    _push(folder, _base(folder))
    print(f"pushed: {text}")
    return "pushed"


def _branch_of(promotions: Sequence[Change], variables: Mapping[str, str]) -> str:
    """The branch of the pull request: one for each series or, for several at once, for each retrain."""
    if len(promotions) == 1:
        return f"model/{promotions[0].series}"
    run = variables.get("GITHUB_RUN_NUMBER")
    return f"model/retrain-{run}" if run else "model/champions"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", action="store_true", help="deliver config.toml instead of model/")
    arguments = parser.parse_args(argv)
    try:
        outcome = deliver_config(ROOT) if arguments.config else deliver(ROOT)
    except ActioncastError as error:
        summary.failure("Not delivered", str(error))
        return 1
    summary.output("delivered", outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())

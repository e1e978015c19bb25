"""Roll back: put the previous champion of a series, or an earlier one, back into model/ as a new
commit.

The history of model/ is that of the git repository: nothing is lost, and a roll-back can be rolled
back.

    python rollback.py                                   # the one before, committed here
    python rollback.py --to 20220304T03-1a2b3c4d --push  # that version, pushed, deployment started

Reads the git history, MODEL_DELIVERY and DEPLOY_WORKFLOW; writes model/<series>/ and a commit. In
the workflow `rollback`, --push needs the same GITHUB_TOKEN as actioncast/github/delivery.py.
Exit codes: 0 rolled back; 1 there is no such version, or git or GitHub refused; 2 wrong flags,
config.toml or environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actioncast.cli.script import run_without_database
from actioncast.github import delivery, summary
from actioncast.github.git import git
from actioncast.paths import CARD, MODEL_FOLDER
from actioncast.report import Report
from actioncast.settings import Settings


class NoSuchVersionError(delivery.DeliveryError):
    """The history holds no such champion."""


@dataclass(frozen=True)
class RollbackReport(Report):
    """Which version went and which came back."""

    series: str
    before: str
    after: str
    outcome: str

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "before": self.before,
            "after": self.after,
            "outcome": self.outcome,
        }

    def as_text(self) -> str:
        return f"{self.series}: {self.outcome}: {self.before} → {self.after}"


def run(
    settings: Settings,
    *,
    series_id: str,
    version: str = "",
    push: bool = False,
) -> RollbackReport:
    """Find the version in the history, put its files back, commit and, if asked, push."""
    folder = settings.folder
    present = delivery.card_at(folder, "HEAD", series_id)
    if present is None:
        raise NoSuchVersionError(f"{series_id} has no champion to roll back from")
    commit, card = _find(folder, series_id, present["version"], version)
    git(folder, "checkout", commit, "--", f"{MODEL_FOLDER}/{series_id}")
    delivery.verify(folder, series_id)
    text = _message(delivery.Change(series_id, before=present, after=card))
    if push:
        branch = f"rollback/{series_id}-{card['version']}"
        way = delivery.way_of(os.environ)
        outcome: str = delivery.publish(folder, text, branch=branch, way=way)
    else:
        git(folder, "commit", "--quiet", "--message", text, "--", MODEL_FOLDER)
        outcome = "committed"
    summary.write(f"### Rolled back\n\n```text\n{text}\n```")
    return RollbackReport(
        series=series_id,
        before=present["version"],
        after=card["version"],
        outcome=outcome,
    )


def _message(change: delivery.Change) -> str:
    """Subject and body of the commit."""
    subject = f"Roll back {change.series} to {change.after['version']} ({change.after['name']})"
    return "\n\n".join([subject, "\n".join(change.lines())])


def _find(folder: Path, series_id: str, present: str, version: str) -> tuple[str, dict[str, Any]]:
    """The newest commit with this version, and its card; "" is any version but the present one."""
    others: list[str] = []
    for commit, card in _history(folder, series_id):
        candidate = card["version"]
        if candidate == present:
            continue
        if version in ("", candidate):
            return commit, card
        if candidate not in others:
            others.append(candidate)
    raise NoSuchVersionError(
        f"{series_id}: expected {version or 'an earlier version'} in the history, "
        f"got {', '.join(others) or 'none'} beside the present {present}"
    )


def _history(folder: Path, series_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The commits that changed the card of a series, and the card in each, newest first."""
    path = f"{MODEL_FOLDER}/{series_id}/{CARD}"
    for commit in git(folder, "log", "--format=%H", "--", path).split():
        card = delivery.card_at(folder, commit, series_id)
        if card:
            yield commit, card


def _run_with_flags(arguments: argparse.Namespace, settings: Settings) -> RollbackReport:
    return run(
        settings,
        series_id=arguments.series,
        version=arguments.to,
        push=arguments.push,
    )


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        default="",
        metavar="VERSION",
        help="version to go back to (default: the one before)",
    )
    parser.add_argument(
        "--push",
        action="store_true",
        help="push the commit and start the deployment",
    )


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(argv, __doc__, _run_with_flags, _add_flags)


if __name__ == "__main__":
    sys.exit(main())

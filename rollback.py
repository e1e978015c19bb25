"""Roll back: the previous champion of a series, or an earlier one, back into model/ as a new commit.

The history of model/ is that of the git repository: nothing is lost, and a roll-back can be rolled back.

    python rollback.py                                   # the one before, committed here
    python rollback.py --to 20220304T03-1a2b3c4d --push  # that version, pushed, deployment started

Reads the git history, MODEL_DELIVERY and DEPLOY_WORKFLOW; writes model/<series>/ and a commit. In the workflow
`rollback`, --push needs GITHUB_TOKEN as actioncast/github/delivery.py says.
Exit codes: 0 rolled back; 1 there is no such version, or git or GitHub refused; 2 wrong flags, config.toml or
environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.cli.script import run_without_database
from actioncast.github import delivery, summary
from actioncast.github.git import git
from actioncast.paths import CARD, MODEL_FOLDER
from actioncast.settings import Settings


class NoSuchVersionError(delivery.DeliveryError):
    """The history holds no such champion."""


@dataclass(frozen=True)
class RollbackReport:
    """Which version went and which came back."""

    series: str
    before: str
    after: str
    outcome: str
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"series": self.series, "before": self.before, "after": self.after, "outcome": self.outcome}

    def as_text(self) -> str:
        return f"{self.series}: {self.outcome}: {self.before} → {self.after}"


def run(settings: Settings, *, series_id: str, version: str = "", push: bool = False) -> RollbackReport:
    """Find the version in the history, put its files back, commit and, if asked, push."""
    folder = settings.folder
    present = delivery.card_at(folder, "HEAD", series_id)
    if present is None:
        raise NoSuchVersionError(f"{series_id} has no champion to roll back from")
    commit, card = _find(settings, series_id, present["version"], version)
    git(folder, "checkout", commit, "--", f"{MODEL_FOLDER}/{series_id}")
    delivery.verify(folder, series_id)
    change = delivery.Change(series_id, present, card)
    text = "\n\n".join([f"Roll back {series_id} to {card['version']} ({card['name']})", "\n".join(change.lines())])
    outcome = "committed"
    if push:
        branch = f"rollback/{series_id}-{card['version']}"
        outcome = delivery.publish(folder, text, branch, delivery.way_of(os.environ))
    else:
        git(folder, "commit", "--quiet", "--message", text, "--", MODEL_FOLDER)
    summary.write(f"### Rolled back\n\n```text\n{text}\n```")
    return RollbackReport(series_id, present["version"], card["version"], outcome)


def _find(settings: Settings, series_id: str, present: str, wanted: str) -> tuple[str, dict[str, Any]]:
    """The newest commit with the wanted version; without one, with another version than the present one."""
    path = f"{MODEL_FOLDER}/{series_id}/{CARD}"
    known: list[str] = []
    for commit in git(settings.folder, "log", "--format=%H", "--", path).split():
        card = delivery.card_at(settings.folder, commit, series_id)
        if card and card["version"] not in known:
            known.append(card["version"])
        if card and card["version"] != present and wanted in ("", card["version"]):
            return commit, card
    others = ", ".join(version for version in known if version != present) or "none"
    sought = wanted or "an earlier version"
    raise NoSuchVersionError(
        f"{series_id}: expected {sought} in the history, got {others} beside the present {present}"
    )


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", default="", metavar="VERSION", help="version to go back to (default: the one before)")
    parser.add_argument("--push", action="store_true", help="push the commit and start the deployment")


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(
        argv,
        __doc__,
        lambda arguments, settings: run(
            settings, series_id=arguments.series, version=arguments.to, push=arguments.push
        ),
        _add_flags,
    )


if __name__ == "__main__":
    sys.exit(main())

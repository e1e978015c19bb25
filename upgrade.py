"""Upgrade: merge what has changed between two releases of the template into this copy, on a branch
of its own.

Your files are never touched: config.toml, utils.py, model/, .env, and every file that the releases
do not have, such as my_source.py or data/own.csv. Only --config writes config.toml: it gives keys
the names of the release that is there. A file of ours that you have changed is merged
line by line; where the release changed the same lines, both sides stay in the file, marked. A file
of ours that you have deleted stays deleted. Needs git and Python 3.11 or newer, and nothing
installed.

    python upgrade.py --dry-run                               # what would change; changes nothing
    python upgrade.py                                         # to the newest release
    python upgrade.py --to v0.2.0 --template https://github.com/OWNER/NAME
    python upgrade.py --to main                               # what is not released yet: a branch or a commit
    python upgrade.py --config                                # rewrite keys of config.toml that have a new name

Reads .actioncast-version, the git history and the template repository (by git alone). Writes the
branch upgrade-vX.Y.Z, which is then checked out; the branch you were on stays as it was.
Exit codes: 0 upgraded, or nothing to do; 1 there are conflicts to mend, uncommitted changes, or git
refused; 2 wrong flags, or no template address.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from actioncast import renamed_keys
from actioncast.errors import ActioncastError
from actioncast.github import releases, upgrading
from actioncast.github.releases import FIRST, Origin, ReleaseError
from actioncast.github.upgrading import Merge, Step
from actioncast.redaction import redacted

CONFIG = "config.toml"
USER_FILES = (CONFIG, "utils.py", "model/", ".env")  # what releases have of these is left out
NO_TEMPLATE = (
    "expected --template, the address of the repository that this one was made from (GitHub shows "
    "it beneath the name: generated from OWNER/NAME), such as https://github.com/OWNER/NAME"
)
TO_HELP = "release, branch or commit to upgrade to (default: the newest release)"
FROM_HELP = "release or commit that this copy is of (default: as .actioncast-version says, or else v0.1.0)"
MEND = """Mend each file, git add it (git rm, if it shall go), then: git commit --no-edit
To take one side whole: git checkout --ours FILE (yours) or git checkout --theirs FILE (the release's)
Way back: git cherry-pick --abort && git switch {branch} && git branch -D {upgrade}"""
GO_ON = """Next, on the branch {upgrade}, which is checked out ({branch} is as it was):
  make install                   # the libraries of the new release
  python upgrade.py --config     # keys of your config.toml that have a new name; commit it
  python update_real_data.py     # reads your config.toml and your source
  git switch {branch} && git merge {upgrade}
  git push                       # you, and no workflow: GitHub lets no job's token change workflow files
Way back: git switch {branch} && git branch -D {upgrade}"""


@dataclass(frozen=True)
class UpgradeReport:
    """What was merged, and what is left to do."""

    subject: str
    changelog: str = ""
    merge: Merge = field(default_factory=Merge)
    next_steps: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.merge.conflicts)

    def as_text(self) -> str:
        merge = self.merge
        parts = [
            self.changelog,
            _listed("The release changes", merge.changed),
            _listed("Deleted by you, and left so", merge.left_out),
            _listed("Conflicts", merge.conflicts),
            self.subject,
            self.next_steps,
        ]
        return "\n\n".join(part for part in parts if part)


def _listed(title: str, lines: Sequence[str]) -> str:
    """A heading and its lines, nothing without lines."""
    if not lines:
        return ""
    return "\n  ".join([f"{title}:", *lines])


def run(folder: Path, *, to: str, start: str, template: str, dry_run: bool) -> UpgradeReport:
    """Merge `to`, a release, branch or commit of the template (empty: the newest release), into the copy.

    `start` is what the copy is of; empty: as its version file says, or else the first release.
    Raises ReleaseError, UpgradeError or GitError, with everything as it was.
    """
    present = releases.origin_of(folder) or Origin(FIRST)
    address = template or present.template
    if not address:
        raise ReleaseError(NO_TEMPLATE)
    target = upgrading.target_of(folder, address, to)
    if target.is_release and target.version <= present.version and not start:
        return UpgradeReport(f"This copy is of {present.version.tag}: nothing to do for {target.reference}.")
    upgrading.refuse_uncommitted(folder)
    start = start or present.version.tag
    step = Step(
        before=upgrading.fetch(folder, address, start),
        after=upgrading.fetch(folder, address, target.reference),
        subject=f"Upgrade Actioncast from {start} to {target.reference}",
        origin=Origin(target.version, releases.shareable(address) or present.template),
        users=USER_FILES,
    )
    changelog = upgrading.text_at(folder, step.after, "CHANGELOG.md")
    merge, next_steps = _merge(folder, step, f"upgrade-{target.reference}", dry_run)
    return UpgradeReport(
        subject=step.subject,
        changelog=releases.changes_between(changelog, present.version, target.version),
        merge=merge,
        next_steps=next_steps,
    )


def _merge(folder: Path, step: Step, upgrade: str, dry_run: bool) -> tuple[Merge, str]:
    """Merge on the branch `upgrade`, or rehearse it; with what to do then."""
    branch = upgrading.branch_of(folder)
    if dry_run:
        return upgrading.rehearse(folder, step), "Nothing was changed: leave out --dry-run to do it."
    merge = upgrading.merge(folder, upgrade, step)
    advice = MEND if merge.conflicts else GO_ON
    return merge, advice.format(branch=branch, upgrade=upgrade)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--to", default="", metavar="vX.Y.Z", help=TO_HELP)
    parser.add_argument("--from", dest="start", default="", metavar="vX.Y.Z", help=FROM_HELP)
    parser.add_argument("--template", default="", help="address or path of the template repository; is remembered")
    parser.add_argument("--config", action="store_true", help="only rewrite keys of config.toml that have a new name")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    return parser


def rewrite_config(folder: Path, *, dry_run: bool = False) -> list[str]:
    """Give the keys of config.toml the names of today; what was changed, a line each."""
    path = folder / CONFIG
    if not path.is_file():
        return []
    text, changes = renamed_keys.rewritten(path.read_text(encoding="utf-8"))
    if changes and not dry_run:
        path.write_text(text, encoding="utf-8")
    return changes


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.config:
        changes = rewrite_config(Path.cwd(), dry_run=arguments.dry_run)
        print("\n".join(changes) or "config.toml has no key with a new name")
        return 0
    try:
        report = run(
            upgrading.top_folder(Path.cwd()),
            to=arguments.to,
            start=arguments.start,
            template=arguments.template,
            dry_run=arguments.dry_run,
        )
    except ActioncastError as error:
        print(f"error: {redacted(str(error))}", file=sys.stderr)
        return 2 if isinstance(error, ReleaseError) else 1
    print(report.as_text())
    return int(report.failed)


if __name__ == "__main__":
    sys.exit(main())

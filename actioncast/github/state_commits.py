"""The commit behind the branch `state`: its files read, and a commit with other files made and pushed.

The commit has no parent. Files that stay as they are cost nothing: git sends only what the
repository does not have. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from actioncast.errors import ActioncastError
from actioncast.github.git import BOT_EMAIL, BOT_NAME, GitError, git, git_bytes

BRANCH = "state"
SEEN = "refs/actioncast/state"  # the commit that this job has started from
_NEXT = "refs/actioncast/next"  # the commit that it makes
MESSAGE = b"State of the scheduled jobs (replaced at each save)"
# GitHub forbids by branch protection (GH006, GH003) or by a ruleset (GH013), and lists the rules that were broken.
_FORBIDDEN = re.compile(r"GH0(03|06|13):")
_RULE = re.compile(r"remote: (?:- |error: (?:GH003: )?(?!GH))(.+?)\.?\s*$", re.MULTILINE)
LOST_RACE = ("stale info", "[rejected]", "cannot lock ref", "fetch first")  # in what git says


def fetch(folder: Path) -> bool:
    """Bring SEEN up to where the branch is; False when there is no branch."""
    branch = f"refs/heads/{BRANCH}"
    if not git(folder, "ls-remote", "origin", branch, network=True):
        return False
    git(folder, "fetch", "--quiet", "--depth=1", "origin", f"+{branch}:{SEEN}", network=True)
    return True


def seen(folder: Path) -> str:
    """The commit this job has started from, "" when there was none."""
    try:
        return git(folder, "rev-parse", "--verify", "--quiet", SEEN)
    except GitError:
        return ""


def blobs(folder: Path) -> dict[str, str]:
    """The files of the commit SEEN: name -> id of its content."""
    if not seen(folder):
        return {}
    ids = {}
    for entry in git_bytes(folder, "ls-tree", "-r", "-z", SEEN).decode().split("\0"):
        if entry:
            attributes, name = entry.split("\t", 1)
            ids[name] = attributes.split()[2]
    return ids


def read(folder: Path, ids: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of these files; one call of git reads them all."""
    requests = "".join(f"{blob}\n" for blob in ids.values()).encode()
    answers = memoryview(git_bytes(folder, "cat-file", "--batch", stdin=requests))
    begin = 0
    for name in ids:
        end_of_line = bytes(answers[begin : begin + 100]).index(b"\n")
        size = int(bytes(answers[begin : begin + end_of_line]).split()[2])
        begin += end_of_line + 1
        yield name, bytes(answers[begin : begin + size])
        begin += size + 1


def blob_id(content: bytes) -> str:
    """The id that git gives a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def commit(folder: Path, changed: Mapping[str, bytes], removed: Sequence[str]) -> str:
    """A commit without a parent: the files of SEEN, with these ones changed and removed."""
    who = f"committer {BOT_NAME} <{BOT_EMAIL}> {int(time.time())} +0000\n"
    parts = [f"commit {_NEXT}\n".encode(), who.encode(), b"data %d\n%s\n" % (len(MESSAGE), MESSAGE)]
    if seen(folder):
        tree = git(folder, "rev-parse", f"{SEEN}^{{tree}}")
        parts.append(f'M 040000 {tree} ""\n'.encode())
    parts += [f"D {name}\n".encode() for name in removed]
    for name, content in changed.items():
        parts.append(b"M 100644 inline %s\ndata %d\n" % (name.encode(), len(content)))
        parts += [content, b"\n"]
    git(folder, "fast-import", "--quiet", "--force", stdin=b"".join(parts))
    return git(folder, "rev-parse", _NEXT)


class ForbiddenError(ActioncastError):
    """A rule of the repository forbids what a save does; the message lists the rules."""


def push(folder: Path, commit_id: str) -> None:
    """Put the branch at this commit, unless somebody else has moved it since SEEN.

    Raises ForbiddenError when a rule of the repository stands in the way.
    """
    branch = f"refs/heads/{BRANCH}"
    lease = f"--force-with-lease={branch}:{seen(folder)}"
    try:
        git(folder, "push", "--quiet", lease, "origin", f"{commit_id}:{branch}", network=True)
    except GitError as error:
        if _FORBIDDEN.search(str(error)):
            raise ForbiddenError("; ".join(_RULE.findall(str(error)))) from None
        raise
    git(folder, "update-ref", SEEN, commit_id)


def lost_race(complaint: str) -> bool:
    """Whether git refused because somebody else has pushed meanwhile."""
    return any(sign in complaint for sign in LOST_RACE)

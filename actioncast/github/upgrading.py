"""Merges the difference between two releases of the template into a copy of it.

A copy shares no history with the template, so git has no common ancestor to merge from. One is
made: two commits that hold the old and the new release without the user's files. The second is
cherry-picked onto a new branch of the copy, which is a three-way merge with the old release as its
base: git follows renames, and where both sides changed the same lines it leaves both, marked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from actioncast.errors import ActioncastError
from actioncast.github.git import GitError, git, git_bytes
from actioncast.github.releases import VERSION_FILE, Origin, ReleaseError, Version, newest

# No renames of folders: a file of the user's would move when the release renames its folder.
MERGING = ["-c", "merge.renames=true", "-c", "merge.directoryRenames=false"]
CONFLICTS = {  # the two letters of git status
    "UU": "changed on both sides",
    "AA": "added on both sides",
    "DU": "deleted here, changed in the release",
    "UD": "changed here, deleted in the release",
}
OTHER_CONFLICT = "renamed, or a file on one side and a folder on the other"


class UpgradeError(ActioncastError):
    """The copy cannot be upgraded as it is."""


@dataclass(frozen=True)
class Target:
    """What to upgrade to: a release, or a branch or commit of the template, and its version."""

    reference: str
    version: Version
    is_release: bool


@dataclass(frozen=True)
class Step:
    """From one release to another: commits of the template, and what the copy then remembers."""

    before: str
    after: str
    subject: str
    origin: Origin
    users: tuple[str, ...]  # files, and folders with a slash at the end, that are the user's own


@dataclass(frozen=True)
class Merge:
    """What a merge did, or would do; lines for a person."""

    changed: Sequence[str] = ()  # what the release brings: a letter (A, M, D, R) and the paths
    left_out: Sequence[str] = ()  # of these, what the copy has deleted: it stays deleted
    conflicts: Sequence[str] = ()  # why, and the path


# --- the template -----------------------------------------------------------------------------------------------------


def target_of(folder: Path, template: str, reference: str) -> Target:
    """The release, branch or commit of this name; the newest release when it is empty.

    Raises UpgradeError where there is no release, ReleaseError for a commit without a version file,
    GitError when the template does not answer or does not have it.
    """
    version = newest_release(folder, template) if not reference else Version.of_name(reference)
    if version is not None:
        return Target(version.tag, version, is_release=True)
    commit = fetch(folder, template, reference)
    first_line = text_at(folder, commit, VERSION_FILE).partition("\n")[0]
    if not first_line:
        raise ReleaseError(f"{reference} of {template} has no {VERSION_FILE}: expected a release such as v0.2.0")
    return Target(reference, Version.parse(first_line), is_release=False)


def newest_release(folder: Path, template: str) -> Version:
    """The newest release of the template. Raises UpgradeError when it has none, GitError when it does not answer."""
    lines = git(folder, "ls-remote", "--tags", "--refs", "--", template, network=True).splitlines()
    version = newest(line.rpartition("refs/tags/")[2] for line in lines)
    if version is None:
        raise UpgradeError(f"{template} has no release: expected a tag such as v0.2.0; --to takes a branch, too")
    return version


def fetch(folder: Path, template: str, reference: str) -> str:
    """Bring a tag, a branch or a commit of the template here, beside the copy's own refs.

    Returns its commit. Raises GitError when the template does not have it.
    """
    mine = f"refs/actioncast/{reference}"
    git(folder, "fetch", "--quiet", "--no-tags", "--", template, f"+{reference}:{mine}", network=True)
    return git(folder, "rev-parse", "--verify", f"{mine}^{{commit}}")


# --- the copy ---------------------------------------------------------------------------------------------------------


def top_folder(folder: Path) -> Path:
    """The work tree that a folder is part of. Raises GitError outside one."""
    return Path(git(folder, "rev-parse", "--show-toplevel"))


def branch_of(folder: Path) -> str:
    """The branch that is checked out. Raises UpgradeError where none is."""
    branch = git(folder, "branch", "--show-current")
    if not branch:
        raise UpgradeError("no branch is checked out: git switch to the one to upgrade")
    return branch


def refuse_uncommitted(folder: Path) -> None:
    """Raise UpgradeError when a tracked file is not as committed."""
    changed = git(folder, "status", "--porcelain", "--untracked-files=no")
    if changed:
        raise UpgradeError(
            f"there are uncommitted changes:\n{changed}\ncommit them, or put them aside with git stash, and start again"
        )


def text_at(folder: Path, commit: str, path: str) -> str:
    """The content of a file in a commit, empty when it is not there."""
    try:
        return git(folder, "cat-file", "blob", f"{commit}:{path}")
    except GitError:
        return ""


# --- the merge --------------------------------------------------------------------------------------------------------


def merge(folder: Path, branch: str, step: Step) -> Merge:
    """Make the branch, check it out and merge there.

    With conflicts the branch stays checked out for a person to mend them. Raises UpgradeError or
    GitError, with everything as it was, when git could not merge at all.
    """
    origin = branch_of(folder)
    with _side_tree(folder) as side:
        release, left_out = _release_commit(side, step)
    _refuse_in_the_way(folder, release)
    git(folder, "switch", "--quiet", "--create", branch)
    try:
        conflicts = _pick(folder, release)
    except GitError:
        git(folder, "reset", "--quiet", "--hard")  # all was committed before
        git(folder, "switch", "--quiet", origin)
        git(folder, "branch", "--quiet", "--delete", "--force", branch)
        raise
    return Merge(_changes(folder, release), left_out, conflicts)


def rehearse(folder: Path, step: Step) -> Merge:
    """What `merge` would do, tried in a work tree beside the copy's own."""
    with _side_tree(folder) as side:
        release, left_out = _release_commit(side, step)
        _refuse_in_the_way(folder, release)
        git(side, "reset", "--quiet", "--hard", "HEAD")
        conflicts = _pick(side, release)
        return Merge(_changes(side, release), left_out, conflicts)


@contextmanager
def _side_tree(folder: Path) -> Iterator[Path]:
    """A second, empty work tree with an index of its own."""
    with tempfile.TemporaryDirectory() as directory:
        side = Path(directory) / "tree"
        git(folder, "worktree", "add", "--quiet", "--detach", "--no-checkout", str(side))
        try:
            yield side
        finally:
            git(folder, "worktree", "remove", "--force", str(side))


def _release_commit(side: Path, step: Step) -> tuple[str, list[str]]:
    """A commit of the new release whose parent is the old one, both without the user's files.

    Returns it with the paths of ours that the release changed and the copy has deleted.
    """
    here = _paths(side, "HEAD")
    before = _paths(side, step.before)
    after = _paths(side, step.after)
    deleted = {path for path in before - here if not _is_one_of(path, step.users)}
    excluded = deleted | {path for path in before | after if _is_one_of(path, step.users)} | {VERSION_FILE}
    # The old tree has the copy's own version file, so that its lines never conflict.
    old_tree = _tree(side, step.before, excluded, _blob_of(side, VERSION_FILE))
    text = step.origin.as_text().encode()
    new_tree = _tree(side, step.after, excluded, git(side, "hash-object", "-w", "--stdin", stdin=text))
    old = git(side, "commit-tree", old_tree, "-m", f"Before: {step.subject}")
    new = git(side, "commit-tree", new_tree, "-p", old, "-m", step.subject)
    changed = git(side, "diff", "--name-only", "-z", "--no-renames", step.before, step.after).split("\0")
    return new, sorted(deleted & after & set(changed))


def _is_one_of(path: str, files_and_folders: tuple[str, ...]) -> bool:
    folders = tuple(name for name in files_and_folders if name.endswith("/"))
    return path in files_and_folders or path.startswith(folders)


def _blob_of(folder: Path, path: str) -> str:
    """The hash of a file's content in HEAD, empty when it is not there."""
    listed = git(folder, "ls-tree", "--full-tree", "HEAD", path).split()
    return listed[2] if listed else ""


def _paths(folder: Path, commit: str) -> set[str]:
    """All files of a commit."""
    listed = git_bytes(folder, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    return {path for path in listed.decode(errors="surrogateescape").split("\0") if path}


def _tree(side: Path, commit: str, excluded: set[str], version_file: str) -> str:
    """A tree of the commit without some files, and with this blob as version file (empty: none)."""
    git(side, "read-tree", commit)
    names = "".join(f"{path}\0" for path in sorted(excluded)).encode(errors="surrogateescape")
    git(side, "update-index", "--force-remove", "-z", "--stdin", stdin=names)
    if version_file:
        git(side, "update-index", "--add", "--cacheinfo", f"100644,{version_file},{VERSION_FILE}")
    return git(side, "write-tree")


def _refuse_in_the_way(folder: Path, release: str) -> None:
    """Raise UpgradeError when the release adds a file where the copy has one that git does not keep."""
    added = _paths(folder, release) - _paths(folder, f"{release}^") - _paths(folder, "HEAD")
    in_the_way = sorted(path for path in added if (folder / path).exists())
    if in_the_way:
        raise UpgradeError(
            f"the release brings {', '.join(in_the_way)}, and a file of yours that is not in git is "
            "there already; commit it or move it away, and start again"
        )


def _pick(folder: Path, release: str) -> list[str]:
    """Merge, and return the conflicts. Raises GitError when git failed without one."""
    try:
        git(folder, *MERGING, "cherry-pick", "--allow-empty", "--keep-redundant-commits", release)
    except GitError:
        conflicts = _conflicts(folder)
        if not conflicts:
            raise
        return conflicts
    return []


def _conflicts(folder: Path) -> list[str]:
    """Why and where, of each file that git could not merge."""
    status = git_bytes(folder, "status", "--porcelain", "-z", "--untracked-files=no").decode()
    conflicts = []
    for entry in status.split("\0"):
        letters = entry[:2]
        if "U" in letters or letters in ("AA", "DD"):
            conflicts.append(f"{CONFLICTS.get(letters, OTHER_CONFLICT)}: {entry[3:]}")
    return conflicts


def _changes(folder: Path, release: str) -> list[str]:
    """What the release brings: a letter (A, M, D, R) and the paths of each file."""
    return git(folder, "diff", "--name-status", "--find-renames", f"{release}^", release).splitlines()

"""A template repository with two releases, and a copy of the older one without a common history."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from actioncast.github.git import git
from tests.support.checkout import shipped_files

OLD, NEW = "v0.1.0", "v0.2.0"
Files = Mapping[str, str | bytes | None]  # None: the file goes


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(folder: Path, files: Files, subject: str = "A change") -> str:
    """Write the files and commit all that is not as committed; the commit."""
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", subject)
    return git(folder, "rev-parse", "HEAD")


def repository(folder: Path, branch: str) -> Path:
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch", branch)
    return folder


def copy_of(template: Path, tag: str, folder: Path) -> Path:
    """What "Use this template" makes: the same files, another history, another default branch."""
    git(template, "worktree", "add", "--quiet", "--detach", str(folder), tag)
    (folder / ".git").unlink()
    git(template, "worktree", "prune")
    repository(folder, "trunk")
    commit(folder, {}, "Initial commit")
    return folder


def this_project(folder: Path) -> None:
    """Put the files of this project into a folder, as the template ships them."""
    for name, path in shipped_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)


def files_of(folder: Path, commit: str) -> dict[str, str]:
    """Mode and content's hash of each file of a commit, by path."""
    files = {}
    for line in git(folder, "ls-tree", "-r", "--full-tree", commit).splitlines():
        properties, path = line.split("\t")
        mode, _, blob = properties.split()
        files[path] = f"{mode} {blob}"
    return files

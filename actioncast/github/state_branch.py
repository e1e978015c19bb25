"""The state branch: without DATABASE_URL the SQLite file lives on the branch `state`.

The branch is one commit without a parent, replaced at each save.

    python -m actioncast.github.state_branch restore    # before a job: the branch's file, when there is one
    python -m actioncast.github.state_branch save       # after a job
    DATABASE_URL=postgresql://… python -m actioncast.github.state_branch move    # everything stored, into PostgreSQL

A save never overwrites newer data: when somebody saved in between, this job's rows are added to the
newer file, which is then saved. Saving needs GITHUB_TOKEN with `contents: write`; a person's own
git credentials do as well.
Exit codes: 0 done, or nothing to do; 1 git or the database failed; 2 wrong flags.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from actioncast.errors import ActioncastError
from actioncast.github.git import GitError, git, git_bytes
from actioncast.paths import ROOT

BRANCH = "state"
FILE = "actioncast.db"
SEEN = "refs/actioncast/state"  # the commit that this job has started from
TRIES = 5  # of a save, when other jobs save at the same time
MIB = 2**20
LARGE_BYTES = 50 * MIB  # GitHub warns above this
LARGEST_BYTES = 95 * MIB  # GitHub refuses 100 MiB
COMMIT_MESSAGE = "State of the scheduled jobs (replaced at each save)"
MOVE = "move to PostgreSQL: DATABASE_URL=postgresql://… python -m actioncast.github.state_branch move"
_LOST_RACE = ("stale info", "[rejected]", "cannot lock ref", "fetch first")  # in what git says


class StateError(ActioncastError):
    """The state cannot be kept on a branch."""


def restore(folder: Path) -> str:
    """Put the branch's file beside config.toml. Returns what was done."""
    if not _fetch(folder):
        return f"there is no branch {BRANCH} yet: starting empty"
    _write(folder, folder / FILE)
    return f"restored {FILE} from {BRANCH} {_seen(folder)[:7]}"


def save(folder: Path) -> str:
    """Replace the branch by one commit with this file, or with this file's rows added to a newer one."""
    path = folder / FILE
    if not path.is_file():
        return f"there is no {FILE}: nothing to save"
    for attempt in range(TRIES):
        _close_off(path)
        commit = _commit(folder)
        try:
            _push(folder, commit)
        except GitError as error:
            if attempt == TRIES - 1 or not _lost_race(str(error)):
                raise
            time.sleep(attempt)
            _add_to_newer(folder)
            continue
        git(folder, "update-ref", SEEN, commit)
        size = path.stat().st_size / MIB
        return f"saved {FILE} ({size:.1f} MiB) as {BRANCH} {commit[:7]}"
    raise AssertionError("the last try returns or raises")


def _fetch(folder: Path) -> bool:
    """Bring SEEN up to where the branch is; False when there is no branch."""
    branch = f"refs/heads/{BRANCH}"
    if not git(folder, "ls-remote", "origin", branch, network=True):
        return False
    git(folder, "fetch", "--quiet", "--depth=1", "origin", f"+{branch}:{SEEN}", network=True)
    return True


def _seen(folder: Path) -> str:
    """The commit this job has started from, "" when there was none."""
    try:
        return git(folder, "rev-parse", "--verify", "--quiet", SEEN)
    except GitError:
        return ""


def _write(folder: Path, path: Path) -> None:
    """Write the file of the commit SEEN, in place of an older one and its logs."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(git_bytes(folder, "cat-file", "blob", f"{SEEN}:{FILE}"))


def _close_off(path: Path) -> None:
    """Bring the database into its one file, and look at its size."""
    from actioncast.database.sqlite_file import SqliteFileError, close_off

    try:
        close_off(path)
    except SqliteFileError as error:
        raise StateError(f"{path.name} is not saved: {error}") from None
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise StateError(f"{path.name} has {size / MIB:.0f} MiB, more than GitHub takes; {MOVE}")
    if size > LARGE_BYTES:
        sizes = f"{size / MIB:.0f} MiB of {LARGEST_BYTES // MIB}"
        print(f"::warning title=The state branch grows large::{sizes}; {MOVE}")


def _commit(folder: Path) -> str:
    """A commit without a parent that holds the file alone."""
    blob = git(folder, "hash-object", "-w", "--", str(folder / FILE))
    tree = git(folder, "mktree", stdin=f"100644 blob {blob}\t{FILE}\n".encode())
    return git(folder, "commit-tree", tree, "-m", COMMIT_MESSAGE)


def _push(folder: Path, commit: str) -> None:
    """Put the branch at this commit, unless somebody else has moved it since SEEN."""
    branch = f"refs/heads/{BRANCH}"
    lease = f"--force-with-lease={branch}:{_seen(folder)}"
    git(folder, "push", "--quiet", lease, "origin", f"{commit}:{branch}", network=True)


def _lost_race(complaint: str) -> bool:
    return any(sign in complaint for sign in _LOST_RACE)


def _add_to_newer(folder: Path) -> None:
    """Add this job's rows to what somebody else has saved meanwhile; the sum becomes this job's file."""
    from actioncast.database import copying

    _fetch(folder)
    with TemporaryDirectory() as temporary:
        newer = Path(temporary) / FILE
        _write(folder, newer)
        with copying.opened(folder / FILE) as ours, copying.opened(newer) as target:
            copying.copy_rows(ours, target)
        _close_off(newer)
        (folder / FILE).write_bytes(newer.read_bytes())
    print("somebody saved in between: this job's rows were added to the newer state")


def move(folder: Path) -> str:
    """Copy the file beside config.toml, or else the branch's, into DATABASE_URL."""
    from actioncast.config import load_settings
    from actioncast.database import copying
    from actioncast.database.connection import database_url
    from actioncast.database.database import open_database
    from actioncast.settings import SettingsError

    settings = load_settings()
    if database_url(settings).get_backend_name() == "sqlite":
        raise SettingsError("DATABASE_URL is not set to the PostgreSQL to move to")
    path = folder / FILE
    if not path.is_file():
        print(restore(folder))
    if not path.is_file():
        raise StateError(f"there is neither {FILE} nor a branch {BRANCH}: nothing to move")
    with copying.opened(path) as source, open_database(settings) as target:
        counts = copying.copy_rows(source, target)
    return "moved " + ", ".join(f"{count} rows of {name}" for name, count in counts.items())


ACTIONS = {"restore": restore, "save": save, "move": move}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=list(ACTIONS))
    action = parser.parse_args(argv).action
    try:
        print(ACTIONS[action](ROOT))
    except ActioncastError as error:
        # A person moves, a workflow restores and saves.
        prefix = "error: " if action == "move" else "::error title=State branch::"
        print(f"{prefix}{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

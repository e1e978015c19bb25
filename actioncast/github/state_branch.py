"""Without DATABASE_URL the SQLite file lives on the branch `state`: one commit without a parent, replaced at each save.

    python -m actioncast.github.state_branch restore    # before a job: the branch's file, when there is one
    python -m actioncast.github.state_branch save       # after a job
    DATABASE_URL=postgresql://… python -m actioncast.github.state_branch move    # everything stored, into PostgreSQL

A save never overwrites newer data: when somebody saved in between, this job's rows are added to the newer file, which
is then saved. Saving needs GITHUB_TOKEN with `contents: write`; a person's own git credentials do as well.
Exit codes: 0 done, or nothing to do; 1 git or the database failed; 2 wrong flags.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from actioncast.errors import ActioncastError
from actioncast.github.git import GitError, git, git_bytes
from actioncast.paths import ROOT

BRANCH, FILE = "state", "actioncast.db"
SEEN = "refs/actioncast/state"  # the commit that this job has started from
TRIES = 5
LARGE_BYTES, LARGEST_BYTES = 50 * 2**20, 95 * 2**20  # GitHub warns at 50 MiB and refuses 100 MiB
MOVE = "move to PostgreSQL: DATABASE_URL=postgresql://… python -m actioncast.github.state_branch move"


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
    if not (folder / FILE).is_file():
        return f"there is no {FILE}: nothing to save"
    for attempt in range(TRIES):
        _close_off(folder / FILE)
        commit = _commit(folder)
        try:
            lease = f"--force-with-lease=refs/heads/{BRANCH}:{_seen(folder)}"
            git(folder, "push", "--quiet", lease, "origin", f"{commit}:refs/heads/{BRANCH}", network=True)
        except GitError as error:
            if not _lost_race(str(error)) or attempt == TRIES - 1:
                raise
            time.sleep(attempt)
            _add_to_newer(folder)
            continue
        git(folder, "update-ref", SEEN, commit)
        return f"saved {FILE} ({(folder / FILE).stat().st_size / 2**20:.1f} MiB) as {BRANCH} {commit[:7]}"
    raise AssertionError("the last try returns or raises")


def _fetch(folder: Path) -> bool:
    """Bring SEEN up to where the branch is; False when there is no branch."""
    if not git(folder, "ls-remote", "origin", f"refs/heads/{BRANCH}", network=True):
        return False
    git(folder, "fetch", "--quiet", "--depth=1", "origin", f"+refs/heads/{BRANCH}:{SEEN}", network=True)
    return True


def _seen(folder: Path) -> str:
    """The commit this job has started from, "" when there was none."""
    try:
        return git(folder, "rev-parse", "--verify", "--quiet", SEEN)
    except GitError:
        return ""


def _write(folder: Path, path: Path) -> None:
    for old in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        old.unlink(missing_ok=True)
    path.write_bytes(git_bytes(folder, "cat-file", "blob", f"{SEEN}:{FILE}"))


def _close_off(path: Path) -> None:
    """All of the database in its one file, nothing in a log beside it."""
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            verdict = connection.execute("pragma quick_check").fetchone()[0]
            mode = connection.execute("pragma journal_mode = delete").fetchone()[0]
    except sqlite3.Error as error:
        raise StateError(f"{path.name} is not saved: {error}") from None
    if (verdict, mode) != ("ok", "delete"):
        raise StateError(f"{path.name} is not saved: expected it sound and unused, got {verdict}, journal {mode}")
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise StateError(f"{path.name} has {size / 2**20:.0f} MiB, more than GitHub takes; {MOVE}")
    if size > LARGE_BYTES:
        print(f"::warning title=The state branch grows large::{size / 2**20:.0f} MiB of {LARGEST_BYTES >> 20}; {MOVE}")


def _commit(folder: Path) -> str:
    blob = git(folder, "hash-object", "-w", "--", str(folder / FILE))
    tree = git(folder, "mktree", stdin=f"100644 blob {blob}\t{FILE}\n".encode())
    return git(folder, "commit-tree", tree, "-m", "State of the scheduled jobs (replaced at each save)")


def _lost_race(message: str) -> bool:
    return any(sign in message for sign in ("stale info", "[rejected]", "cannot lock ref", "fetch first"))


def _add_to_newer(folder: Path) -> None:
    """This job's rows, added to what somebody else has saved meanwhile, become this job's file."""
    from actioncast.database import copying

    _fetch(folder)
    with TemporaryDirectory() as place:
        newer = Path(place) / FILE
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
    if not (folder / FILE).is_file():
        print(restore(folder))
    if not (folder / FILE).is_file():
        raise StateError(f"there is neither {FILE} nor a branch {BRANCH}: nothing to move")
    with copying.opened(folder / FILE) as source, open_database(settings) as target:
        counts = copying.copy_rows(source, target)
    return "moved " + ", ".join(f"{count} rows of {name}" for name, count in counts.items())


ACTIONS = {"restore": restore, "save": save, "move": move}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=list(ACTIONS))
    action = parser.parse_args(argv).action
    try:
        print(ACTIONS[action](ROOT))
    except ActioncastError as error:
        print(f"::error title=State branch::{error}" if action != "move" else f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The state branch: without DATABASE_URL all rows live as text files on the branch `state`.

A job works on a SQLite file, which is built from them. The branch is one commit without a parent,
replaced at each save.

    python -m actioncast.github.state_branch restore    # before a job: the branch's rows, when there are any
    python -m actioncast.github.state_branch save       # after a job
    DATABASE_URL=postgresql://… python -m actioncast.github.state_branch move    # everything stored, into PostgreSQL

A save never overwrites newer data: when somebody saved in between, this job's rows are added to the
newer ones, and the sum is saved. Saving needs GITHUB_TOKEN with `contents: write`; a person's own
git credentials do as well. The table [state] of config.toml says which old forecasts are dropped.
Exit codes: 0 done, or nothing to do; 1 git or the database failed; 2 wrong flags.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from actioncast.errors import ActioncastError
from actioncast.github import state_commits
from actioncast.github.git import GitError
from actioncast.github.state_commits import BRANCH
from actioncast.paths import ROOT

FILE = "actioncast.db"  # beside config.toml; the branch itself held it up to release 0.1
TRIES = 5  # of a save, when other jobs save at the same time
MIB = 2**20
LARGE_BYTES = 100 * MIB  # of text: building the database takes some ten seconds
LARGEST_FILE_BYTES = 95 * MIB  # GitHub refuses 100 MiB
MOVE = "move to PostgreSQL: DATABASE_URL=postgresql://… python -m actioncast.github.state_branch move"
UNPROTECT = f"exclude {BRANCH} from this rule (Settings, Rules or Branches), or set DATABASE_URL and need no branch"


class StateError(ActioncastError):
    """The state cannot be kept on a branch."""


def restore(folder: Path) -> str:
    """Build the database beside config.toml from the branch. Returns what was done."""
    if not state_commits.fetch(folder):
        return f"there is no branch {BRANCH} yet: starting empty"
    with TemporaryDirectory() as temporary:
        built = _build(folder, Path(temporary))
        _put(built, folder / FILE)
    return f"restored {FILE} from {BRANCH} {state_commits.seen(folder)[:7]}"


def save(folder: Path, *, now: datetime, vintage_days: float) -> str:
    """Replace the branch by one commit with this database's rows, added to newer ones if there are any.

    Superseded forecasts of months that ended more than `vintage_days` ago are dropped; 0 keeps all.
    """
    path = folder / FILE
    if not path.is_file():
        return f"there is no {FILE}: nothing to save"
    for attempt in range(TRIES):
        _make_ready(path, now, vintage_days)
        files = _files(path, now, vintage_days)
        held = state_commits.blobs(folder)
        changed = _changed(files, held)
        removed = _removed(path, files, held)
        if not changed and not removed:
            return f"nothing has changed: {BRANCH} stays as it is"
        commit = state_commits.commit(folder, changed, removed)
        try:
            state_commits.push(folder, commit)
        except state_commits.ForbiddenError as error:
            raise StateError(f"the branch {BRANCH} is protected ({error}); {UNPROTECT}") from None
        except GitError as error:
            if attempt == TRIES - 1 or not state_commits.lost_race(str(error)):
                raise
            time.sleep(attempt)
            _add_to_newer(folder, changed)
            continue
        size = sum(map(len, changed.values())) / 1024
        return f"saved {len(changed)} of {len(files)} files ({size:.1f} KiB) as {BRANCH} {commit[:7]}"
    raise AssertionError("the last try returns or raises")


def _build(folder: Path, temporary: Path) -> Path:
    """A database of all rows of the commit SEEN, in this temporary folder."""
    from actioncast.database.state import state_file

    path = temporary / FILE
    blobs = state_commits.blobs(folder)
    old_form = blobs.pop(FILE, "")
    if old_form:
        _, content = next(state_commits.read(folder, {FILE: old_form}))
        path.write_bytes(content)
    state_file.build(path, dict(state_commits.read(folder, blobs)))
    return path


def _put(built: Path, path: Path) -> None:
    """Put a database in place of an older one and its logs."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(built.read_bytes())


def _make_ready(path: Path, now: datetime, vintage_days: float) -> None:
    """Bring the database into its one file, and drop what the rule of config.toml drops."""
    from actioncast.database.state import thinning
    from actioncast.database.state.sqlite_file import SqliteFileError, close_off

    try:
        close_off(path)
    except SqliteFileError as error:
        raise StateError(f"{path.name} is not saved: {error}") from None
    dropped = thinning.thin(path, now, vintage_days)
    if dropped:
        reason = f"superseded before their hour began, in months that ended over {vintage_days:g} days ago"
        print(f"dropped {dropped:,} forecasts: {reason} ([state] vintage_days)")


def _files(path: Path, now: datetime, vintage_days: float) -> dict[str, bytes]:
    """The files of the database, and a look at their size."""
    from actioncast.database.state import partitions

    files = partitions.files_of(path, now, vintage_days)
    size = sum(map(len, files.values()))
    for name, text in files.items():
        if len(text) > LARGEST_FILE_BYTES:
            sizes = f"{name} has {len(text) / MIB:.0f} MiB, more than GitHub takes"
            raise StateError(f"{sizes}; {MOVE}")
    if size > LARGE_BYTES:
        sizes = f"{size / MIB:.0f} MiB of text, every job reads it all"
        print(f"::warning title=The state branch grows large::{sizes}; {MOVE}")
    return files


def _changed(files: Mapping[str, bytes], held: Mapping[str, str]) -> dict[str, bytes]:
    """The files that the branch does not hold, or not with this text."""
    return {name: text for name, text in files.items() if held.get(name) != state_commits.blob_id(text)}


def _removed(path: Path, files: Mapping[str, bytes], held: Mapping[str, str]) -> list[str]:
    """Files of the branch whose rows now lie in others, or are no more. What is none of ours stays."""
    from actioncast.database.state import partitions

    ours = partitions.tables_in(path)
    gone = set(held) - set(files)
    return sorted(name for name in gone if name == FILE or partitions.table_of(name) in ours)


def _add_to_newer(folder: Path, changed: Mapping[str, bytes]) -> None:
    """Add this job's changed files to what somebody else has saved; the sum becomes this job's database."""
    from actioncast.database.state import partitions

    state_commits.fetch(folder)
    with TemporaryDirectory() as temporary:
        newer = _build(folder, Path(temporary))
        partitions.add_files(newer, changed)
        _put(newer, folder / FILE)
    print("somebody saved in between: this job's rows were added to the newer state")


def move(folder: Path) -> str:
    """Copy the file beside config.toml, or else the branch's rows, into DATABASE_URL."""
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


def configured_vintage_days(folder: Path) -> float:
    """The rule of config.toml; a config.toml that cannot be read drops nothing."""
    from actioncast.config import load_settings
    from actioncast.settings import SettingsError

    try:
        return load_settings(folder / "config.toml").state.vintage_days
    except SettingsError as error:
        print(f"config.toml cannot be read, so all forecasts are kept: {error}")
        return 0


def _act(action: str) -> str:
    if action == "restore":
        return restore(ROOT)
    if action == "save":
        return save(ROOT, now=datetime.now(UTC), vintage_days=configured_vintage_days(ROOT))
    return move(ROOT)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["restore", "save", "move"])
    action = parser.parse_args(argv).action
    try:
        print(_act(action))
    except ActioncastError as error:
        # A person moves, a workflow restores and saves.
        prefix = "error: " if action == "move" else "::error title=State branch::"
        print(f"{prefix}{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

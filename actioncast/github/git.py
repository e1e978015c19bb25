"""git, as the workflows need it: with a token for one command only, and errors that say what git said."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from actioncast.errors import ActioncastError

BOT_NAME = "github-actions[bot]"
BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"
COMMITTING = ("cherry-pick", "commit", "commit-tree", "rebase")
TIMEOUT_SECONDS = 120


class GitError(ActioncastError):
    """git refused; the message is its own."""


def git(folder: Path, *arguments: str, stdin: bytes | None = None, network: bool = False) -> str:
    """What git printed. With `network` GITHUB_TOKEN, when it is set, signs the request."""
    printed = git_bytes(folder, *arguments, stdin=stdin, network=network)
    return printed.decode(errors="replace").strip()


def git_bytes(
    folder: Path,
    *arguments: str,
    stdin: bytes | None = None,
    network: bool = False,
) -> bytes:
    """Like `git`, but returns bytes."""
    command = _command(arguments)
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 (the git on PATH)
            cwd=folder,
            input=stdin,
            capture_output=True,
            check=False,
            env=_environment(folder, command, network),
            timeout=TIMEOUT_SECONDS,
        )
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {command}: no end after {TIMEOUT_SECONDS} s") from None
    if done.returncode:
        complaint = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise GitError(f"git {command}: {complaint}")
    return done.stdout


def _command(arguments: Sequence[str]) -> str:
    """The subcommand, after settings such as `-c merge.renames=true`."""
    position = 0
    while arguments[position] == "-c":
        position += 2
    return arguments[position]


def _environment(folder: Path, command: str, network: bool) -> dict[str, str]:
    environment = dict(os.environ)
    environment["GIT_TERMINAL_PROMPT"] = "0"
    if network:
        environment |= _credentials(os.environ)
    if command in COMMITTING and not _has_identity(folder):
        for role in ("AUTHOR", "COMMITTER"):
            environment[f"GIT_{role}_NAME"] = BOT_NAME
            environment[f"GIT_{role}_EMAIL"] = BOT_EMAIL
    return environment


def _has_identity(folder: Path) -> bool:
    """Whether a person has told git who they are; runners have not."""
    try:
        return bool(git(folder, "config", "user.email"))
    except GitError:
        return False


def _credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """The token as a header of this one command: neither on its command line nor in any file."""
    token = variables.get("GITHUB_TOKEN")
    server = variables.get("GITHUB_SERVER_URL")
    if not token or not server:
        return {}  # a person's own credentials
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server.rstrip('/')}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }

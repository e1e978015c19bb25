"""git, as the workflows need it: with a token for one command only, and errors that say what git said."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from actioncast.errors import ActioncastError

BOT = {"NAME": "github-actions[bot]", "EMAIL": "41898282+github-actions[bot]@users.noreply.github.com"}
COMMITTING = ("commit", "commit-tree", "rebase")
TIMEOUT_SECONDS = 120


class GitError(ActioncastError):
    """git refused; the message is its own."""


def git(folder: Path, *arguments: str, stdin: bytes | None = None, network: bool = False) -> str:
    """What git printed. With `network` GITHUB_TOKEN, when it is set, signs the request."""
    return git_bytes(folder, *arguments, stdin=stdin, network=network).decode(errors="replace").strip()


def git_bytes(folder: Path, *arguments: str, stdin: bytes | None = None, network: bool = False) -> bytes:
    """As `git`, for content that is no text."""
    environment = dict(os.environ) | {"GIT_TERMINAL_PROMPT": "0"} | (_credentials(os.environ) if network else {})
    if arguments[0] in COMMITTING and not _has_identity(folder):
        environment |= {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in BOT.items()}
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 (the git on PATH)
            cwd=folder,
            input=stdin,
            capture_output=True,
            check=False,
            env=environment,
            timeout=TIMEOUT_SECONDS,
        )
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]}: no end after {TIMEOUT_SECONDS} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise GitError(f"git {arguments[0]}: {said}")
    return done.stdout


def _has_identity(folder: Path) -> bool:
    """Whether a person has told git who they are; runners have not."""
    try:
        return bool(git(folder, "config", "user.email"))
    except GitError:
        return False


def _credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """The token as a header of this one command: neither on its command line nor in any file."""
    token, server = variables.get("GITHUB_TOKEN"), variables.get("GITHUB_SERVER_URL")
    if not (token and server):
        return {}  # a person's own credentials
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server.rstrip('/')}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }

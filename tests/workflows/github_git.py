"""The stand-in's git side: one bare repository, its history for asserts, and smart HTTP through `git http-backend`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BOT = "github-actions[bot]"
ZERO = "0" * 40

# Branch protection, and GitHub's rule that GITHUB_TOKEN may not bring in new versions of workflow files.
PRE_RECEIVE = """#!/bin/sh
status=0
while read -r old new ref; do
  if grep -qxF "${ref#refs/heads/}" protected-branches 2>/dev/null; then
    echo "error: GH006: Protected branch update failed for $ref." >&2
    echo "error: Changes must be made through a pull request." >&2
    status=1
  fi
  case "$new" in *[!0]*) ;; *) continue ;; esac
  if [ "$REMOTE_USER" = "github-actions[bot]" ] &&
     [ -n "$(git log --format=%H "$new" --not --all -- .github/workflows)" ]; then
    echo "error: refusing to allow a GitHub App to create or update a workflow without \\`workflows\\` permission" >&2
    status=1
  fi
done
exit $status
"""


@dataclass(frozen=True)
class Commit:
    sha: str
    author: str
    email: str
    subject: str
    body: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class BackendAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


class Repository:
    """A bare repository on disk, with what a test wants to do to it and ask of it."""

    def __init__(self, folder: Path, default_branch: str = "main") -> None:
        self.folder = folder
        self.default_branch = default_branch
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", f"--initial-branch={default_branch}")
        for key in ("http.receivepack", "uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"):
            self.git("config", key, "true")
        hook = folder / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(PRE_RECEIVE)
        hook.chmod(0o755)

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git in the repository, deaf to the machine's own configuration."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, input=stdin, capture_output=True, env=_clean_environment(), timeout=60
        )
        if done.returncode:
            raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    # -- writing, as a person with every right would -------------------------------------------------------------------

    def commit(
        self,
        files: Mapping[str, str | bytes | Path | None],
        message: str = "Change",
        *,
        branch: str | None = None,
        author: str = "Maintainer <maintainer@example.invalid>",
    ) -> str:
        """Commit on top of `branch`: path -> content, a file to copy, or None to delete. Returns the SHA."""
        ref = f"refs/heads/{branch or self.default_branch}"
        parent = self.sha(ref)
        when = self.git("var", "GIT_COMMITTER_IDENT").decode().strip().rsplit("> ", 1)[1]
        text = message.encode()
        stream = [
            f"commit {ref}\nauthor {author} {when}\ncommitter {author} {when}\ndata {len(text)}\n".encode() + text
        ]
        stream += [f"\nfrom {parent}".encode()] if parent else []
        stream += [_file_change(path, content) for path, content in files.items()]
        self.git("fast-import", "--quiet", stdin=b"".join(stream) + b"\n")
        return str(self.sha(ref))

    def seed(self, folder: Path, message: str = "Initial commit") -> str:
        """Commit a project as its working tree is now: what git tracks there or would, ignored files left out."""
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=folder,
            capture_output=True,
            check=True,
            timeout=60,
        )
        paths = [path for path in listed.stdout.decode().split("\0") if path and (folder / path).is_file()]
        return self.commit({path: folder / path for path in paths}, message)

    def protect(self, branch: str) -> None:
        """Refuse direct pushes to `branch`, as a protected branch does."""
        with (self.folder / "protected-branches").open("a") as listed:
            listed.write(f"{branch}\n")

    # -- reading -------------------------------------------------------------------------------------------------------

    def refs(self) -> dict[str, str]:
        """Every ref and the commit it points to."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").decode().splitlines()
        return {line.split()[0]: line.split()[1] for line in lines}

    def sha(self, ref: str | None = None) -> str | None:
        """The commit of a ref, a branch name or a SHA; None when there is none."""
        try:
            return (
                self.git("rev-parse", "--verify", "--quiet", f"{ref or self.default_branch}^{{commit}}")
                .decode()
                .strip()
            )
        except RuntimeError:
            return None

    def read(self, path: str, ref: str | None = None) -> bytes:
        """A file's content at `ref`; FileNotFoundError when it is not there."""
        try:
            return self.git("cat-file", "blob", f"{ref or self.default_branch}:{path}")
        except RuntimeError as error:
            raise FileNotFoundError(f"{path} at {ref or self.default_branch}") from error

    def files(self, ref: str | None = None, folder: str = "") -> list[str]:
        """Paths of all files at `ref`, below `folder`."""
        listed = self.git("ls-tree", "-r", "-z", "--name-only", ref or self.default_branch, "--", folder or ".")
        return [path for path in listed.decode().split("\0") if path]

    def log(self, ref: str | None = None) -> list[Commit]:
        """The history of `ref`, newest first."""
        form = "%H%x00%an%x00%ae%x00%s%x00%b%x00%P%x01"
        entries = self.git("log", f"--format={form}", ref or self.default_branch).decode().split("\x01")
        rows = [entry.strip("\n").split("\0") for entry in entries if entry.strip()]
        return [Commit(sha, who, mail, subject, body, tuple(up.split())) for sha, who, mail, subject, body, up in rows]

    def changed_files(self, before: str | None, after: str) -> list[str]:
        """Paths that differ between two commits; all paths when `before` is missing or all zeros."""
        if not before or before == ZERO:
            return self.files(after)
        return self.git("diff", "--name-only", "-z", before, after).decode().strip("\0").split("\0")

    def commits_between(self, base: str, head: str) -> int:
        return int(self.git("rev-list", "--count", f"{base}..{head}"))

    def merge(self, base: str, head: str, ref: str) -> str:
        """Point `ref` at the merge of two commits, as refs/pull/N/merge is; RuntimeError when they conflict."""
        tree = self.git("merge-tree", "--write-tree", base, head).decode().strip()
        who = ("-c", "user.name=GitHub", "-c", "user.email=noreply@example.invalid")
        merged = self.git(*who, "commit-tree", tree, "-p", base, "-p", head, "-m", f"Merge {head} into {base}")
        self.git("update-ref", ref, merged.decode().strip())
        return merged.decode().strip()

    def everything(self) -> bytes:
        """Every object ever pushed, reachable or not, and every ref name: where a leaked secret would stay."""
        return self.git("cat-file", "--batch-all-objects", "--batch", "--unordered") + "\n".join(self.refs()).encode()

    def serve(
        self, *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, user: str
    ) -> BackendAnswer:
        """Answer one smart HTTP request; `path` is what follows the repository's address, e.g. `info/refs`."""
        environment = _clean_environment() | {
            "GIT_PROJECT_ROOT": str(self.folder.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{self.folder.name}/{path}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": method,
            "REMOTE_USER": user,
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, timeout=120)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        status = int(fields.pop("Status", "200").split()[0])
        return BackendAnswer(status, fields, content)


def _clean_environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_COMMITTER_NAME": "Maintainer",
        "GIT_COMMITTER_EMAIL": "maintainer@example.invalid",
    }


def _file_change(path: str, content: str | bytes | Path | None) -> bytes:
    """One line (and data) of git's fast-import stream."""
    if content is None:
        return f"\nD {path}".encode()
    executable = isinstance(content, Path) and os.access(content, os.X_OK)
    data = (
        content.read_bytes() if isinstance(content, Path) else content.encode() if isinstance(content, str) else content
    )
    return f"\nM {'100755' if executable else '100644'} inline {path}\ndata {len(data)}\n".encode() + data

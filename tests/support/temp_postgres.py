"""A throwaway PostgreSQL server on loopback: it starts in about half a second and leaves no trace.

Works as root (the server then runs as `postgres` or `nobody`) and as anybody else. The binaries are looked for in
$PGTEST_BINDIR, /usr/lib/postgresql/*/bin, Homebrew's folders and PATH.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from tests.support.ports import free_port

HOW_TO_GET_IT = (
    "no PostgreSQL server binaries found: `apt-get install postgresql` (Debian, Ubuntu), `brew install postgresql` "
    "(macOS), or set PGTEST_BINDIR to the folder that holds initdb and postgres"
)
INSTALLED = ("usr/lib/postgresql/*/bin", "opt/homebrew/opt/postgresql@*/bin", "usr/local/opt/postgresql@*/bin")


class PostgresMissingError(Exception):
    """There are no server binaries on this machine."""


def binaries() -> Path:
    """The folder that holds initdb and postgres, the newest version first."""
    installed = [p for pattern in INSTALLED for p in Path("/").glob(pattern)]
    installed.sort(key=lambda p: float(p.parent.name.removeprefix("postgresql@") or 0), reverse=True)
    on_path = [Path(p) for p in os.environ.get("PATH", "").split(os.pathsep)]
    own = [Path(os.environ["PGTEST_BINDIR"])] if "PGTEST_BINDIR" in os.environ else []
    for folder in [*own, *installed, *on_path]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissingError(HOW_TO_GET_IT)


class TempPostgres:
    """`with TempPostgres() as server: server.new_database()` gives URLs of empty databases."""

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable  # with fsync, as in production: for benchmarks
        self.port = free_port()
        self._count = 0

    def __enter__(self) -> TempPostgres:
        self._bin = binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="actioncast-pg-"))
        self._user = _server_user()
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run(
            "initdb", "-D", str(self.folder / "data"), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"
        )
        # Every user but postgres needs a password, as on a real server.
        rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self.folder / "data" / "pg_hba.conf").write_text(rules, encoding="utf-8")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(signal.SIGQUIT)  # nobody will read these files again
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = ["-D", str(self.folder / "data"), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", f"unix_socket_directories={self.folder}"]
        options += [] if self.durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self._log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [self._bin / "postgres", *options], user=self._user, stdout=self._log, stderr=self._log, cwd="/"
        )
        deadline = time.monotonic() + 30
        while subprocess.run([self._bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, by_signal: signal.Signals = signal.SIGINT) -> None:
        """Fast shutdown: open transactions are rolled back."""
        self._process.send_signal(by_signal)
        self._process.wait(60)
        self._log.close()

    def new_database(self, *, password: str | None = None) -> str:
        """Create an empty database; returns its postgresql:// URL. With a password the server asks for it."""
        self._count += 1
        name = f"test_{self._count}"
        self._client("createdb", name)
        if password is None:
            return f"postgresql://postgres:unused@127.0.0.1:{self.port}/{name}"
        quoted = password.replace("'", "''")
        self._client("psql", "-qc", f"create role {name} login superuser password '{quoted}'", "postgres")
        return f"postgresql://{name}:{quote(password, safe='')}@127.0.0.1:{self.port}/{name}"

    def _client(self, program: str, *arguments: str) -> None:
        self._run(program, "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        run = subprocess.run(
            [self._bin / program, *arguments], user=self._user, capture_output=True, text=True, cwd="/", check=False
        )
        if run.returncode:
            raise RuntimeError(f"{program} failed: {run.stderr or run.stdout}")


def _server_user() -> str | None:
    """The account to run the server as, which refuses to run as root; None when we are not root."""
    if os.geteuid():
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in accounts else "nobody"

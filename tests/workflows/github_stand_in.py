"""A small GitHub on a free local port: git over HTTP and the REST calls our workflows make, failures included.

Every token carries a permission set, and a call that it does not cover gets GitHub's refusal. Every request is
recorded, faults can be planted, and a call that the stand-in does not know is answered 501, so that no test passes by
accident.
The routes are in github_rest.py, the repository in github_git.py.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from . import github_rest
from .concurrency import Groups
from .github_git import BOT, Repository
from .github_rest import Call, RefusedError, Response
from .workflow_file import LEVELS, Json, Permissions

API_PREFIX = "/api/v3"  # apart from the git addresses, so that a mix-up of GITHUB_API_URL and GITHUB_SERVER_URL shows
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}  # git shows such a body as "remote: …"
PushStage = Literal["advertise", "receive"]


@dataclass
class Token:
    """A credential. `permissions` is asked at each use, because GITHUB_TOKEN's scope changes from job to job."""

    value: str
    permissions: Callable[[], Permissions]
    user: str = BOT
    run_id: int | None = None
    revoked: bool = False

    def allows(self, scope: str, level: str) -> bool:
        granted = "read" if scope == "metadata" else self.permissions().get(scope, "none")
        return LEVELS[granted] >= LEVELS[level]


@dataclass
class Recorded:
    """One request as it came in, and the status it got."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    run_id: int | None = None
    status: int = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Dispatch:
    """An event that starts workflows; `workflow` is set for workflow_dispatch only."""

    event: Literal["repository_dispatch", "workflow_dispatch"]
    payload: Json
    run_id: int | None
    workflow: str | None = None
    ref: str = "main"


@dataclass(frozen=True)
class Push:
    """A ref that a client moved."""

    ref: str
    before: str | None
    after: str | None
    user: str
    run_id: int | None


@dataclass
class Fault:
    """What the next `remaining` requests that match "METHOD /path" will meet."""

    pattern: re.Pattern[str]
    remaining: int
    status: int | None = None
    body: bytes = b""
    seconds: float = 0.0


@dataclass
class _Race:
    stage: PushStage
    callback: Callable[[], object]


@dataclass(eq=False, repr=False)
class GitHub:
    """The server and everything it knows. Use as a context manager; `folder` must be new and outside the project."""

    folder: Path
    full_name: str = "acme/forecasts"
    default_branch: str = "main"
    private: bool = True
    is_template: bool = False  # true in the template repository only, false in a copy
    template: str = ""  # full name of the public repository that this one was generated from
    template_tags: list[str] = field(default_factory=list)
    actions_may_open_pulls: bool = True  # the repository setting; GitHub's own default is False
    # What becomes of an issue whose label does not exist: GitHub has done all of these. "ignore" drops those that exist
    # too, as GitHub has done in 2026.
    unknown_label: Literal["create", "drop", "refuse", "ignore"] = "drop"
    issues_are_on: bool = True  # the repository setting; off in forks
    assignable: set[str] = field(default_factory=set)  # people; the rest is refused, as an organisation is
    refuses_assignees: bool = True  # False: drops in silence whom it cannot assign, as GitHub does too
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    requests: list[Recorded] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    labels: set[str] = field(default_factory=lambda: {"bug"})
    issues: dict[int, Json] = field(default_factory=dict)  # pull requests too, as on GitHub
    comments: dict[int, Json] = field(default_factory=dict)  # by comment id; "issue_number" says where
    runs: list[Json] = field(default_factory=list)
    workflow_states: dict[str, str] = field(default_factory=dict)  # file -> "disabled_inactivity"; "active" when absent
    pages_on: bool = True  # Settings, Pages; GitHub's own default is False
    pages: dict[str, bytes] = field(default_factory=dict)  # the published site: path -> content
    tokens: dict[str, Token] = field(default_factory=dict)
    groups: Groups = field(default_factory=Groups)

    def __post_init__(self) -> None:
        self.repository = Repository(self.folder / f"{self.full_name}.git", self.default_branch)
        self._faults: list[Fault] = []
        self._races: list[_Race] = []
        self._lock = threading.RLock()
        self._push_lock = threading.Lock()
        self._last_id = 1000
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.github = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> GitHub:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- addresses and credentials -------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """GITHUB_SERVER_URL"""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def api_url(self) -> str:
        """GITHUB_API_URL"""
        return self.url + API_PREFIX

    def next_id(self) -> int:
        with self._lock:
            self._last_id += 1
            return self._last_id

    def issue_token(
        self, permissions: Permissions | Callable[[], Permissions], *, run_id: int | None = None, user: str = BOT
    ) -> Token:
        """A new token that may do exactly this much, in the form of 2026: ghs_APPID_JWT."""
        granted = permissions if callable(permissions) else lambda: permissions
        jwt = ".".join(secrets.token_urlsafe(size) for size in (27, 96, 256))
        token = Token(f"ghs_15368_{jwt}", granted, user, run_id)
        self.tokens[token.value] = token
        return token

    def open_pull(self, head: str, *, base: str | None = None, title: str = "Change", user: str = "contributor") -> int:
        """Open a pull request as a person does; returns its number."""
        issue = github_rest.new_pull(self, user, {"title": title}, head, base or self.default_branch)
        return int(issue["number"])

    # -- planting faults -----------------------------------------------------------------------------------------------

    def fail_next(
        self, pattern: str, *, status: int = 502, count: int = 1, body: bytes = b"<html>Bad Gateway</html>"
    ) -> None:
        """Answer the next `count` requests whose "METHOD /path" matches (re.search) with `status`."""
        self._faults.append(Fault(re.compile(pattern), count, status, body))

    def delay_next(self, pattern: str, *, seconds: float, count: int = 1) -> None:
        """Let the next `count` matching requests wait before they are answered."""
        self._faults.append(Fault(re.compile(pattern), count, seconds=seconds))

    def before_push(self, callback: Callable[[], object], *, stage: PushStage = "advertise") -> None:
        """Call back once, before the next push: as it asks for the refs, or as its pack arrives.

        Another push in the callback then loses the race for the client: "fetch first", or "cannot lock ref".
        """
        self._races.append(_Race(stage, callback))

    # -- what the routes and the runner use ----------------------------------------------------------------------------

    def take_dispatches(self, run_id: int | None) -> list[Dispatch]:
        """The events a run caused that have not been delivered yet, oldest first; each is handed out once."""
        with self._lock:
            mine = [dispatch for dispatch in self.dispatches if dispatch.run_id == run_id]
            self.dispatches = [dispatch for dispatch in self.dispatches if dispatch.run_id != run_id]
            return mine

    def requests_of(self, run_id: int) -> list[Recorded]:
        return [request for request in self.requests if request.run_id == run_id]

    def add_run(
        self, file: str, conclusion: str | None = "success", created_at: datetime | None = None, **other: Any
    ) -> Json:
        """Record a workflow run as the API lists it; tests plant a history with it. None is a run in progress."""
        when = (created_at or self.now()).strftime("%Y-%m-%dT%H:%M:%SZ")
        run_id = self.next_id()
        run: Json = {
            "id": run_id,
            "name": file,
            "path": f".github/workflows/{file}",
            "workflow_id": github_rest.workflow_id(self, file),
            "run_number": 1 + sum(entry["path"].endswith(f"/{file}") for entry in self.runs),
            "run_attempt": 1,
            "event": "schedule",
            "status": "completed" if conclusion else "in_progress",
            "conclusion": conclusion,
            "head_branch": self.default_branch,
            "head_sha": self.repository.sha(),
            "created_at": when,
            "run_started_at": when,
            "updated_at": when,
            "html_url": f"{self.url}/{self.full_name}/actions/runs/{run_id}",
        }
        with self._lock:
            self.runs.append(run | other)
            return self.runs[-1]

    # -- answering -----------------------------------------------------------------------------------------------------

    def answer(self, request: Recorded) -> Response:
        """Record, meet planted faults, authenticate, answer."""
        with self._lock:
            self.requests.append(request)
        fault = self._fault_for(request)
        if fault:
            time.sleep(fault.seconds)
            if fault.status is not None:
                return Response(fault.status, fault.body, {"Content-Type": "text/html"})
        try:
            token = self._token_of(request)
            request.run_id = token.run_id if token else None
            if request.path.startswith(f"{API_PREFIX}/"):
                with self._lock:
                    return github_rest.answer(self, Call.of(request, token, API_PREFIX))
            return self._git(request, token)
        except RefusedError as refused:
            return refused.response

    def _fault_for(self, request: Recorded) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.remaining and fault.pattern.search(f"{request.method} {request.path}"):
                    fault.remaining -= 1
                    return fault
        return None

    def _token_of(self, request: Recorded) -> Token | None:
        kind, _, credential = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            return None
        if kind.lower() == "basic":
            credential = base64.b64decode(credential).decode(errors="replace").partition(":")[2]
        token = self.tokens.get(credential)
        if token is None or token.revoked:
            raise RefusedError(401, "Bad credentials")
        return token

    def _git(self, request: Recorded, token: Token | None) -> Response:
        found = re.fullmatch(
            rf"/{re.escape(self.full_name)}(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)", request.path
        )
        if not found:
            raise RefusedError(501, f"the stand-in has no such address: {request.method} {request.path}")
        pushing = "git-receive-pack" in (found[1], request.query.removeprefix("service="))
        if token is None and (self.private or pushing):
            return Response(401, b"Repository not found.", PLAIN | {"WWW-Authenticate": 'Basic realm="GitHub"'})
        if token and self.private and not token.allows("contents", "read"):
            return Response(404, b"Repository not found.", PLAIN)
        if pushing and token:
            return self._push(request, found[1], token)
        return self._backend(request, found[1], BOT)

    def _push(self, request: Recorded, address: str, token: Token) -> Response:
        if not token.allows("contents", "write"):
            return Response(403, f"Permission to {self.full_name}.git denied to {token.user}.".encode(), PLAIN)
        self._race("advertise" if address == "info/refs" else "receive")
        if address == "info/refs":
            return self._backend(request, address, token.user)
        with self._push_lock:
            before = self.repository.refs()
            response = self._backend(request, address, token.user)
            after = self.repository.refs()
        for ref in sorted(before.keys() | after.keys()):
            if before.get(ref) != after.get(ref):
                self.pushes.append(Push(ref, before.get(ref), after.get(ref), token.user, token.run_id))
        return response

    def _race(self, stage: PushStage) -> None:
        with self._lock:
            due = next((race for race in self._races if race.stage == stage), None)
            if due:
                self._races.remove(due)
        if due:
            due.callback()

    def _backend(self, request: Recorded, address: str, user: str) -> Response:
        answer = self.repository.serve(
            method=request.method,
            path=address,
            query=request.query,
            headers=request.headers,
            body=request.body,
            user=user,
        )
        return Response(answer.status, answer.body, answer.headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    github: GitHub


class _Handler(BaseHTTPRequestHandler):
    """HTTP in, `GitHub.answer` out."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        address = urlsplit(self.path)
        headers = {name.title(): value for name, value in self.headers.items()}
        request = Recorded(self.command, unquote(address.path), address.query, headers, self._body())
        response = self.server.github.answer(request)
        request.status = response.status
        self.send_response(response.status)
        for name, value in (response.headers | {"Content-Length": str(len(response.body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal: `GitHub.requests` is the log."""

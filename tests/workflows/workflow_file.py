"""What a workflow file says, read as GitHub reads it.

act ignores much of a workflow without a word: permissions, concurrency, filters, services, unknown runners, timeouts of
jobs. This module reads those parts, so that the runner can enforce or emulate them, and `refusals` names what cannot be
run honestly. Pure: text in, decisions out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = dict[str, Any]
Permissions = dict[str, str]

SCOPES = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models",
    "packages", "pages", "pull-requests", "security-events", "statuses",
)  # fmt: skip
DEFAULT_PERMISSIONS: Permissions = {"contents": "read", "packages": "read"}  # GitHub's setting for new repositories
SLIM = "ubuntu-slim"  # a container with one core
SLIM_MINUTES = 15  # the longest job there
RUNNERS = ("ubuntu-24.04", "ubuntu-26.04", SLIM, "ubuntu-24.04-arm", "ubuntu-26.04-arm")
EVENTS = ("push", "pull_request", "schedule", "workflow_dispatch", "repository_dispatch", "workflow_call")
DEFAULT_PULL_REQUEST_TYPES = ("opened", "synchronize", "reopened")
LEVELS = {"none": 0, "read": 1, "write": 2}


@dataclass(frozen=True)
class Workflow:
    """One file below .github/workflows, with the local workflows that its jobs call."""

    file: str
    data: dict[Any, Any]
    called: dict[str, Workflow] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.data.get("name", f".github/workflows/{self.file}"))

    @property
    def triggers(self) -> dict[str, Any]:
        """Event -> its settings; YAML 1.1 reads the bare key `on` as true."""
        on = next((value for key, value in self.data.items() if key in ("on", True)), None)
        if isinstance(on, str):
            return {on: None}
        if isinstance(on, list):
            return dict.fromkeys(on)
        return dict(on or {})

    @property
    def jobs(self) -> dict[str, Json]:
        return dict(self.data.get("jobs") or {})

    def all_jobs(self) -> Iterator[tuple[str, Json]]:
        """Every job that has steps, called workflows included: ("build", …), ("call/inner", …)."""
        for job_id, job in self.jobs.items():
            if job_id in self.called:
                yield from ((f"{job_id}/{inner_id}", inner) for inner_id, inner in self.called[job_id].all_jobs())
            else:
                yield job_id, job


def load(file: str, read: Callable[[str], str]) -> Workflow:
    """Parse `file` (a name below .github/workflows); `read` gives the text of a workflow by that name."""
    data = yaml.safe_load(read(file))
    if not isinstance(data, dict) or not data.get("jobs"):
        raise ValueError(f"{file}: expected a workflow with jobs")
    called = {}
    for job_id, job in data["jobs"].items():
        local = re.fullmatch(r"\./\.github/workflows/([^/@]+)", str(job.get("uses", "")))
        if local:
            called[job_id] = load(local.group(1), read)
    return Workflow(file, data, called)


# --- permissions -----------------------------------------------------------------------------------------------------


def permissions_of(declared: Any) -> Permissions:
    """A `permissions:` value as scope -> level; a scope that is not named is not granted."""
    if declared in ("read-all", "write-all"):
        return dict.fromkeys(SCOPES, declared.removesuffix("-all"))
    unknown = set(declared or {}) - set(SCOPES)
    if unknown:
        raise ValueError(f"unknown permissions: {sorted(unknown)}")
    return {scope: level for scope, level in (declared or {}).items() if level != "none"}


def job_permissions(workflow: Workflow, job_id: str) -> Permissions:
    """What GITHUB_TOKEN may do in one job: its block, else the workflow's, else the default; a caller is the cap."""
    first, _, rest = job_id.partition("/")
    job = workflow.jobs[first]
    declared = job.get("permissions", workflow.data.get("permissions", DEFAULT_PERMISSIONS))
    own = permissions_of(declared)
    if not rest:
        return own
    called = workflow.called[first]
    inner_job = called.jobs[rest.partition("/")[0]]
    if "permissions" not in called.data and "permissions" not in inner_job and rest in called.jobs:
        return own
    return lesser(own, job_permissions(called, rest))


def lesser(one: Permissions, other: Permissions) -> Permissions:
    """What both allow."""
    shared = {scope: min(level, other.get(scope, "none"), key=LEVELS.__getitem__) for scope, level in one.items()}
    return {scope: level for scope, level in shared.items() if level != "none"}


# --- what act would pass over in silence ------------------------------------------------------------------------------


def refusals(workflow: Workflow) -> list[str]:
    """Reasons why a run in host mode would say nothing about this file on GitHub; empty when it may run."""
    found = [f"{workflow.file}: {reason}" for reason in _workflow_refusals(workflow)]
    for job_id, job in workflow.jobs.items():
        found += [f"{workflow.file}, job {job_id}: {reason}" for reason in _job_refusals(workflow, job_id, job)]
    for called in workflow.called.values():
        found += refusals(called)
    return found


def _workflow_refusals(workflow: Workflow) -> Iterator[str]:
    for event in workflow.triggers:
        if event not in EVENTS:
            yield f"the event {event} is not emulated"
    if set(workflow.triggers) == {"workflow_call"}:
        return  # the caller holds the group
    if "concurrency" not in workflow.data and not all("concurrency" in job for job in workflow.jobs.values()):
        yield "no concurrency declared: two runs may overlap"
    concurrency = workflow.data.get("concurrency")
    if isinstance(concurrency, dict) and concurrency.get("queue") == "max" and concurrency.get("cancel-in-progress"):
        yield "concurrency: queue: max cannot go with cancel-in-progress: true"


def _job_refusals(workflow: Workflow, job_id: str, job: Json) -> Iterator[str]:
    if "uses" in job:
        if job_id not in workflow.called:
            yield f"only local workflows can be called, got {job['uses']}"
        return
    if job.get("runs-on") not in RUNNERS:
        yield f"runs-on {job.get('runs-on')!r} is not one of {RUNNERS}; act would skip the job in silence"
    if "services" in job:
        yield "services: act ignores them in host mode"
    if "container" in job:
        yield "container: not possible in host mode"
    if "timeout-minutes" not in job:
        yield "no timeout-minutes: a hung job is billed for six hours"
    if job.get("runs-on") == SLIM:
        yield from _slim_refusals(job)
    for step in job.get("steps") or []:
        if str(step.get("uses", "")).startswith("docker://"):
            yield f"{step['uses']}: not possible in host mode"


def _slim_refusals(job: Json) -> Iterator[str]:
    """What the small image cannot do: it is a container itself, and ends a job after a quarter of an hour."""
    minutes = job.get("timeout-minutes", SLIM_MINUTES)
    if minutes > SLIM_MINUTES:
        yield f"timeout-minutes: {minutes}, and {SLIM} ends a job after {SLIM_MINUTES}"
    for step in job.get("steps") or []:
        if re.search(r"\b(docker|podman|buildah)\b|image\.sh", str(step.get("run", ""))):
            yield f"a step needs docker, which {SLIM} does not have: {step['run'].strip()}"


# --- does this event start this workflow? -----------------------------------------------------------------------------


def reason_not_started(workflow: Workflow, event: str, payload: Json, changed_files: Iterable[str] = ()) -> str | None:
    """Why GitHub would not start the workflow for this event, or None when it would."""
    if event not in workflow.triggers:
        return f"{workflow.file} does not listen to {event}"
    settings = workflow.triggers[event] or {}
    if event == "schedule":
        crons = [entry["cron"] for entry in settings]
        return None if payload.get("schedule") in crons else f"schedule {payload.get('schedule')!r} is not in {crons}"
    if event == "repository_dispatch":
        return _unlisted(settings.get("types"), payload.get("action"), "type")
    if event == "pull_request":
        types = settings.get("types", DEFAULT_PULL_REQUEST_TYPES)
        base = str(payload["pull_request"]["base"]["ref"])
        return _unlisted(types, payload.get("action"), "type") or _filtered(settings, "branches", [base], changed_files)
    if event == "push":
        return _push_filtered(settings, str(payload["ref"]), changed_files)
    return None


def _unlisted(types: Any, value: Any, what: str) -> str | None:
    listed = [types] if isinstance(types, str) else types
    return None if listed is None or value in listed else f"{what} {value!r} is not in {list(listed)}"


def _push_filtered(settings: Json, ref: str, changed_files: Iterable[str]) -> str | None:
    kind, other = ("tags", "branches") if ref.startswith("refs/tags/") else ("branches", "tags")
    named = {kind, f"{kind}-ignore"} & set(settings)
    if not named and {other, f"{other}-ignore"} & set(settings):
        return f"only {other} are listened to, got {ref}"
    return _filtered(settings, kind, [ref.split("/", 2)[2]], changed_files)


def _filtered(settings: Json, kind: str, names: Iterable[str], changed_files: Iterable[str]) -> str | None:
    for key, values in ((kind, list(names)), ("paths", list(changed_files))):
        if key in settings and not any(_selected(settings[key], value) for value in values):
            return f"{key} {settings[key]} select none of {values}"
        ignored = settings.get(f"{key}-ignore")
        if ignored is not None and all(_selected(ignored, value) for value in values):
            return f"{key}-ignore {ignored} covers {values}"
    return None


def _selected(patterns: Iterable[str], value: str) -> bool:
    """GitHub's filter patterns: the last pattern that matches decides, `!` in front excludes."""
    selected = False
    for pattern in patterns:
        if _pattern(pattern.removeprefix("!")).fullmatch(value):
            selected = not pattern.startswith("!")
    return selected


def _pattern(pattern: str) -> re.Pattern[str]:
    """`**` any characters, `*` any but `/`; `?`, `+` and `[…]` as in a regular expression."""
    parts = re.split(r"(\*\*/|\*\*|\*|[?+]|\[[^\]]*\])", pattern)
    special = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile(
        "".join(special.get(part, part if re.match(r"[?+\[]", part) else re.escape(part)) for part in parts)
    )


# --- inputs of workflow_dispatch --------------------------------------------------------------------------------------


def filled_inputs(workflow: Workflow, given: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of a workflow_dispatch as GitHub passes them: checked, defaults filled in, all strings."""
    declared: dict[str, Json] = {
        k: v or {} for k, v in ((workflow.triggers.get("workflow_dispatch") or {}).get("inputs") or {}).items()
    }
    unexpected = sorted(set(given) - set(declared))
    if unexpected:
        raise ValueError(f"Unexpected inputs provided: {unexpected}")
    return {name: _input_value(name, settings, given.get(name)) for name, settings in declared.items()}


def _input_value(name: str, settings: Json, given: Any) -> str:
    if given is None and settings.get("required") and "default" not in settings:
        raise ValueError(f"Required input '{name}' not provided")
    value = settings.get("default", "false" if settings.get("type") == "boolean" else "") if given is None else given
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if settings.get("type") == "choice" and text not in [str(option) for option in settings["options"]]:
        if given is not None or "default" in settings:
            raise ValueError(f"Provided value '{text}' for input '{name}' not in the list of allowed values")
        text = str(settings["options"][0])
    if settings.get("type") == "boolean" and text not in ("true", "false"):
        raise ValueError(f"Provided value '{text}' for input '{name}' is not a boolean")
    if settings.get("type") == "number" and text and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise ValueError(f"Provided value '{text}' for input '{name}' is not a number")
    return text


# --- concurrency ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Concurrency:
    group: str
    cancel_in_progress: bool = False
    keep_all_pending: bool = False  # queue: max


def concurrency_of(workflow: Workflow, contexts: Json) -> Concurrency | None:
    """The workflow-level group of a run, its expressions evaluated; None when jobs declare their own."""
    declared = workflow.data.get("concurrency")
    if declared is None:
        return None
    settings = {"group": declared} if isinstance(declared, str) else declared
    cancel = str(settings.get("cancel-in-progress", False))
    return Concurrency(
        group=evaluated(settings["group"], contexts).lower(),
        cancel_in_progress=evaluated(cancel, contexts).lower() == "true",
        keep_all_pending=settings.get("queue") == "max",
    )


def evaluated(text: str, contexts: Json) -> str:
    """Replace `${{ … }}`: context paths, quoted strings, `==`, `!=`, `||`. Anything else raises ValueError."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _printed(_either(found.group(1), contexts)), text)


def _printed(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _either(expression: str, contexts: Json) -> Any:
    value: Any = None
    for alternative in expression.split("||"):
        value = _compared(alternative, contexts)
        if value:
            break
    return value


def _compared(expression: str, contexts: Json) -> Any:
    sides = re.split(r"(==|!=)", expression)
    values = [_looked_up(side.strip(), contexts) for side in sides[::2]]
    if len(values) == 1:
        return values[0]
    if len(values) > 2:
        raise ValueError(f"cannot evaluate {expression!r}")
    return (values[0] == values[1]) == (sides[1] == "==")


def _looked_up(term: str, contexts: Json) -> Any:
    if re.fullmatch(r"'[^']*'", term):
        return term[1:-1]
    if not re.fullmatch(r"[a-z_]+(\.[\w-]+)+", term):
        raise ValueError(f"cannot evaluate {term!r} outside act; use context paths, strings, ==, != and ||")
    value: Any = contexts
    for part in term.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value

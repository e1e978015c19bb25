"""act's --json records, read into a run with jobs and steps as GitHub would show them.

Facts about the records: texts under `msg` are masked, those under `raw`, `arg`, `step` and `content` are not; skipped
jobs and steps leave no record; a composite action repeats outputs and summaries of its inner steps under its own id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .github_stand_in import Recorded
from .workflow_file import Json, Workflow

ANNOTATIONS = ("error", "warning", "notice")


@dataclass(frozen=True)
class Annotation:
    level: str
    message: str
    title: str = ""


@dataclass
class Step:
    """`outcome` is before continue-on-error, `conclusion` after it."""

    id: str
    name: str
    outcome: str = "skipped"
    conclusion: str = "skipped"
    seconds: float = 0.0
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""


@dataclass
class Job:
    """`id` is the key in the file, or caller/key in a called workflow."""

    id: str
    matrix: Json = field(default_factory=dict)
    conclusion: str = "skipped"
    steps: list[Step] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    log: str = ""

    @property
    def seconds(self) -> float:
        """Time spent in steps."""
        return sum(step.seconds for step in self.steps)

    @property
    def summary(self) -> str:
        return "".join(step.summary for step in self.steps)

    def step(self, name: str) -> Step:
        """The step with this id, name, or `uses` (without its ref)."""
        for step in self.steps:
            if name in (step.id, step.name, step.name.partition("@")[0]):
                return step
        raise KeyError(f"job {self.id} has no step {name!r}, only {[step.name for step in self.steps]}")


@dataclass
class Run:
    """What became of one event and one workflow."""

    id: int
    file: str
    event: str
    payload: Json
    conclusion: str  # success, failure, cancelled, skipped, or not_started
    reason: str = ""  # why it was not started
    jobs: list[Job] = field(default_factory=list)
    log: str = ""
    seconds: float = 0.0
    token: str = ""
    requests: list[Recorded] = field(default_factory=list)
    artifacts: Path | None = None

    @property
    def summary(self) -> str:
        """All step summaries, as the steps wrote them: GitHub would mask known secrets."""
        return "".join(job.summary for job in self.jobs)

    @property
    def annotations(self) -> list[Annotation]:
        return [annotation for job in self.jobs for annotation in job.annotations]

    def job(self, job_id: str, **matrix: Any) -> Job:
        """The one job with this id and these matrix values."""
        found = [job for job in self.jobs if job.id == job_id and matrix.items() <= job.matrix.items()]
        if len(found) != 1:
            raise KeyError(f"{len(found)} jobs {job_id!r} {matrix}, expected one of {[job.id for job in self.jobs]}")
        return found[0]

    def check(self, conclusion: str = "success") -> Run:
        """Assert the conclusion; on a mismatch show the log. Returns the run."""
        assert self.conclusion == conclusion, (
            f"{self.file}: expected {conclusion}, got {self.conclusion} {self.reason}\n{self.log[-6000:]}"
        )
        return self


def records(text: str) -> list[Json]:
    """The complete lines of act's output; a line that is not JSON becomes a message."""
    complete = text[: text.rfind("\n") + 1].splitlines()
    return [json.loads(line) if line.startswith("{") else {"msg": line} for line in complete]


def current_job(text: str, workflow: Workflow) -> str | None:
    """The job that act, told to run one at a time, is in: that of the last record that names one."""
    complete = text[: text.rfind("\n") + 1].splitlines()
    last = next((line for line in reversed(complete) if line.startswith("{") and '"jobID":' in line), None)
    return job_key(json.loads(last), workflow) if last else None


def job_key(record: Json, workflow: Workflow) -> str:
    """`jobID` alone does not say which caller a job belongs to; the displayed name starts with the caller's."""
    job_id, shown = str(record["jobID"]), str(record["job"]).strip()
    for caller, called in workflow.called.items():
        for prefix in (f"{workflow.jobs[caller].get('name', caller)}/", f"{caller}/"):
            if shown.startswith(prefix) and not shown.startswith(f"{workflow.name}/"):
                return f"{caller}/{job_key(record | {'job': shown.removeprefix(prefix)}, called)}"
    return job_id


def jobs_of(everything: Iterable[Json], workflow: Workflow) -> list[Job]:
    """Every job of the workflow, in the order they started, those without any record last, as skipped."""
    definitions = dict(workflow.all_jobs())
    found: dict[tuple[str, str], Job] = {}
    for record in everything:
        if "jobID" not in record:
            continue
        key = job_key(record, workflow)
        matrix = record.get("matrix") or {}
        identity = (key, json.dumps(matrix, sort_keys=True))
        if identity not in found and "step" in record:
            found[identity] = Job(key, matrix, "cancelled", _steps(definitions[key]))
        if identity in found:
            _read_into(found[identity], record)
    started = {job.id for job in found.values()}
    never = [Job(key, steps=_steps(job)) for key, job in definitions.items() if key not in started]
    return [*found.values(), *never]


def log_of(everything: Iterable[Json]) -> str:
    """All masked messages, each under its job's name."""
    return "".join(
        f"[{str(record.get('job', '')).strip()}] {str(record.get('msg', '')).rstrip()}\n" for record in everything
    )


def conclusion_of(jobs: Iterable[Job]) -> str:
    conclusions = {job.conclusion for job in jobs}
    for worst in ("failure", "cancelled", "success"):
        if worst in conclusions:
            return worst
    return "skipped"


def _steps(definition: Json) -> list[Step]:
    return [
        Step(
            str(step.get("id", index)),
            str(step.get("name") or step.get("uses") or step.get("run", "").strip().split("\n")[0]),
        )
        for index, step in enumerate(definition.get("steps") or [])
    ]


def _read_into(job: Job, record: Json) -> None:
    message = str(record.get("msg", ""))
    job.log += f"{message.rstrip()}\n"
    job.conclusion = record.get("jobResult", job.conclusion)
    if record.get("command") in ANNOTATIONS:
        title = str((record.get("kvPairs") or {}).get("title", ""))
        job.annotations.append(Annotation(str(record["command"]), _annotation_text(message), title))
    path = record.get("stepID") or []
    step = next((step for step in job.steps if path and step.id == path[0]), None)
    if step:
        step.log += f"{message.rstrip()}\n"
        if len(path) == 1 and record.get("stage") == "Main":
            _read_into_step(step, record)


def _read_into_step(step: Step, record: Json) -> None:
    if record.get("command") == "summary":
        step.summary += str(record["content"])
    if record.get("command") == "set-output":
        step.outputs[str(record["name"])] = str(record["arg"])
    if record.get("msg") == "Failed but continue next step":
        step.conclusion = "success"
    if "stepResult" in record:
        step.outcome = str(record["stepResult"])
        forgiven = step.outcome == "failure" and step.conclusion == "success"
        step.conclusion = "success" if forgiven else step.outcome
        step.seconds = record.get("executionTime", 0) / 1e9


def _annotation_text(message: str) -> str:
    """The part after `::error …::`, percent-encoding undone."""
    text = message.split("::", 2)[-1].strip()
    for code, character in (("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, character)
    return text

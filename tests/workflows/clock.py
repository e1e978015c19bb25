"""Chains of runs: what a schedule, a person, or another run's dispatch starts.

A push made with GITHUB_TOKEN starts nothing, as on GitHub; a dispatch made with it starts what listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import events
from .act_records import Run
from .github_git import BOT
from .github_rest import loaded
from .github_stand_in import Dispatch, GitHub
from .runner import run_workflow
from .workflow_file import Json

MOST_RUNS_OF_A_CHAIN = 12


@dataclass
class Clock:
    """A repository with its settings, on which things happen."""

    github: GitHub
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def run(self, file: str, event: str, payload: Json | None = None, **options: Any) -> Run:
        """One event for one workflow; `options` as in run_workflow."""
        settings: dict[str, Any] = {
            "secrets": self.secrets,
            "variables": self.variables,
            "environment": self.environment,
        }
        run = run_workflow(self.github, file, event, payload, **(settings | options))
        self.runs.append(run)
        return run

    def tick(self, file: str, cron: str | None = None, **options: Any) -> Run:
        """The schedule is due; `cron` when the file has several."""
        crons = [entry["cron"] for entry in loaded(self.github, file).triggers["schedule"]]
        return self.run(file, "schedule", {"schedule": cron or crons[0]}, **options)

    def press(self, file: str, inputs: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """A person starts the workflow by hand."""
        return self.run(file, "workflow_dispatch", {"inputs": dict(inputs or {})}, **options)

    def push(self, file: str, *, branch: str | None = None, before: str | None = None, **options: Any) -> Run:
        """A person has pushed; the run is "not_started" where filters say so."""
        return self.run(file, "push", events.push_payload(self.github, branch=branch, before=before), **options)

    def pull_request(
        self, file: str, number: int, *, action: str = "opened", from_fork: bool = False, **options: Any
    ) -> Run:
        """Something happened to a pull request."""
        payload = events.pull_request_payload(self.github, number, action=action, from_fork=from_fork)
        return self.run(file, "pull_request", payload, **options)

    def deliver(self, run: Run, **options: Any) -> list[Run]:
        """Start what the run's dispatches start, in order; each dispatch is delivered once."""
        started = []
        for dispatch in self.github.take_dispatches(run.id):
            for file in self._listeners(dispatch):
                started.append(self.run(file, dispatch.event, dict(dispatch.payload), actor=BOT, **options))
        return started

    def settle(self, run: Run, **options: Any) -> list[Run]:
        """Deliver until nothing more is started; a chain that does not end is a failure."""
        chain, waiting = [], [run]
        while waiting:
            started = self.deliver(waiting.pop(0), **options)
            chain += started
            waiting += started
            assert len(chain) <= MOST_RUNS_OF_A_CHAIN, f"the chain does not end: {[run.file for run in chain]}"
        return chain

    def _listeners(self, dispatch: Dispatch) -> list[str]:
        if dispatch.workflow:
            return [dispatch.workflow]
        files = [path.rsplit("/", 1)[1] for path in self.github.repository.files(folder=".github/workflows/")]
        return [file for file in files if self._listens(file, dispatch)]

    def _listens(self, file: str, dispatch: Dispatch) -> bool:
        triggers = loaded(self.github, file).triggers
        if dispatch.event not in triggers or self.github.workflow_states.get(file, "active") != "active":
            return False
        types = (triggers[dispatch.event] or {}).get("types", [dispatch.payload["action"]])
        return dispatch.payload["action"] in ([types] if isinstance(types, str) else types)

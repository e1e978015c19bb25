"""The loop on GitLab CI and CircleCI: the scripts of their files, run in their order, with PostgreSQL and real pushes.

What the files use of the two services is emulated: rules, artifacts, workspaces, parameters. Packages are not installed
anew, and docker is a stand-in.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import SERIES
from tests.support.clouds import ROOT, Clouds
from tests.support.temp_postgres import TempPostgres
from tests.workflows import project
from tests.workflows.github_stand_in import GitHub

SHIMS = {
    "pip": "exit 0",
    "apt-get": "exit 0",
    "apk": "exit 0",
    "sudo": 'exec "$@"',
    "uv": f'case $1 in venv) exec ln -s {sys.prefix} .venv ;; *) for file; do :; done; exec test -f "$file" ;; esac',
    "circleci-agent": "exec touch halted",
}


@dataclass
class Machine:
    """Where jobs run: a clone for each, the same programs, and what one job leaves for the next."""

    folder: Path
    github: GitHub
    clouds: Clouds
    variables: dict[str, str]
    kept: dict[str, bytes] = field(default_factory=dict)  # files that later jobs get
    log: str = ""  # what all jobs have printed

    def clone(self, name: str) -> Path:
        checkout = self.folder / "jobs" / name
        shutil.rmtree(checkout, ignore_errors=True)
        origin = str(self.github.repository.folder)  # the services check out by themselves
        subprocess.run(["git", "clone", "--quiet", "--branch", "main", origin, str(checkout)], check=True, timeout=60)
        return checkout

    def bash(self, checkout: Path, script: str, **variables: str) -> None:
        run = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=checkout,
            env=self.clouds.environment(HOME=str(self.folder), **self.variables, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        self.log += run.stdout
        assert run.returncode == 0, run.stdout[-3000:]

    def keep(self, checkout: Path, paths: list[str]) -> None:
        for path in paths:
            files = [checkout / path] if (checkout / path).is_file() else (checkout / path).rglob("*")
            self.kept |= {str(file.relative_to(checkout)): file.read_bytes() for file in files if file.is_file()}

    def bring_kept(self, checkout: Path) -> None:
        for path, content in self.kept.items():
            (checkout / path).parent.mkdir(parents=True, exist_ok=True)
            (checkout / path).write_bytes(content)


def gitlab(machine: Machine, loop: str) -> list[str]:
    """A pipeline with this LOOP; the jobs that ran."""
    document = yaml.safe_load((ROOT / "deploy/gitlab/.gitlab-ci.yml").read_text())
    ran = []
    outputs = {"LOOP": loop, "CI_COMMIT_SHA": "abc1234", "CI_PIPELINE_ID": "7"}
    for name, job in document.items():
        loops = {word for rule in job.get("rules", []) for word in re.findall(r'\$LOOP == "(\w+)"', str(rule))}
        if "script" not in job or loop not in loops:
            continue
        parent = document.get(job.get("extends"), {})
        checkout = machine.clone(name)
        machine.bring_kept(checkout)
        variables = {**parent.get("variables", {}), **job.get("variables", {}), **outputs}
        machine.bash(checkout, "\n".join(parent.get("before_script", []) + job["script"]), **variables)
        artifacts = job.get("artifacts", {})
        machine.keep(checkout, artifacts.get("paths", []))
        if "reports" in artifacts:
            lines = (checkout / artifacts["reports"]["dotenv"]).read_text().splitlines()
            outputs |= dict(line.split("=", 1) for line in lines)
        ran.append(name)
    return ran


def circleci(machine: Machine, loop: str) -> list[str]:
    """The workflow that this parameter chooses; the jobs that ran to their end."""
    document = yaml.safe_load((ROOT / "deploy/circleci/config.yml").read_text())
    (workflow,) = [flow for flow in document["workflows"].values() if flow["when"]["equal"][0] == loop]
    names = [next(iter(job)) if isinstance(job, dict) else job for job in workflow["jobs"]]
    return [name for name in names if circleci_job(machine, document, name, loop)]


def circleci_job(machine: Machine, document: Any, name: str, loop: str) -> bool:
    checkout = machine.clone(name)
    steps = list(document["jobs"][name]["steps"])
    while steps:
        step = steps.pop(0)
        kind, parameters = next(iter(step.items())) if isinstance(step, dict) else (step, {})
        if kind in document["commands"]:
            text = json.dumps(document["commands"][kind]["steps"])
            for key, value in parameters.items():
                text = text.replace(f"<< parameters.{key} >>", value)
            steps = json.loads(text) + steps
        elif kind == "run":
            script = parameters["command"].replace("<< pipeline.parameters.loop >>", loop)
            machine.bash(checkout, script, CIRCLE_BRANCH="main", CIRCLE_SHA1="abc1234")
            if (checkout / "halted").exists():
                return False
        elif kind == "persist_to_workspace":
            machine.keep(checkout, parameters["paths"])
        elif kind == "attach_workspace":
            machine.bring_kept(checkout)
        else:
            assert kind == "checkout"
    return True


@pytest.fixture
def machine(tmp_path: Path, postgres: TempPostgres) -> Iterator[Machine]:
    clouds = Clouds(tmp_path / "clouds")
    for name, script in SHIMS.items():
        (clouds.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (clouds.bin / name).chmod(0o755)
    with GitHub(tmp_path / "github") as github, project.source() as source:
        project.seed(github, source.url)
        token = github.issue_token({"contents": "write"}).value
        variables = {
            "DATABASE_URL": postgres.new_database(),
            "CI_SERVER_URL": github.url,
            "CI_PROJECT_PATH": github.full_name,
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_TOKEN": token,
            "CI_REGISTRY": "registry.invalid",
            "CI_REGISTRY_IMAGE": "registry.invalid/acme/forecasts",
            "CI_REGISTRY_USER": "gitlab-ci-token",
            "CI_REGISTRY_PASSWORD": "registry-password",
        }
        yield Machine(tmp_path, github, clouds, variables)
        pushes = [request.path for request in github.requests if token in request.path]
        assert not pushes, "the token never stands in an address"


Pipeline = Callable[[Machine, str], list[str]]


@pytest.mark.parametrize(
    ("pipeline", "due", "nothing_due", "push"),
    [
        (gitlab, ["check", "retrain", "build-image"], ["check", "retrain", "build-image"], "build-image"),
        (circleci, ["check", "retrain", "image"], ["check"], "image"),
    ],
)
def test_loop_loads_trains_pushes_builds_and_then_forecasts(
    machine: Machine, pipeline: Pipeline, due: list[str], nothing_due: list[str], push: str
) -> None:
    assert pipeline(machine, "hourly") == ["ingest"]
    assert "No champion yet" in machine.log

    assert pipeline(machine, "check") == due
    commit = machine.github.repository.log()[0]
    assert commit.subject == f"Promote a new champion for {SERIES} [skip ci]"
    card = json.loads(machine.github.repository.read(f"model/{SERIES}/card.json"))
    (build,) = machine.clouds.calls("docker", "build")
    assert f"MODEL_VERSION={card['version']}" in build

    machine.kept.clear()
    assert pipeline(machine, "hourly") == ["ingest"]
    assert "periods forecast" in machine.log
    assert pipeline(machine, "check") == nothing_due
    assert len(machine.clouds.calls("docker", "build")) == 1, "no new champion, no new image"
    assert pipeline(machine, "build") == [push]
    assert len(machine.clouds.calls("docker", "build")) == 2
    assert machine.variables["CI_JOB_TOKEN"] not in machine.log

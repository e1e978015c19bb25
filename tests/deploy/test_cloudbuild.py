"""cloudbuild.yaml, step by step as Cloud Build runs it: with stand-ins always, with the real docker where it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cloud_run import CloudRun
from tests.support.clouds import ROOT, Clouds, Service
from tests.support.google_apis import real_gcloud
from tests.support.images import docker
from tests.support.ports import free_port
from tests.support.temp_postgres import TempPostgres

VERSION = "20220304T03-1a2b3c4d"
GIVEN = {"PROJECT_ID": "demo-proj", "SHORT_SHA": "abc1234", "COMMIT_SHA": "abc1234def"}
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Z_][A-Z0-9_]*))")


def build() -> Any:
    return yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())


def substituted(value: Any, known: dict[str, str], used: set[str]) -> Any:
    """As Cloud Build does it: an unknown name is an error."""
    if isinstance(value, dict):
        return {key: substituted(part, known, used) for key, part in value.items()}
    if isinstance(value, list):
        return [substituted(part, known, used) for part in value]
    if not isinstance(value, str):
        return value

    def replace(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        used.add(name)
        return str(substituted(known[name], known, used))

    return VARIABLE.sub(replace, value)


def run_steps(folder: Path, environment: dict[str, str], *, first: int = 0) -> tuple[list[str], str]:
    """Run the steps from this one on until one fails; the ids of those that succeeded, and the output."""
    document = build()
    steps = substituted(document["steps"], GIVEN | document["substitutions"], set())
    done, output = [], ""
    for step in steps[first:]:
        program = step.get("entrypoint", step["name"].rpartition("/")[2])
        run = subprocess.run(
            [program, *step["args"]],
            cwd=folder,
            env=environment | dict(pair.split("=", 1) for pair in step.get("env", [])),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        output += run.stdout
        if run.returncode:
            break
        done.append(step["id"])
    return done, output


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(VERSION) as running:
        yield running


@pytest.fixture
def clouds(tmp_path: Path, service: Service) -> Clouds:
    made = Clouds(tmp_path / "clouds", service.url)
    first = {"revisions": [{"name": "actioncast-00001"}], "traffic": {"LATEST": 100}, "tags": {}}
    made.write({"service": first})
    return made


def impatient(checkout: Path) -> None:
    """A smoke test that gives up after half a second."""
    script = checkout / "deploy/cloud_run.sh"
    script.write_text(script.read_text().replace("--champions model", "--champions model --wait 0.5"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the steps see: deploy/, the package that its scripts import, and a champion's card."""
    for name in ("deploy", "actioncast"):
        shutil.copytree(ROOT / name, tmp_path / "source" / name)
    card = tmp_path / "source/model/demo/card.json"
    card.parent.mkdir(parents=True)
    card.write_text(json.dumps({"series": "demo", "version": VERSION}, indent=2))
    return tmp_path / "source"


STRICT = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")
ALL = ["build", "try the image", "push", "deploy without traffic", "smoke test", "move the traffic"]


def test_every_substitution_is_known_and_used() -> None:
    document = build()
    used: set[str] = set()
    substituted(
        {key: value for key, value in document.items() if key != "substitutions"},
        GIVEN | document["substitutions"],
        used,
    )
    assert set(document["substitutions"]) <= used
    assert all(name.startswith("_") for name in document["substitutions"])


def test_build_ends_with_the_new_revision_serving(checkout: Path, clouds: Clouds, service: Service) -> None:
    done, output = run_steps(checkout, clouds.environment())
    assert done == ALL, output
    state = clouds.state["service"]
    assert state["traffic"] == {"LATEST": 100}
    assert state["revisions"][-1]["image"] == "europe-west1-docker.pkg.dev/demo-proj/actioncast/api:abc1234"
    assert state["tags"] == {"candidate": "actioncast-00002", "previous": "actioncast-00001"}
    assert service.tokens == {"Bearer head.payload.signature"}
    assert "head.payload.signature" not in output


def test_broken_champion_stops_before_the_push(checkout: Path, clouds: Clouds) -> None:
    clouds.write({**clouds.state, "broken model": True})
    done, _ = run_steps(checkout, clouds.environment())
    assert done == ALL[:1]
    assert not clouds.calls("docker", "push")


def test_revision_that_is_not_ready_gets_no_traffic(checkout: Path, clouds: Clouds, service: Service) -> None:
    service.database = False
    impatient(checkout)
    done, output = run_steps(checkout, clouds.environment())
    assert done == ALL[:4]
    assert "database: cannot be reached" in output
    assert clouds.state["service"]["traffic"] == {"actioncast-00001": 100}


def test_revision_with_another_champion_gets_no_traffic(checkout: Path, clouds: Clouds, service: Service) -> None:
    service.version = "another"
    done, output = run_steps(checkout, clouds.environment())
    assert done == ALL[:4]
    assert f"expected version {VERSION}" in output
    assert clouds.state["service"]["traffic"] == {"actioncast-00001": 100}


# With the real docker and the real gcloud: what was built is what the stand-in for Cloud Run starts -------------------


class Revisions:
    """Starts images as Cloud Run does, each on a port of its own, and waits for their startup probe."""

    def __init__(self, containers: list[str], database_url: str) -> None:
        self.containers, self.database_url = containers, database_url

    def start(self, image: str) -> str | None:
        port = free_port()
        self.containers.append(f"actioncast-{port}")
        given = {"PORT": str(port), "K_SERVICE": "actioncast", "DATABASE_URL": self.database_url, "API_KEY": "k" * 32}
        variables = [word for pair in given.items() for word in ("--env", "=".join(pair))]
        docker("run", "--detach", "--name", self.containers[-1], "--network", "host", *STRICT, *variables, image)
        for _ in range(120):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return f"http://127.0.0.1:{port}"
            time.sleep(0.25)
        return None


@pytest.fixture
def revisions(containers: list[str], postgres: TempPostgres) -> Revisions:
    return Revisions(containers, postgres.new_database())


@pytest.fixture
def cloud_run(revisions: Revisions) -> Iterator[CloudRun]:
    real_gcloud()
    with CloudRun(revisions.start) as stand_in:
        yield stand_in


@pytest.fixture
def commit(champion: Path, clone: Path, tmp_path: Path) -> Path:
    """A checkout of this project with a champion in model/."""
    assert champion.is_dir()
    return Path(shutil.copytree(clone, tmp_path / "commit"))


@pytest.fixture
def real(cloud_run: CloudRun, tmp_path: Path) -> dict[str, str]:
    """The real docker and gcloud; a push is written down, as there is no registry."""
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh\n[ "$1" != push ] || exec sh -c 'echo "$1" >> {tmp_path}/pushed' - "$2"\n"""
        f"""exec {shutil.which("docker")} "$@"\n"""
    )
    program.chmod(0o755)
    (tmp_path / "pushed").write_text("")
    return cloud_run.environment(tmp_path, PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}")


PUSHED = "europe-west1-docker.pkg.dev/demo-proj/actioncast/api:abc1234\n"


def test_real_image_is_built_tried_pushed_deployed_tested_and_served_and_a_dead_database_stops_the_next_one(
    commit: Path, cloud_run: CloudRun, real: dict[str, str], revisions: Revisions, tmp_path: Path
) -> None:
    done, output = run_steps(commit, real)
    assert done == ALL, output[-3000:]
    assert (tmp_path / "pushed").read_text() == PUSHED
    version = json.loads(next(commit.glob("model/*/card.json")).read_text())["version"]
    assert f"is served by {version}" in output
    first = cloud_run.serving

    revisions.database_url = f"postgresql://nobody:x@127.0.0.1:{free_port()}/none"
    impatient(commit)
    done, output = run_steps(commit, real, first=3)  # the image is the same
    assert done == ALL[3:4], output[-3000:]
    assert "is not ready: database" in output
    assert cloud_run.serving == first
    assert len(cloud_run.revisions) == 2


def test_real_image_with_a_broken_champion_is_not_pushed(
    commit: Path, cloud_run: CloudRun, real: dict[str, str], tmp_path: Path
) -> None:
    (numbers,) = commit.glob("model/*/forecaster.npz")
    numbers.write_bytes(numbers.read_bytes()[:-100] + b"\0" * 100)
    done, output = run_steps(commit, real)
    assert done == ALL[:1]
    assert "expected sha256" in output
    assert not (tmp_path / "pushed").read_text()
    assert not cloud_run.requests

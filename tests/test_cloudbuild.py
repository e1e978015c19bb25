"""cloudbuild.yaml, step by step as Cloud Build runs it: with stand-ins always, with the real docker where it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clouds import ROOT, Clouds, Service

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


def run_steps(folder: Path, clouds: Clouds) -> tuple[list[str], str]:
    """Run the steps until one fails; the ids of those that succeeded, and the output."""
    document = build()
    steps = substituted(document["steps"], GIVEN | document["substitutions"], set())
    done, output = [], ""
    for step in steps:
        program = step.get("entrypoint", step["name"].rpartition("/")[2])
        run = subprocess.run(
            [program, *step["args"]],
            cwd=folder,
            env=clouds.environment(**dict(pair.split("=", 1) for pair in step.get("env", []))),
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
    running = Service(VERSION)
    yield running
    running.close()


@pytest.fixture
def clouds(tmp_path: Path, service: Service) -> Clouds:
    made = Clouds(tmp_path / "clouds", service.url)
    first = {"revisions": [{"name": "actioncast-00001"}], "traffic": {"LATEST": 100}, "tags": {}}
    made.write({"service": first})
    return made


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the steps see: deploy/ and a champion's card."""
    shutil.copytree(ROOT / "deploy", tmp_path / "source/deploy")
    card = tmp_path / "source/model/demo/card.json"
    card.parent.mkdir(parents=True)
    card.write_text(json.dumps({"series": "demo", "version": VERSION}, indent=2))
    return tmp_path / "source"


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
    done, output = run_steps(checkout, clouds)
    assert done == ALL, output
    state = clouds.state["service"]
    assert state["traffic"] == {"LATEST": 100}
    assert state["revisions"][-1]["image"] == "europe-west1-docker.pkg.dev/demo-proj/actioncast/api:abc1234"
    assert state["tags"] == {"candidate": "actioncast-00002", "previous": "actioncast-00001"}
    assert set(service.tokens) == {"Bearer head.payload.signature"}
    assert "head.payload.signature" not in output


def test_broken_champion_stops_before_the_push(checkout: Path, clouds: Clouds) -> None:
    clouds.write({**clouds.state, "broken model": True})
    done, _ = run_steps(checkout, clouds)
    assert done == ALL[:1]
    assert not clouds.calls("docker", "push")


def test_revision_that_is_not_ready_gets_no_traffic(checkout: Path, clouds: Clouds, service: Service) -> None:
    service.database = False
    script = checkout / "deploy/cloud_run.sh"
    script.write_text(script.read_text().replace("--champions model", "--champions model --wait 0.5"))
    done, output = run_steps(checkout, clouds)
    assert done == ALL[:4]
    assert "database: cannot be reached" in output
    assert clouds.state["service"]["traffic"] == {"actioncast-00001": 100}


def test_revision_with_another_champion_gets_no_traffic(checkout: Path, clouds: Clouds, service: Service) -> None:
    service.version = "another"
    done, output = run_steps(checkout, clouds)
    assert done == ALL[:4]
    assert f"expected version {VERSION}" in output
    assert clouds.state["service"]["traffic"] == {"actioncast-00001": 100}

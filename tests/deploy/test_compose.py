"""compose.yaml as a user runs it: the API and PostgreSQL, then the loop, whose champion the API serves.

Needs `docker compose`, or podman-compose where podman answers docker (.ci/engine); says so when neither is there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import docker
from tests.support.ports import free_port
from tests.support.programs import program

SOURCE = '''
"""A source of the user's own: a daily and a weekly wave."""
from math import sin, pi


def read(since, until):
    newest = int(until.timestamp()) // 3600 * 3600
    hours = range(newest - 40 * 24 * 3600, newest, 3600)
    return [(hour, 1000 + 300 * sin(hour / 86400 * 2 * pi) + 100 * sin(hour / 604800 * 2 * pi)) for hour in hours]
'''
CONFIG = """
[series.wave]
unit = "things/h"
source = { kind = "python", function = "deploy.my_source:read" }
[train]
candidates = ["seasonal_naive", "ridge"]
history = '40D'
"""


class Compose:
    """The project's services under a name and a port of their own."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.folder, self.command = folder, command
        self.port = free_port()
        self.environment = dict(os.environ) | {
            "COMPOSE_PROJECT_NAME": f"actioncast{uuid.uuid4().hex[:8]}",
            "PORT": str(self.port),
            "SERVING": "slim",
            "LOOP_REQUIREMENTS": "requirements/etl.txt",
            "UID": str(os.getuid()),
            "GID": str(os.getgid()),
        }

    def run(self, *arguments: str) -> str:
        run = subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert run.returncode == 0, run.stdout[-4000:]
        return run.stdout

    def ask(self, path: str, method: str = "GET") -> Any:
        """The answer, as soon as there is one."""
        for _ in range(120):
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
            with suppress(OSError), urllib.request.urlopen(request, timeout=10) as response:
                return json.loads(response.read())
            time.sleep(0.5)
        raise AssertionError(f"no answer from {path}: {self.run('logs', 'api')[-3000:]}")


@pytest.fixture
def compose(engine: None, clone: Path, tmp_path: Path) -> Iterator[Compose]:
    if docker("compose", "version", check=False).returncode == 0:
        command = ["docker", "compose"]
    elif shutil.which("podman") and os.environ.get("CONTAINERS_CONF"):
        command = [program("podman-compose", "make install")]
    else:
        pytest.skip("docker compose is not installed: docs.docker.com/compose/install")
    folder = tmp_path / "project"
    shutil.copytree(clone, folder)
    shutil.rmtree(folder / "model", ignore_errors=True)
    (folder / "model").mkdir()
    (folder / ".env").unlink()
    (folder / "deploy/my_source.py").write_text(SOURCE)
    (folder / "config.toml").write_text(CONFIG)
    running = Compose(folder, command)
    yield running
    running.run("--profile", "loop", "down", "--volumes", "--rmi", "local")


def test_loop_trains_and_the_api_beside_it_serves_its_champion(compose: Compose) -> None:
    compose.run("up", "--build", "--detach")
    assert compose.ask("/health")
    output = compose.run("--profile", "loop", "run", "--rm", "--build", "loop")
    assert "== train wave" in output
    card = json.loads((compose.folder / "model/wave/card.json").read_text())
    answer = compose.ask("/forecast?num_predictions=24", "POST")
    assert len(answer["predictions"]) == 24
    assert answer["model_version"] == card["version"]
    assert "== train wave" not in compose.run("--profile", "loop", "run", "--rm", "loop"), (
        "there is a champion now, and it is good"
    )

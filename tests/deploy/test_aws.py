"""deploy/aws/ecs.sh with the real aws command against moto's ECR and ECS.

What moto does not do is left to the stand-in of tests/workflows/test_deploy.py: tasks that fail, and time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.clouds import ROOT, Service
from tests.support.ports import free_port
from tests.support.programs import program

VERSION = "20220304T03-1a2b3c4d"
NAMES = {"CLUSTER": "actioncast", "SERVICE": "actioncast"}
FIRST = {
    "family": "actioncast",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [
        {
            "name": "api",
            "image": "REGISTRY/actioncast:1",
            "portMappings": [{"containerPort": 8080}],
            "secrets": [
                {"name": "DATABASE_URL", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"}
            ],
        }
    ],
}


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Amazon on loopback, and the real `aws` logged in to it."""
    how = "pip install moto flask flask-cors awscli, or make install"
    server, aws, port = program("moto_server", how), program("aws", how), free_port()
    own = {"MOTO_ECS_SERVICE_RUNNING": "1", "PATH": os.environ["PATH"]}
    process = subprocess.Popen([server, "-p", str(port)], env=own, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):
            break
        time.sleep(0.1)
    yield {
        "PATH": f"{Path(aws).parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path),
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        **NAMES,
    }
    process.terminate()
    process.wait(30)


def aws(environment: dict[str, str], *arguments: str) -> Any:
    run = subprocess.run(
        ["aws", *arguments, "--output", "json"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout) if run.stdout else None


def ecs(environment: dict[str, str], *arguments: str) -> str:
    script = [str(ROOT / "deploy/aws/ecs.sh"), *arguments]
    run = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def serving(environment: dict[str, str]) -> Any:
    """The service as ECS has it, and the image of its task definition."""
    (service,) = aws(environment, "ecs", "describe-services", "--cluster", "actioncast", "--services", "actioncast")[
        "services"
    ]
    definition = aws(environment, "ecs", "describe-task-definition", "--task-definition", service["taskDefinition"])
    (container,) = definition["taskDefinition"]["containerDefinitions"]
    return service, container


@pytest.fixture
def repository(environment: dict[str, str]) -> str:
    """What deploy/aws/README.md asks for: repository, cluster, service. Returns the repository's address."""
    name = ["--repository-name", "actioncast", "--image-tag-mutability", "IMMUTABLE"]
    address = aws(environment, "ecr", "create-repository", *name)["repository"]["repositoryUri"]
    aws(environment, "ecs", "create-cluster", "--cluster-name", "actioncast")
    definition = json.dumps(FIRST).replace("REGISTRY/actioncast", address)
    aws(environment, "ecs", "register-task-definition", "--cli-input-json", definition)
    service = ["--cluster", "actioncast", "--service-name", "actioncast", "--desired-count", "1"]
    aws(environment, "ecs", "create-service", *service, "--task-definition", "actioncast:1", "--launch-type", "FARGATE")
    return str(address)


def test_release_keep_rollback_and_the_next_release(environment: dict[str, str], repository: str) -> None:
    password = subprocess.run(
        ["aws", "ecr", "get-login-password"], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert password.stdout.strip(), "what docker login reads"

    assert "actioncast:2 serves" in ecs(environment, "release", f"{repository}:2")
    ecs(environment, "keep")
    service, container = serving(environment)
    assert container["image"] == f"{repository}:2"
    assert container["secrets"] == FIRST["containerDefinitions"][0]["secrets"]  # type: ignore[index]
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 100

    assert "actioncast:1 serves" in ecs(environment, "rollback")
    assert serving(environment)[1]["image"] == f"{repository}:1"
    ecs(environment, "release", f"{repository}:3")
    assert serving(environment)[1]["image"] == f"{repository}:3", "a roll-back does not keep later releases away"


def test_failing_smoke_test_is_undone(environment: dict[str, str], repository: str) -> None:
    ecs(environment, "release", f"{repository}:2")
    with Service(VERSION) as service:
        service.database = False
        asked = ["python3", "-m", "deploy.smoke", service.url, "--wait", "0"]
        run = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "actioncast:1 serves" in ecs(environment, "undo")
    assert serving(environment)[1]["image"] == f"{repository}:1"

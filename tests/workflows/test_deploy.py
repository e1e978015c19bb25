"""The deployment workflows as shipped, with stand-ins for docker and the clouds' command lines that keep a state."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clouds import ROOT, Clouds, Service

from .canaries import Canaries
from .clock import Clock
from .github_stand_in import GitHub
from .runner import SHELL

VERSION = "20220304T03-1a2b3c4d"
GOOGLE = {
    "DEPLOY_TARGET": "cloud-run",
    "GCP_PROJECT": "demo-proj",
    "GCP_REGION": "europe-west1",
    "GCP_PROVIDER": "projects/1/locations/global/workloadIdentityPools/actioncast-github/providers/github",
}
AMAZON = {
    "DEPLOY_TARGET": "aws",
    "AWS_ACCOUNT_ID": "123456789012",
    "AWS_REGION": "eu-west-1",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/actioncast-deploy",
}
AZURE = {
    "DEPLOY_TARGET": "azure",
    "AZURE_REGISTRY": "forecasts",
    "AZURE_RESOURCE_GROUP": "forecasts",
    "AZURE_CLIENT_ID": "a",
    "AZURE_TENANT_ID": "b",
    "AZURE_SUBSCRIPTION_ID": "c",
}
TARGETS = {"deploy_cloud_run.yml": GOOGLE, "deploy_aws.yml": AMAZON, "deploy_azure.yml": AZURE}
ROLLBACK = """
on: {workflow_dispatch: {inputs: {series: {type: string}}}}
concurrency: data
jobs: {rollback: {runs-on: ubuntu-24.04, timeout-minutes: 1, steps: [{run: "true"}]}}
"""
# What serves on each cloud before the test; the stand-ins begin with one on AWS and Azure.
FIRST = {"revisions": [{"name": "actioncast-00001"}], "traffic": {"LATEST": 100}, "tags": {}}


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(VERSION) as running:
        yield running


@pytest.fixture
def clouds(tmp_path: Path, service: Service) -> Clouds:
    made = Clouds(tmp_path / "clouds", service.url)
    made.write({"service": FIRST})
    return made


@pytest.fixture
def clock(github: GitHub, clouds: Clouds, service: Service) -> Clock:
    """A repository with the deployment's files, what they import, and a champion."""
    patterns = ("deploy/**/*.sh", "deploy/**/*.py", "actioncast/*.py", ".github/workflows/deploy_*.yml")
    files = [file for pattern in patterns for file in ROOT.glob(pattern)]
    tree: dict[str, str | bytes | Path | None] = {str(file.relative_to(ROOT)): file for file in files}
    tree["model/demo/card.json"] = json.dumps({"series": "demo", "version": VERSION}, indent=2)
    tree[".github/workflows/rollback.yml"] = ROLLBACK
    github.repository.commit(tree)
    path = os.pathsep.join([str(SHELL), str(clouds.bin), os.environ["PATH"]])
    return Clock(github, environment={"PATH": path})


def variables(file: str, service: Service) -> dict[str, str]:
    return TARGETS[file] | {"API_URL": service.url}


def serving(clouds: Clouds, file: str) -> str:
    """Who has the traffic."""
    state = clouds.state
    if file == "deploy_aws.yml":
        return str(state["ecs"]["running"])
    if file == "deploy_azure.yml":
        return str(next(iter(state["app"]["traffic"])))
    target = next(iter(state["service"]["traffic"]))
    return str(state["service"]["revisions"][-1]["name"] if target == "LATEST" else target)


@pytest.mark.parametrize("file", TARGETS)
def test_deployment_serves_and_a_rollback_lasts_until_the_next_one(
    clock: Clock, clouds: Clouds, service: Service, canaries: Canaries, file: str
) -> None:
    canaries.plant("DATABASE_URL", "postgresql://app:{canary}@db.invalid/x")
    clock.secrets, clock.variables = canaries.secrets, variables(file, service)
    clock.press(file).check()
    new = serving(clouds, file)
    (image,) = {call[-1] for call in clouds.calls("docker", "push")}
    assert image.endswith(f":{clock.github.repository.sha('refs/heads/main')}")
    assert f"MODEL_VERSION={VERSION}" in clouds.calls("docker", "build")[0]

    run = clock.press("deploy_rollback.yml", {"series": "demo"}).check()
    old = serving(clouds, file)
    assert old != new
    (dispatch,) = clock.github.take_dispatches(run.id)
    assert (dispatch.workflow, dispatch.payload["inputs"]) == ("rollback.yml", {"series": "demo"})

    clock.press(file).check()
    assert serving(clouds, file) not in (old, new)
    canaries.assert_unseen(clock.github, *clock.runs)
    secrets = ["ecr-password", "google-access-token", *canaries.secrets.values()]
    assert not [call for call in clouds.calls() if any(secret in word for word in call for secret in secrets)]


@pytest.mark.parametrize("file", TARGETS)
def test_failing_smoke_test_leaves_the_old_one_serving(
    clock: Clock, clouds: Clouds, service: Service, file: str
) -> None:
    service.version = "another"
    run = clock.press(file, variables=variables(file, service)).check("failure")
    assert f"expected version {VERSION} of demo to be served" in run.log
    assert clouds.calls("docker", "push")
    assert serving(clouds, file) in ("actioncast-00001", "arn:task/actioncast:1", "actioncast--r0")


def test_first_deployment_to_cloud_run_lets_nobody_in(clock: Clock, clouds: Clouds, service: Service) -> None:
    clouds.write({})
    clock.press("deploy_cloud_run.yml", variables=GOOGLE).check()
    (deploy,) = clouds.calls("gcloud", "run", "deploy")
    assert "--no-allow-unauthenticated" in deploy
    assert "--no-traffic" not in deploy
    assert service.tokens == {"Bearer head.payload.signature"}


@pytest.mark.parametrize("file", TARGETS)
def test_broken_champion_stops_before_anything_is_pushed(
    clock: Clock, clouds: Clouds, service: Service, file: str
) -> None:
    clouds.write({"broken model": True})
    run = clock.press(file, variables=variables(file, service)).check("failure")
    assert run.job("deploy").step("Try the image").conclusion == "failure"
    assert not clouds.calls("docker", "push")
    assert not clouds.calls("gcloud") + clouds.calls("aws") + clouds.calls("az")


@pytest.mark.parametrize("file", TARGETS)
def test_nothing_is_deployed_where_nobody_asked_for_it(clock: Clock, clouds: Clouds, file: str) -> None:
    assert clock.press(file, variables={}, may_skip_all=True).conclusion == "skipped"
    assert not clouds.calls()


def test_without_a_target_nothing_is_rolled_back_and_a_notice_says_so(clock: Clock, clouds: Clouds) -> None:
    run = clock.press("deploy_rollback.yml").check()
    assert [note.title for note in run.annotations] == ["Nothing was rolled back"]
    assert clock.github.take_dispatches(run.id) == []
    assert not clouds.calls()


def test_a_push_to_another_branch_deploys_nothing(clock: Clock, clouds: Clouds, service: Service) -> None:
    clock.github.repository.git("branch", "topic", "main")
    clock.github.repository.commit({"model/demo/notes.txt": "x"}, branch="topic")
    settings = variables("deploy_cloud_run.yml", service)
    run = clock.push("deploy_cloud_run.yml", branch="topic", variables=settings, may_skip_all=True)
    assert run.conclusion == "skipped"
    assert not clouds.calls()


def test_unhealthy_tasks_on_ecs_fail_the_run(clock: Clock, clouds: Clouds, service: Service) -> None:
    clouds.write({"unhealthy": True})
    run = clock.press("deploy_aws.yml", variables=variables("deploy_aws.yml", service)).check("failure")
    assert "ECS went back to arn:task/actioncast:1" in run.log


def test_cloud_build_trigger_is_started_for_the_commit(clock: Clock, clouds: Clouds, service: Service) -> None:
    clock.press("deploy_cloud_run.yml", variables=GOOGLE | {"DEPLOY_TARGET": "cloud-build"}).check()
    (call,) = clouds.calls("gcloud", "builds", "triggers", "run")
    assert f"--sha={clock.github.repository.sha('refs/heads/main')}" in call


def test_push_of_a_champion_deploys_and_of_a_text_does_not(clock: Clock, service: Service) -> None:
    settings = variables("deploy_cloud_run.yml", service)
    before = clock.github.repository.sha("refs/heads/main")
    clock.github.repository.commit({"README.md": "new"})
    assert clock.push("deploy_cloud_run.yml", before=before, variables=settings).conclusion == "not_started"
    before = clock.github.repository.sha("refs/heads/main")
    clock.github.repository.commit({"model/demo/notes.txt": "x"})
    clock.push("deploy_cloud_run.yml", before=before, variables=settings).check()

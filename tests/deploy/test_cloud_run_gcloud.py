"""deploy/cloud_run.sh with the real gcloud: it parses every flag and sends its requests to a small Cloud Run here.

Needs gcloud; says so when it is absent. The roles behind the identity token are Google's, not emulated.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cloud_run import TOKEN, CloudRun
from tests.support.clouds import ROOT, Service
from tests.support.google_apis import real_gcloud

VERSION = "20220304T03-1a2b3c4d"


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(VERSION) as running:
        yield running


@pytest.fixture
def cloud_run(service: Service) -> Iterator[CloudRun]:
    real_gcloud()
    with CloudRun(lambda image: None if image.endswith(":dead") else service.url) as stand_in:
        yield stand_in


def script(cloud_run: CloudRun, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = cloud_run.environment(
        folder,
        PROJECT="demo-proj",
        REGION="europe-west1",
        RUN_ACCOUNT="actioncast-run@demo-proj.iam.gserviceaccount.com",
        DEPLOY_ACCOUNT="actioncast-deploy@demo-proj.iam.gserviceaccount.com",
        CLOUD_SQL_INSTANCE="demo-proj:europe-west1:actioncast",
    )
    return subprocess.run(
        [str(folder / "deploy/cloud_run.sh"), *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def copy_scripts(folder: Path) -> None:
    """The part of a checkout that a deployment runs."""
    for name in ("deploy", "actioncast"):
        shutil.copytree(ROOT / name, folder / name)


def test_candidate_smoke_promote_and_rollback_with_the_real_gcloud(
    cloud_run: CloudRun, service: Service, tmp_path: Path
) -> None:
    copy_scripts(tmp_path)
    (tmp_path / "model/demo").mkdir(parents=True)
    (tmp_path / "model/demo/card.json").write_text(json.dumps({"series": "demo", "version": VERSION}))

    def passes(*arguments: str) -> None:
        run = script(cloud_run, tmp_path, *arguments)
        assert run.returncode == 0, run.stdout + run.stderr

    def deployed() -> str:
        passes("candidate", f"europe-west1-docker.pkg.dev/demo-proj/actioncast/api:{len(cloud_run.revisions) + 1}")
        return next(reversed(cloud_run.revisions))

    first = deployed()
    assert cloud_run.serving == first
    second = deployed()
    assert cloud_run.serving == first, "the candidate has no traffic"
    assert cloud_run.service
    template = cloud_run.service["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert container["image"].endswith("api:2")
    assert {entry["name"] for entry in container["env"]} == {"DATABASE_URL", "API_KEY"}
    assert container["startupProbe"]["httpGet"]["path"] == "/health"
    assert template["spec"]["containerConcurrency"] == 20
    assert template["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"] == "4"

    passes("smoke")
    assert service.tokens == {f"Bearer {TOKEN}"}
    passes("promote")
    assert cloud_run.serving == second
    passes("rollback")
    assert cloud_run.serving == first
    third = deployed()
    assert cloud_run.serving == first, "still the old one, until the new one has been tried"
    passes("promote")
    assert cloud_run.serving == third, "a roll-back does not keep later deployments from serving"


def test_revision_that_does_not_start_fails_and_the_old_one_serves(cloud_run: CloudRun, tmp_path: Path) -> None:
    copy_scripts(tmp_path)
    assert script(cloud_run, tmp_path, "candidate", "europe-west1-docker.pkg.dev/demo-proj/a/api:1").returncode == 0
    first = cloud_run.serving
    run = script(cloud_run, tmp_path, "candidate", "europe-west1-docker.pkg.dev/demo-proj/a/api:dead")
    assert run.returncode == 1
    assert "The container did not start" in run.stderr
    assert cloud_run.serving == first

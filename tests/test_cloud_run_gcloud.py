"""deploy/cloud_run.sh with the real gcloud: it parses every flag and sends its requests to a small Cloud Run here.

Needs gcloud; says so when it is absent. The identity token and the roles behind it are Google's, not emulated.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.clouds import ROOT, Service

VERSION = "20220304T03-1a2b3c4d"
APIS = ("RUN", "SERVICEUSAGE", "CLOUDRESOURCEMANAGER", "IAM")


class CloudRun:
    """services of serving.knative.dev: what gcloud sends is kept, traffic and tags are resolved as Cloud Run does."""

    def __init__(self, candidate: str) -> None:
        self.candidate = candidate  # the address of tagged revisions
        self.requests: list[str] = []
        self.service: dict[str, Any] | None = None
        self.revisions: list[str] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = re.sub(r"^http://[^/]+", "", self.path).partition("?")[0]
                status, answer = stand_in.answer(self.command, path, json.loads(body) if body else {})
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self._answer()

            do_POST = do_PUT = do_GET  # noqa: N815 http.server's names

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.requests.append(f"{method} {path}")
        if ".googleapis.com" in path:
            return 200, {"name": path, "state": "ENABLED"}
        if path.endswith("IamPolicy"):
            return 200, {"etag": "AAAA", "bindings": []}
        if "/services" not in path:
            return 404, {"error": {"code": 404, "message": path, "status": "NOT_FOUND"}}
        if method in ("POST", "PUT"):
            self.store(body)
        if self.service is None:
            return 404, {"error": {"code": 404, "message": "no service", "status": "NOT_FOUND"}}
        return 200, self.service

    def store(self, service: dict[str, Any]) -> None:
        before = self.service
        if before is None or before["spec"]["template"] != service["spec"]["template"]:
            named = service["spec"]["template"].get("metadata", {}).get("name")  # gcloud names those it tags
            self.revisions.append(named or f"actioncast-{len(self.revisions) + 1:05d}-abc")
        service["metadata"] |= {
            "generation": 1 + len(self.requests),
            "resourceVersion": "1",
            "uid": "u",
            "selfLink": "/x",
        }
        ready = [{"type": kind, "status": "True"} for kind in ("Ready", "ConfigurationsReady", "RoutesReady")]
        service["status"] = {
            "observedGeneration": service["metadata"]["generation"],
            "url": "https://actioncast-demo.a.run.app",
            "latestCreatedRevisionName": self.revisions[-1],
            "latestReadyRevisionName": self.revisions[-1],
            "conditions": ready,
            "traffic": [self.resolved(target) for target in service["spec"].get("traffic") or [{"percent": 100}]],
        }
        self.service = service

    def resolved(self, target: dict[str, Any]) -> dict[str, Any]:
        tagged = {"url": self.candidate} if target.get("tag") else {}
        return target | {"revisionName": target.get("revisionName") or self.revisions[-1]} | tagged

    @property
    def serving(self) -> str:
        """The revision with all the traffic."""
        assert self.service
        (name,) = {t["revisionName"] for t in self.service["status"]["traffic"] if t.get("percent") == 100}
        return str(name)


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service(VERSION)
    yield running
    running.close()


@pytest.fixture
def cloud_run(service: Service) -> Iterator[CloudRun]:
    if not shutil.which("gcloud"):
        pytest.skip("gcloud is not installed: cloud.google.com/sdk/docs/install")
    stand_in = CloudRun(service.url)
    yield stand_in
    stand_in.close()


def script(cloud_run: CloudRun, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "PROJECT": "demo-proj",
        "REGION": "europe-west1",
        "RUN_ACCOUNT": "actioncast-run@demo-proj.iam.gserviceaccount.com",
        "DEPLOY_ACCOUNT": "actioncast-deploy@demo-proj.iam.gserviceaccount.com",
        "CLOUD_SQL_INSTANCE": "demo-proj:europe-west1:actioncast",
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": "not-a-token",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "1",
        # gcloud puts the region in front of the host: only a proxy catches that.
        "CLOUDSDK_PROXY_TYPE": "http",
        "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
        "CLOUDSDK_PROXY_PORT": str(cloud_run.port),
        **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}": f"http://{api.lower()}.invalid/" for api in APIS},
    }
    return subprocess.run(
        [str(folder / "deploy/cloud_run.sh"), *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def test_candidate_smoke_promote_and_rollback_with_the_real_gcloud(
    cloud_run: CloudRun, service: Service, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    shim = tmp_path / "bin/gcloud"  # nobody is logged in here, and gcloud makes no identity token for nobody
    shim.parent.mkdir()
    real = shutil.which("gcloud")
    shim.write_text(
        f'#!/bin/sh\n[ "$2" != print-identity-token ] || exec echo head.payload.signature\nexec {real} "$@"\n'
    )
    shim.chmod(0o755)
    (tmp_path / "model/demo").mkdir(parents=True)
    (tmp_path / "model/demo/card.json").write_text(json.dumps({"series": "demo", "version": VERSION}))

    def passes(*arguments: str) -> None:
        run = script(cloud_run, tmp_path, *arguments)
        assert run.returncode == 0, run.stdout + run.stderr

    passes("candidate", "europe-west1-docker.pkg.dev/demo-proj/actioncast/api:1")
    first = cloud_run.serving
    passes("candidate", "europe-west1-docker.pkg.dev/demo-proj/actioncast/api:2")
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
    assert set(service.tokens) == {"Bearer head.payload.signature"}
    passes("promote")
    second = cloud_run.serving
    assert second != first
    assert second == cloud_run.revisions[-1]
    passes("rollback")
    assert cloud_run.serving == first

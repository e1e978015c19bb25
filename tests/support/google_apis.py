"""Google's APIs for the real gcloud: resources kept by path, roles, and operations that are done at once."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.json_server import JsonServer, Request

PROJECT = "projects/demo-proj"
APIS = ["ARTIFACTREGISTRY", "CLOUDBUILD", "CLOUDRESOURCEMANAGER", "CLOUDSCHEDULER", "IAM", "RUN", "SECRETMANAGER"]
APIS += ["SERVICEUSAGE", "SQL"]
AT_ONCE = {"jobs", "secrets", "serviceAccounts", "triggers", "versions"}  # others change by an operation
Answer = tuple[int, dict[str, Any]]


def real_gcloud() -> str:
    """Path of the program; skips the test without it."""
    path = shutil.which("gcloud")
    if path is None:
        pytest.skip("gcloud is not installed: cloud.google.com/sdk/docs/install")
    return path


def refused(code: int, status: str, name: str) -> Answer:
    return code, {"error": {"code": code, "status": status, "message": name}}


class GoogleApis(JsonServer):
    """`resources`: what is there, by its path without API and version; `policies`: who may do what with it.

    Everything that is regular about these APIs and nothing else: services on Cloud Run are in cloud_run.py.
    """

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.resources: dict[str, Any] = {PROJECT: {"projectId": "demo-proj", "projectNumber": "123456789"}}
        self.policies: dict[str, Any] = {}

    @property
    def writes(self) -> list[str]:
        """Requests that change something, as "METHOD path"."""
        lines = [f"{request.method} {request.path}" for request in self.requests]
        return [line for line in lines if not line.startswith("GET") and ":getIamPolicy" not in line]

    def answer(self, request: Request) -> Answer:
        url = urlsplit(request.path)
        name, _, verb = re.sub(r"^/(apis/[^/]+/|sql/)?\w+/", "", url.path).replace("projects/-", PROJECT).partition(":")
        if verb == "getIamPolicy":
            return 200, self.policies.get(name, {"etag": "AAAA"})
        if request.method == "GET":
            return self.read(name)
        if request.method == "DELETE":
            return self.delete(name)
        return self.write(name, verb, dict(parse_qsl(url.query)), json.loads(request.body))

    def read(self, name: str) -> Answer:
        name = name.replace("/versions/latest", "/versions/1")
        parent, _, collection = name.rpartition("/")
        if name in self.resources:
            return 200, self.resources[name]
        if parent.endswith("/operations"):
            return 200, {"name": name, "done": True, "status": "DONE", "response": {}}
        if collection in ("services", "versions"):
            return 200, {collection: [self.resources[key] for key in self.resources if key.startswith(f"{name}/")]}
        return refused(404, "NOT_FOUND", name)

    def write(self, name: str, verb: str, query: dict[str, str], sent: dict[str, Any]) -> Answer:
        if verb == "setIamPolicy":
            self.policies[name] = sent["policy"]
            return 200, sent["policy"]
        if verb == "batchEnable":
            self.resources |= {f"{name}/{api}": {"config": {"name": api}} for api in sent["serviceIds"]}
            return self.changed(f"{name}/all")
        short = next((value for key, value in query.items() if key.endswith("Id")), sent.get("name", "1"))
        if verb == "addVersion":
            name += "/versions"
        if "accountId" in sent:
            short = f"{sent['accountId']}@demo-proj.iam.gserviceaccount.com"
        name = f"{name}/{short.rpartition('/')[2]}"
        if name in self.resources and "name" not in query:
            return refused(409, "ALREADY_EXISTS", name)
        made = {"name": name, "id": short, "state": "ACTIVE", "clientSpecifiedPayloadChecksum": True}
        self.resources[name] = sent | made
        return self.changed(name)

    def delete(self, name: str) -> Answer:
        if "/workloadIdentityPools/" in name:
            self.resources[name]["state"] = "DELETED"  # kept for 30 days
            return self.changed(name)
        for table in (self.resources, self.policies):
            for key in [key for key in table if key == name or key.startswith(f"{name}/")]:
                del table[key]
        return self.changed(name)

    def changed(self, name: str) -> Answer:
        """The resource itself, or the operation that has changed it."""
        if name.split("/")[-2] in AT_ONCE:
            return 200, self.resources.get(name, {})
        location = re.match(r"projects/[^/]+(/locations/[^/]+)?", name)
        return self.read(f"{location[0] if location else ''}/operations/1")

    def environment(self, folder: Path, **variables: str) -> dict[str, str]:
        """Variables for a script whose gcloud talks to this; of the caller's own only PATH and what docker needs."""
        of_docker = {
            key: value for key, value in os.environ.items() if key.startswith(("DOCKER_", "CONTAINERS_", "BUILDAH_"))
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
            "CLOUDSDK_AUTH_ACCESS_TOKEN": "not-a-token",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "1",
            # gcloud puts the region in front of the host: only a proxy catches that.
            "CLOUDSDK_PROXY_TYPE": "http",
            "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
            "CLOUDSDK_PROXY_PORT": str(self.port),
            **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}": f"http://{api.lower()}.invalid/" for api in APIS},
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS": f"{self.url}/",  # without the proxy
            **of_docker,
            **variables,
        }

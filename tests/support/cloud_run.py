"""A small Cloud Run for the real gcloud: it keeps what it is sent, and resolves traffic and tags as Cloud Run does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.support.google_apis import Answer, GoogleApis, refused
from tests.support.json_server import Request


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


TOKEN = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part({'exp': 4_000_000_000})}.{_part({})}"  # gcloud looks into it


class CloudRun(GoogleApis):
    """Services of serving.knative.dev, and identity tokens. `launch` takes an image and returns where it answers."""

    def __init__(self, launch: Callable[[str], str | None]) -> None:
        super().__init__()
        self.launch = launch  # it returns None for an image that does not start
        self.service: dict[str, Any] | None = None
        self.revisions: dict[str, str] = {}  # name -> address

    def answer(self, request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path.endswith(":generateAccessToken"):  # gcloud asks for this one first
            return 200, {"accessToken": "impersonated", "expireTime": "2099-01-01T00:00:00Z"}
        if path.endswith(":generateIdToken"):
            return 200, {"token": TOKEN}
        if path.endswith(".googleapis.com"):
            return 200, {"name": path, "state": "ENABLED"}
        if not path.startswith("/apis/serving.knative.dev/"):
            return super().answer(request)
        if request.method != "GET":
            self.store(json.loads(request.body))
        return (200, self.service) if self.service else refused(404, "NOT_FOUND", path)

    def store(self, service: dict[str, Any]) -> None:
        """A new template is a new revision. One that does not start changes nothing but the conditions."""
        before = self.service
        template = service["spec"]["template"]
        generation = 1 + len(self.requests)
        service["metadata"] |= {"generation": generation, "resourceVersion": "1", "uid": "u", "selfLink": "/x"}
        address: str | None = ""
        if before is None or before["spec"]["template"] != template:
            address = self.launch(template["spec"]["containers"][0]["image"])
        if address:  # gcloud names the revisions that it tags
            name = template.get("metadata", {}).get("name") or f"actioncast-{len(self.revisions) + 1:05d}-abc"
            self.revisions[name] = address
        newest = next(reversed(self.revisions), None)
        traffic = [self.resolved(target) for target in service["spec"].get("traffic") or [{"percent": 100}]]
        service["status"] = {
            "observedGeneration": generation,
            "url": "https://actioncast-demo.a.run.app",
            "latestCreatedRevisionName": newest,
            "latestReadyRevisionName": newest,
            "conditions": [
                {"type": kind, "status": str(address is not None), "message": "The container did not start"}
                for kind in ("Ready", "ConfigurationsReady", "RoutesReady")
            ],
            "traffic": before["status"]["traffic"] if before and address is None else traffic,
        }
        self.service = service

    def resolved(self, target: dict[str, Any]) -> dict[str, Any]:
        name = target.get("revisionName") or next(reversed(self.revisions), "none")
        return target | {"revisionName": name} | ({"url": self.revisions.get(name)} if target.get("tag") else {})

    @property
    def serving(self) -> str:
        """The revision with all the traffic."""
        assert self.service
        (name,) = {t["revisionName"] for t in self.service["status"]["traffic"] if t.get("percent") == 100}
        return str(name)

"""A small Cloud Run for the real gcloud: it keeps what it is sent, and resolves traffic and tags as Cloud Run does."""

from __future__ import annotations

import base64
import json
import os
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

APIS = ("RUN", "SERVICEUSAGE", "CLOUDRESOURCEMANAGER", "IAM")


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


TOKEN = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part({'exp': 4_000_000_000})}.{_part({})}"  # gcloud looks into it


class CloudRun:
    """services of serving.knative.dev, and identity tokens. `start` takes an image and tells where it answers."""

    def __init__(self, start: Callable[[str], str | None]) -> None:
        self.start = start  # None: it does not get up
        self.requests: list[str] = []
        self.service: dict[str, Any] | None = None
        self.revisions: dict[str, str] = {}  # name -> address
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
        if path.endswith(":generateAccessToken"):  # gcloud asks for this one first
            return 200, {"accessToken": "impersonated", "expireTime": "2099-01-01T00:00:00Z"}
        if path.endswith(":generateIdToken"):
            return 200, {"token": TOKEN}
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
        """A new template is a new revision. One that does not start changes nothing but the conditions."""
        before, template = self.service, service["spec"]["template"]
        generation = 1 + len(self.requests)
        service["metadata"] |= {"generation": generation, "resourceVersion": "1", "uid": "u", "selfLink": "/x"}
        address: str | None = ""
        if before is None or before["spec"]["template"] != template:
            address = self.start(template["spec"]["containers"][0]["image"])
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

    def environment(self, folder: Path, **variables: str) -> dict[str, str]:
        """For a script whose gcloud shall talk to this; of the caller's environment only PATH and what docker needs."""
        kept = {
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
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS": f"http://127.0.0.1:{self.port}/",  # without the proxy
            **kept,
            **variables,
        }

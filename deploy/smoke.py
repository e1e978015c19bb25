"""Smoke-test a running service: is it ready, does it serve these champions, does it forecast? Standard library only.

    python -m deploy.smoke http://127.0.0.1:8080 --forecast
    python -m deploy.smoke https://candidate---actioncast-xyz.a.run.app --champions model
    python -m deploy.smoke --alive                  # the container's own health check

Asks /ready until the database answers and every champion can be loaded. Old data do not fail it, they are said: they
are not the new revision's fault, and must not stop its deployment. With --champions, /health must name the version of
every card there, by series. $SMOKE_TOKEN is sent as a bearer token, $API_KEY as X-API-Key; neither is ever printed.
Exit codes: 0 all well, 1 not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 20


class SmokeError(Exception):
    """The service is not what was deployed."""


class PrivateError(SmokeError):
    """It answers only to an identity token, and there is none: asking again does not help."""

    def __init__(self, asked: str) -> None:
        super().__init__(
            f"{asked} answered 403: the service is private and $SMOKE_TOKEN holds no identity token. On Cloud Run"
            " the account that deploys needs roles/iam.serviceAccountTokenCreator on itself, or make the service public"
        )


def ask(url: str, method: str = "GET", accept: Sequence[int] = (200,)) -> Any:
    """The parsed JSON of an accepted status. Raises SmokeError for any other answer, and for none."""
    token = os.environ.get("SMOKE_TOKEN")
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if key := os.environ.get("API_KEY"):
        headers["X-API-Key"] = key.partition(",")[0]
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 the caller's own service
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            body = error.read().decode(errors="replace")
        if error.code == 403 and not token:
            raise PrivateError(f"{method} {url}") from None
        if error.code not in accept:
            raise SmokeError(f"{method} {url} answered {error.code}: {body[:300]}") from None
        try:
            return json.loads(body)
        except ValueError:
            raise SmokeError(f"{method} {url} answered {error.code} without JSON: {body[:300]}") from None
    except (OSError, ValueError) as error:
        raise SmokeError(f"{method} {url}: {error}") from None


def ready(url: str) -> None:
    """Raises SmokeError when anything but the age of the data is wrong."""
    answer = ask(f"{url}/ready", accept=(200, 503))
    if not isinstance(answer, dict):
        raise SmokeError(f"{url}/ready: expected an object, got {answer!r}")
    failed = [check for check in answer.get("checks", []) if not check.get("ok")]
    grave = [f"{check.get('name')}: {check.get('detail')}" for check in failed if check.get("name") != "data"]
    if grave or not (answer.get("ready") or failed):
        raise SmokeError(f"{url} is not ready: {'; '.join(grave) or answer}")
    for check in failed:
        print(f"warning: {check.get('series')}: {check.get('detail')}")


def wait_until_ready(url: str, seconds: float) -> None:
    """Ask until it is ready; a service that never is fails with its last answer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ready(url)
            return
        except SmokeError as error:
            if isinstance(error, PrivateError) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def versions(folder: Path) -> dict[str, str]:
    """Series -> version, from the cards in `folder`. Raises SmokeError for a card that cannot be read."""
    found = {}
    for path in sorted(folder.glob("*/card.json")):
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
            found[str(card["series"])] = str(card["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise SmokeError(f"{path} is no card: {type(error).__name__}: {error}") from None
    return found


def check_versions(health: Any, wanted: dict[str, str]) -> None:
    """The answer of /health must name every wanted version."""
    served = health.get("models", {}) if isinstance(health, dict) else {}
    for series, version in wanted.items():
        if served.get(series) != version:
            raise SmokeError(f"expected version {version} of {series} to be served, got {served.get(series)}")


def check_forecast(url: str) -> str:
    """One forecast of a day."""
    answer = ask(f"{url}/forecast?num_predictions=24", "POST")
    hours = len(answer["predictions"])
    if hours != 24:
        raise SmokeError(f"POST /forecast: expected 24 hours, got {hours}")
    return f"{hours} hours from {answer['predictions'][0]['prediction_date']} by {answer['model_version']}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default=f"http://127.0.0.1:{os.environ.get('PORT') or 8080}")
    parser.add_argument("--champions", type=Path, help="folder of champions that must be served, e.g. model")
    parser.add_argument("--forecast", action="store_true", help="make one forecast; it is stored")
    parser.add_argument("--alive", action="store_true", help="ask /health once, nothing else")
    parser.add_argument("--wait", type=float, default=60, help="seconds to become ready (default: 60)")
    arguments = parser.parse_args(argv)
    url = arguments.url.rstrip("/")
    begun = time.monotonic()
    try:
        if arguments.alive:
            ask(f"{url}/health")
            return 0
        wanted = versions(arguments.champions) if arguments.champions else {}
        wait_until_ready(url, arguments.wait)
        health = ask(f"{url}/health")
        check_versions(health, wanted)
        said = [f"ready after {time.monotonic() - begun:.1f} s"]
        if isinstance(health, dict) and health.get("revision"):
            said.append(f"revision {health['revision']}")
        said += [f"{series} is served by {version}" for series, version in wanted.items()]
        if arguments.forecast:
            said.append(check_forecast(url))
    except SmokeError as error:
        print(f"smoke test failed: {error}", file=sys.stderr)
        return 1
    print("smoke test passed: " + "; ".join(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())

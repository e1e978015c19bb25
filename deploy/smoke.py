"""Smoke-test a running service: is it ready, does it serve these champions, does it forecast? Standard library only.

    python -m deploy.smoke http://127.0.0.1:8080 --forecast
    python -m deploy.smoke https://candidate---actioncast-xyz.a.run.app --champions model
    python -m deploy.smoke --alive                  # the container's own health check

Asks /ready until the database answers and every champion can be loaded. Old data are a warning and no failure: they are
not the new revision's fault, and must not stop its deployment. With --champions, /health must name the version of every
card there, by series. $SMOKE_TOKEN is sent as a bearer token, $API_KEY as X-API-Key; neither is ever printed.
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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actioncast.paths import CARD

TIMEOUT_SECONDS = 20
SHOWN_CHARACTERS = 300  # of an answer


class SmokeError(Exception):
    """The service is not what was deployed."""


class PrivateError(SmokeError):
    """It answers only to an identity token, and there is none: asking again does not help."""

    def __init__(self, request: str) -> None:
        super().__init__(
            f"{request} answered 403: the service is private and $SMOKE_TOKEN holds no identity token. On Cloud Run"
            " the account that deploys needs roles/iam.serviceAccountTokenCreator on itself, or make the service public"
        )


def ask(url: str, method: str = "GET", accept: Sequence[int] = (200,)) -> Any:
    """The parsed JSON of an accepted status. Raises SmokeError for any other answer, and for none."""
    headers = _headers()
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 the caller's own service
    try:
        status, body = _answer(request)
    except OSError as error:
        raise SmokeError(f"{method} {url}: {error}") from None
    except ValueError as error:  # its message may quote a header, and so a secret
        raise SmokeError(f"{method} {url}: {type(error).__name__}") from None
    if status == 403 and "Authorization" not in headers:
        raise PrivateError(f"{method} {url}")
    if status not in accept:
        raise SmokeError(f"{method} {url} answered {status}: {body[:SHOWN_CHARACTERS]}")
    try:
        return json.loads(body)
    except ValueError:
        raise SmokeError(f"{method} {url} answered {status} without JSON: {body[:SHOWN_CHARACTERS]}") from None


def _headers() -> dict[str, str]:
    headers = {"Accept": "application/json"}
    token = os.environ.get("SMOKE_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    keys = os.environ.get("API_KEY")
    if keys:
        headers["X-API-Key"] = keys.partition(",")[0]
    return headers


def _answer(request: urllib.request.Request) -> tuple[int, str]:
    """Status and body, whatever the status."""
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return response.status, response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


def ready(url: str) -> None:
    """Raises SmokeError when anything but the age of the data is wrong."""
    answer = ask(f"{url}/ready", accept=(200, 503))
    if not isinstance(answer, dict):
        raise SmokeError(f"{url}/ready: expected an object, got {answer!r}")
    old_data = []
    faults = []
    for check in answer.get("checks", []):
        if check.get("ok"):
            continue
        if check.get("name") == "data":
            old_data.append(f"{check.get('series')}: {check.get('detail')}")
        else:
            faults.append(f"{check.get('name')}: {check.get('detail')}")
    explained = answer.get("ready") or old_data
    if faults or not explained:
        raise SmokeError(f"{url} is not ready: {'; '.join(faults) or answer}")
    for warning in old_data:
        print(f"warning: {warning}")


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
    expected = {}
    for path in sorted(folder.glob(f"*/{CARD}")):
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
            expected[str(card["series"])] = str(card["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise SmokeError(f"{path} is no card: {type(error).__name__}: {error}") from None
    return expected


def check_versions(health: Any, expected: Mapping[str, str]) -> None:
    """The answer of /health must name every expected version."""
    served = health.get("models", {}) if isinstance(health, dict) else {}
    for series, version in expected.items():
        if served.get(series) != version:
            raise SmokeError(f"expected version {version} of {series} to be served, got {served.get(series)}")


def check_forecast(url: str) -> str:
    """Make one forecast of a day, and describe it."""
    answer = ask(f"{url}/forecast?num_predictions=24", "POST")
    predictions = answer["predictions"]
    if len(predictions) != 24:
        raise SmokeError(f"POST /forecast: expected 24 hours, got {len(predictions)}")
    first = predictions[0]["prediction_date"]
    return f"{len(predictions)} hours from {first} by {answer['model_version']}"


def smoke_test(url: str, *, champions: Path | None, makes_forecast: bool, wait_seconds: float) -> list[str]:
    """What was seen, in words. Raises SmokeError for the first thing that is wrong."""
    begun = time.monotonic()
    expected = versions(champions) if champions else {}
    wait_until_ready(url, wait_seconds)
    health = ask(f"{url}/health")
    check_versions(health, expected)
    findings = [f"ready after {time.monotonic() - begun:.1f} s"]
    if isinstance(health, dict) and health.get("revision"):
        findings.append(f"revision {health['revision']}")
    for series, version in expected.items():
        findings.append(f"{series} is served by {version}")
    if makes_forecast:
        findings.append(check_forecast(url))
    return findings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    port = os.environ.get("PORT") or 8080
    parser.add_argument("url", nargs="?", default=f"http://127.0.0.1:{port}")
    parser.add_argument(
        "--champions",
        type=Path,
        help="folder of champions that must be served, e.g. model",
    )
    parser.add_argument("--forecast", action="store_true", help="make one forecast; it is stored")
    parser.add_argument("--alive", action="store_true", help="ask /health once, nothing else")
    parser.add_argument("--wait", type=float, default=60, help="seconds to become ready (default: 60)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    url = arguments.url.rstrip("/")
    try:
        if arguments.alive:
            ask(f"{url}/health")
            return 0
        findings = smoke_test(
            url,
            champions=arguments.champions,
            makes_forecast=arguments.forecast,
            wait_seconds=arguments.wait,
        )
    except SmokeError as error:
        print(f"smoke test failed: {error}", file=sys.stderr)
        return 1
    print("smoke test passed: " + "; ".join(findings))
    return 0


if __name__ == "__main__":
    sys.exit(main())

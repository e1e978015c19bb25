"""Canary secrets: random values planted as secrets, which must appear nowhere that anybody else can read.

A value that the runner masked (***) is not there. Looked for are either end of the value and its base64: masking covers
whole secrets only, so a password cut out of DATABASE_URL would show.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

from .act_records import Run
from .github_stand_in import GitHub

SHORTEST_LEAK = 12  # characters


class Canaries:
    """`secrets` goes to the run, `assert_unseen` comes after it."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self._canaries: dict[str, str] = {}

    def plant(self, name: str, template: str = "{canary}") -> str:
        """A secret `name` with a random value inside `template`, e.g. "postgresql://app:{canary}@127.0.0.1/db"."""
        self._canaries[name] = secrets.token_hex(16)
        self.secrets[name] = template.format(canary=self._canaries[name])
        return self.secrets[name]

    def seen(self, github: GitHub, *runs: Run) -> list[str]:
        """Where a canary, or the token of a run, can be read: "DATABASE_URL in the log of retrain.yml"."""
        hidden = self._canaries | {f"GITHUB_TOKEN of run {run.id}": run.token for run in runs if run.token}
        places = [*_public_places(github), *(place for run in runs for place in _places_of(run))]
        return [
            f"{name} in {where}"
            for name, value in hidden.items()
            for where, text in places
            if any(needle in text for needle in _needles(value))
        ]

    def assert_unseen(self, github: GitHub, *runs: Run) -> None:
        found = self.seen(github, *runs)
        assert not found, "secrets leaked: " + "; ".join(found)


def _needles(value: str) -> list[bytes]:
    """Both ends of the value and of each part of a token, and the part of its base64 that does not depend on what
    stands around it."""
    encoded = [base64.b64encode(b" " * offset + value.encode())[4:-4][:20] for offset in range(3)]
    parts = [part for part in [value, *value.split(".")] if len(part) >= SHORTEST_LEAK]
    ends = [end.encode() for part in parts for end in (part[:SHORTEST_LEAK], part[-SHORTEST_LEAK:])]
    return [*ends, *encoded]


def _places_of(run: Run) -> Iterator[tuple[str, bytes]]:
    yield f"the log of {run.file}", run.log.encode()
    yield f"a step summary of {run.file}", run.summary.encode()
    files = run.artifacts.rglob("*") if run.artifacts else iter(())
    yield from ((f"artifact {path.name} of {run.file}", path.read_bytes()) for path in files if Path.is_file(path))


def _public_places(github: GitHub) -> Iterator[tuple[str, bytes]]:
    yield "the issues and pull requests", json.dumps([github.issues, github.comments]).encode()
    yield "the repository", github.repository.everything()
    yield from ((f"the published page {name}", content) for name, content in github.pages.items())
    for request in github.requests:
        headers = {name: value for name, value in request.headers.items() if name != "Authorization"}
        where = f"the request {request.method} {request.path}"
        yield where, f"{request.path}?{request.query} {headers}".encode() + request.body

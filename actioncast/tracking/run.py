"""One training as every tracker gets it, and the contract of a tracker."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, unquote

from actioncast.redaction import mask_values

GIT_TIMEOUT_SECONDS = 10
MESSAGE_CHARACTERS = 600  # servers answer errors with whole pages
SHORTEST_PIECE = 3  # of a password; shorter pieces occur in any message
SHORTEST_SECRET = 6  # in variables of the environment; masking a shorter one would only garble the message


class TrackingError(RuntimeError):
    """A tracker could not record a run; the message carries no secret and neither does its context."""


@dataclass(frozen=True)
class TrainingRun:
    """One training, as every tracker sees it.

    `run_id` is a uuid4 in hex. Times are aware and UTC; `window_start` and `window_end` are hour starts and `hours` the
    number of hours in the window. `leaderboard` has one row per candidate: candidate, mae (unit of the series), mase
    (ratio), seconds; a skipped candidate has None there and a `note`. `champion` is None at the first training.
    `settings` is flat and JSON-able. `files` exist when the run is recorded.

    Raises ValueError when a time carries no zone.
    """

    run_id: str
    series_id: str
    started_at: datetime
    finished_at: datetime
    window_start: datetime
    window_end: datetime
    hours: int
    leaderboard: list[dict[str, Any]]
    champion: dict[str, Any] | None
    challenger: dict[str, Any]
    verdict: Literal["promoted", "kept"]
    reason: str
    git_sha: str | None
    library_versions: dict[str, str]
    settings: dict[str, Any]
    files: list[Path]

    def __post_init__(self) -> None:
        for name in ("started_at", "finished_at", "window_start", "window_end"):
            moment: datetime = getattr(self, name)
            if moment.utcoffset() is None:
                raise ValueError(f"{name}: expected an aware UTC time, got {moment.isoformat()} without a zone")

    @property
    def version(self) -> str | None:
        """The model version that serves after this run: the challenger's if promoted, else the champion's."""
        winner = self.challenger if self.verdict == "promoted" else self.champion
        version = (winner or {}).get("version") or (self.champion or {}).get("version")
        return None if version is None else str(version)


class Tracker(Protocol):
    """A place that keeps training runs."""

    name: str

    def record(self, run: TrainingRun) -> str:
        """Store the run and return one line that says where to find it. Raises TrackingError."""
        ...


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Installed version of each distribution name; one that is not installed is left out."""
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def git_sha(directory: Path) -> str | None:
    """The commit that runs: GITHUB_SHA, else HEAD of `directory`; None outside git, without git or without a commit."""
    if sha := os.environ.get("GITHUB_SHA"):
        return sha
    command = ["git", "-C", str(directory), "rev-parse", "--verify", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def scores_of(run: TrainingRun, separator: str) -> dict[str, float]:
    """Every number of the leaderboard and of both models: {"mae<separator>ridge": …, "champion<separator>mae": …}."""
    scores = {}
    for row in run.leaderboard:
        numbers = {key: value for key, value in row.items() if is_number(value)}
        scores.update(
            {f"{key}{separator}{short_key(row['candidate'])}": float(value) for key, value in numbers.items()}
        )
    for role, model in (("champion", run.champion), ("challenger", run.challenger)):
        numbers = {key: value for key, value in (model or {}).items() if is_number(value)}
        scores.update({f"{role}{separator}{key}": float(value) for key, value in numbers.items()})
    return scores


def is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def short_key(name: Any) -> str:
    """A name that both trackers accept: letters, digits and `_ . - space`."""
    return re.sub(r"[^\w. -]", "_", str(name))


def short_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def guarded(service: str, packages: str, secrets: frozenset[str], action: Callable[[], str]) -> str:
    """Run `action`; whatever it raises becomes a TrackingError without secrets, raised outside the handler so that
    the original, which may show them, is not chained to it."""
    try:
        return action()
    except ModuleNotFoundError as error:
        reason = f"the package {error.name} is missing: pip install {packages}"
    except Exception as error:  # noqa: BLE001 - mlflow hands through requests, SQLAlchemy, boto3 …
        reason = explain_failure(error, secrets)
    raise TrackingError(f"{service}: {reason}")


def explain_failure(error: Exception, secrets: frozenset[str]) -> str:
    """One line: the error's kind, unless it is ours, and its masked message."""
    kind = "" if isinstance(error, TrackingError) else f"{type(error).__name__}: "
    text = " ".join(mask_values(str(error), secrets).split())
    return kind + (text if len(text) <= MESSAGE_CHARACTERS else text[:MESSAGE_CHARACTERS] + " …")


def secret_values(uri: str, variables: Mapping[str, str]) -> frozenset[str]:
    """Password and secret parameters of the URI, and the values of variables named like one.

    The password counts as written, decoded, and in pieces: one with an unescaped `@` or `/` is cut there by the
    database driver, which then reports the piece as a host that does not exist.
    """
    userinfo = userinfo_of(uri)
    password = userinfo.partition(":")[2]
    pieces = {piece for piece in re.split(r"[@/?#:]", password) if len(piece) >= SHORTEST_PIECE}
    parameters = {value for name, value in parse_qsl(uri.partition("?")[2]) if sounds_secret(name)}
    named = {value for name, value in variables.items() if sounds_secret(name) and len(value) >= SHORTEST_SECRET}
    return frozenset({userinfo, password, unquote(password)} | pieces | parameters | named) - {""}


def userinfo_of(uri: str) -> str:
    """What stands before the host; in a database URI up to the last `@`, so that no part of a password is missed."""
    scheme, _, rest = uri.partition("://")
    if scheme.startswith("sqlite"):
        return ""
    authority = re.split(r"[/?#]", rest)[0] if scheme.startswith("http") else rest
    return authority.rpartition("@")[0]


def sounds_secret(name: str) -> bool:
    return re.search(r"pass|token|secret|key", name, re.IGNORECASE) is not None


def shown_uri(uri: str) -> str:
    """The URI as it may be printed: without user, password and parameters."""
    scheme, separator, rest = uri.partition("://")
    visible = rest.removeprefix(f"{userinfo_of(uri)}@")
    return f"{scheme}{separator}{visible.partition('?')[0]}"


@contextmanager
def process_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the process for a while: MLflow and Neptune take some settings from nowhere else."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


LIBRARIES = ("numpy", "scikit-learn", "skforecast", "lightgbm", "pandas")

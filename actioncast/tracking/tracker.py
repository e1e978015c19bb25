"""What every tracker is and does alike: the contract, errors without secrets, settings for a while."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from actioncast.errors import ActioncastError
from actioncast.redaction import masked, redacted
from actioncast.tracking.run import TrainingRun

MESSAGE_CHARACTERS = 600  # of a reason: servers answer errors with whole pages


class TrackingError(ActioncastError):
    """A tracker could not record a run; the message carries no secret and neither does its context."""


class Tracker(Protocol):
    """A service or a folder that keeps training runs."""

    name: str

    def record(self, run: TrainingRun) -> str:
        """Store the run and return one line that says where to find it. Raises TrackingError."""
        ...


def guarded(
    action: Callable[[], str],
    *,
    service: str,
    packages: str,
    secrets: frozenset[str],
) -> str:
    """The result of `action`; whatever it raises becomes a TrackingError without secrets.

    `packages` are what pip must install when a module is missing.
    """
    try:
        return action()
    except ModuleNotFoundError as error:
        reason = f"the package {error.name} is missing: pip install {packages}"
    except Exception as error:  # noqa: BLE001 - mlflow hands through requests, SQLAlchemy, boto3 …
        reason = explain_failure(error, secrets)
    # Outside the handler: the original, which may show secrets, must not be chained to the new
    # error.
    raise TrackingError(f"{service}: {reason}")


def explain_failure(error: Exception, secrets: frozenset[str]) -> str:
    """One line: the error's kind, unless it is our own, and its message without secrets."""
    one_line = " ".join(redacted(masked(str(error), secrets)).split())
    if len(one_line) > MESSAGE_CHARACTERS:
        one_line = one_line[:MESSAGE_CHARACTERS] + " …"
    if isinstance(error, TrackingError):
        return one_line
    return f"{type(error).__name__}: {one_line}"


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

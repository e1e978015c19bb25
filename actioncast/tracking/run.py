"""One training run as every tracker gets it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from actioncast.github.git import GitError, git

# The libraries whose versions are recorded: their releases change what a training finds.
LIBRARIES = ("numpy", "scikit-learn", "skforecast", "lightgbm", "pandas", "fracast", "flaircast")


@dataclass(frozen=True)
class TrainingRun:
    """One training, as every tracker sees it.

    `run_id` is a uuid4 in hex. Times are aware and UTC; `window_start` and `window_end` are starts
    of periods and `periods` the number of periods in the window. `leaderboard` has one row per candidate:
    candidate, mae (unit of the series), mase (ratio), seconds; a skipped candidate has None there
    and a `note`. `champion` is None at the first training.
    `settings` is flat and JSON-able. `files` exist when the run is recorded.

    Raises ValueError when a time carries no zone.
    """

    run_id: str
    series_id: str
    started_at: datetime
    finished_at: datetime
    window_start: datetime
    window_end: datetime
    periods: int
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
    def title(self) -> str:
        """What lists of runs show: mempool 2026-03-01 12:30."""
        return f"{self.series_id} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def version(self) -> str | None:
        """The model version that serves after this run: the challenger's if promoted, else the champion's."""
        champion = self.champion or {}
        version = champion.get("version")
        if self.verdict == "promoted":
            version = self.challenger.get("version") or version
        return None if version is None else str(version)

    def models(self) -> dict[str, dict[str, Any]]:
        """Champion and challenger by their role."""
        return {"champion": self.champion or {}, "challenger": self.challenger}


def scores_of(run: TrainingRun, separator: str) -> dict[str, float]:
    """Every number of the leaderboard and of both models: {"mae<separator>ridge": …, "champion<separator>mae": …}."""
    scores = {}
    for row in run.leaderboard:
        candidate = short_key(row["candidate"])
        for key, value in row.items():
            if is_number(value):
                scores[f"{key}{separator}{candidate}"] = float(value)
    for role, model in run.models().items():
        for key, value in model.items():
            if is_number(value):
                scores[f"{role}{separator}{key}"] = float(value)
    return scores


def labels_of(run: TrainingRun, separator: str) -> dict[str, Any]:
    """Everything about both models that is no number: {"champion<separator>name": …}."""
    labels = {}
    for role, model in run.models().items():
        for key, value in model.items():
            if not is_number(value):
                labels[f"{role}{separator}{key}"] = value
    return labels


def notes_of(run: TrainingRun) -> dict[str, Any]:
    """The note of each candidate, None where there is none."""
    return {short_key(row["candidate"]): row.get("note") for row in run.leaderboard}


def is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def short_key(name: Any) -> str:
    """A name that both trackers accept: letters, digits and `_ . - space`."""
    return re.sub(r"[^\w. -]", "_", str(name))


def short_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


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
    on_github = os.environ.get("GITHUB_SHA")
    if on_github:
        return on_github
    try:
        return git(directory, "rev-parse", "--verify", "HEAD")
    except GitError:
        return None

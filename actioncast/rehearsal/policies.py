"""Operating policies: when to retrain. The user's own, a few known ones, and a grid around them."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from actioncast.settings import RetrainSettings, SettingsError

OWN = "config.toml"
TUTORIAL = "tutorial"
NAMED: dict[str, dict[str, Any]] = {
    OWN: {},
    "never": {"mode": "suggest"},
    "daily": {"mode": "suggest", "refresh_hours": 24},
    "weekly": {"mode": "suggest", "refresh_hours": 168},
    TUTORIAL: {},  # has its own recipe, its own hours and its own loop
}


@dataclass(frozen=True)
class Policy:
    """A name, the table [retrain], and how often a training is started whatever the checks say (hours, 0 never)."""

    name: str
    retrain: RetrainSettings
    refresh_hours: int = 0

    def as_toml(self) -> str:
        """The table [retrain] for config.toml."""
        lines = (f"{key} = {_toml(value)}" for key, value in self.retrain.model_dump().items() if value is not None)
        return "\n".join(["[retrain]", *lines])


def read_policies(flags: Sequence[str], grid: Sequence[str], own: RetrainSettings) -> list[Policy]:
    """`--policy NAME`, `--policy NAME:key=value,key=value`, and `--grid key=value,value`: all combinations."""
    named = [_policy(flag, own) for flag in flags]
    spanned = [_grid_policy(combination, own) for combination in _combinations(grid)]
    policies = [*named, *spanned] or [Policy(OWN, own)]
    names = [policy.name for policy in policies]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"a policy is named twice: {', '.join(sorted(repeated))}")
    return policies


def _policy(flag: str, own: RetrainSettings) -> Policy:
    name, _, changes = flag.partition(":")
    if name not in NAMED and not changes:
        raise SettingsError(f"unknown policy {name!r}; there are {', '.join(NAMED)}, or say NAME:key=value,key=value")
    pairs = [_pair(part) for part in changes.split(",") if part]
    return _changed(name, own, NAMED.get(name, {}) | dict(pairs))


def _combinations(grid: Sequence[str]) -> list[tuple[tuple[str, Any], ...]]:
    axes = []
    for flag in grid:
        key, _, values = flag.partition("=")
        axes.append([_pair(f"{key}={value}") for value in values.split(",")])
    return list(itertools.product(*axes)) if axes else []


def _grid_policy(combination: tuple[tuple[str, Any], ...], own: RetrainSettings) -> Policy:
    return _changed(" ".join(f"{key}={value}" for key, value in combination), own, dict(combination))


def _pair(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _changed(name: str, own: RetrainSettings, changes: dict[str, Any]) -> Policy:
    refresh_hours = changes.get("refresh_hours", 0)
    changes = {key: value for key, value in changes.items() if key != "refresh_hours"}
    try:
        retrain = RetrainSettings.model_validate(own.model_dump() | changes)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        allowed = ", ".join([*RetrainSettings.model_fields, "refresh_hours"])
        raise SettingsError(f"policy {name}: {key}: {first['msg']}; keys are {allowed}") from None
    return Policy(name, retrain, int(refresh_hours))


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)

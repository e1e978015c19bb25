"""Operating policies, that is when to retrain: the user's own, some with a name, and a grid around the user's own."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from actioncast.settings import RetrainSettings, SettingsError

OWN = "config.toml"
TUTORIAL = "tutorial"  # has its own recipe, its own hours and its own loop
REFRESH = "refresh_hours"  # the one key of a policy that is no key of [retrain]
NAMED: dict[str, dict[str, Any]] = {
    OWN: {},
    "never": {"mode": "suggest"},
    "daily": {"mode": "suggest", REFRESH: 24},
    "weekly": {"mode": "suggest", REFRESH: 168},
    TUTORIAL: {},
}


@dataclass(frozen=True)
class Policy:
    """A name, the table [retrain], and how often a training starts whatever the checks say (hours, 0 for never)."""

    name: str
    retrain: RetrainSettings
    refresh_hours: int = 0

    def as_toml(self) -> str:
        """The table [retrain] for config.toml."""
        lines = ["[retrain]"]
        for key, value in self.retrain.model_dump().items():
            if value is not None:
                lines.append(f"{key} = {_toml(value)}")
        return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def read_policies(flags: Sequence[str], grid: Sequence[str], own: RetrainSettings) -> list[Policy]:
    """`--policy NAME`, `--policy NAME:key=value,key=value`, and all combinations of `--grid
    key=value,value`.

    Raises SettingsError for an unknown name, an unknown key, a wrong value, or a name that is given
    twice.
    """
    policies = [_named_policy(flag, own) for flag in flags]
    policies += _grid_policies(grid, own)
    names = [policy.name for policy in policies]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        repeated_names = ", ".join(sorted(repeated))
        raise SettingsError(f"a policy is named twice: {repeated_names}")
    return policies or [Policy(OWN, own)]


def _named_policy(flag: str, own: RetrainSettings) -> Policy:
    name, _, assignments = flag.partition(":")
    if name not in NAMED and not assignments:
        names = ", ".join(NAMED)
        raise SettingsError(
            f"unknown policy {name!r}; there are {names}, or say NAME:key=value,key=value",
        )
    changes = dict(NAMED.get(name, {}))
    for text in assignments.split(","):
        if text:
            key, value = _assignment(text)
            changes[key] = value
    return _policy(name, own, changes)


def _grid_policies(grid: Sequence[str], own: RetrainSettings) -> list[Policy]:
    """One policy for each combination of the values; none without a flag."""
    if not grid:
        return []
    axes = [_axis(flag) for flag in grid]
    policies = []
    for combination in itertools.product(*axes):
        name = " ".join(f"{key}={value}" for key, value in combination)
        policies.append(_policy(name, own, dict(combination)))
    return policies


def _axis(flag: str) -> list[tuple[str, Any]]:
    """`key=value,value` -> (key, value) for each value."""
    key, _, values = flag.partition("=")
    return [_assignment(f"{key}={value}") for value in values.split(",")]


def _assignment(text: str) -> tuple[str, Any]:
    """`key=value`, with the value read as TOML; a value that is no TOML counts as a string."""
    key, _, value = text.partition("=")
    try:
        document = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return key, value
    return key, document["value"]


def _policy(name: str, own: RetrainSettings, changes: dict[str, Any]) -> Policy:
    """The user's own policy with some keys changed."""
    refresh_hours = int(changes.get(REFRESH, 0))
    retrain_changes = {key: value for key, value in changes.items() if key != REFRESH}
    table = own.model_dump() | retrain_changes
    try:
        retrain = RetrainSettings.model_validate(table)
    except ValidationError as error:
        raise SettingsError(_wrong_key(name, error)) from None
    return Policy(name, retrain, refresh_hours)


def _wrong_key(name: str, error: ValidationError) -> str:
    errors = error.errors(include_url=False)
    message = errors[0]["msg"]
    key = ".".join(map(str, errors[0]["loc"]))
    allowed_keys = ", ".join([*RetrainSettings.model_fields, REFRESH])
    return f"policy {name}: {key}: {message}; keys are {allowed_keys}"

"""Reading config.toml and the environment; errors that name the key and what to do."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from dotenv import load_dotenv
from pydantic import (
    ValidationError,
)

from actioncast.paths import DEFAULT_CONFIG
from actioncast.settings import (
    SHOWN_CHARACTERS,
    ApiSettings,
    Config,
    Environment,
    FreshnessSettings,
    RetrainSettings,
    SeriesSettings,
    Settings,
    SettingsError,
    SourceSettings,
    Table,
    TrainSettings,
)


def load_settings(path: Path = DEFAULT_CONFIG, variables: Mapping[str, str] | None = None) -> Settings:
    """Read config.toml, .env beside it and the environment (which wins over .env).

    Raises SettingsError for a missing file, TOML that does not parse, and wrong, unknown or missing keys.
    """
    config = _read_config(path)
    folder = path.resolve().parent
    if variables is None:
        load_dotenv(folder / ".env")  # never over what is set already
    environment = Environment.of(os.environ if variables is None else variables)
    return Settings(**dict(config), environment=environment, folder=folder)


def with_rows(settings: Settings, rows: Mapping[str, str]) -> Settings:
    """The settings and the series of the table `series`: its JSON text by name.

    A row that cannot be used is kept aside in `broken`, so that it stops no other; config.toml has the last word on a
    name.
    """
    series = dict(settings.series)
    broken = {}
    for name in sorted(rows.keys() - settings.series.keys()):
        try:
            document = json.dumps({"series": {name: json.loads(rows[name])}})
            series |= Config.model_validate_json(document, strict=True).series
        except ValidationError as error:
            broken[name] = "; ".join(explain(dict(detail)) for detail in error.errors(include_url=False))
        except ValueError as error:
            broken[name] = f"its settings are not JSON: {error}"
    return settings.model_copy(update={"series": series, "broken": broken})


def _read_config(path: Path) -> Config:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; pass --config FILE or restore config.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    try:
        # By way of JSON, strict means what TOML means: "168" is no number, a list is a tuple, a string may be a path.
        return Config.model_validate_json(json.dumps(document, default=str), strict=True)
    except ValidationError as error:
        lines = (f"{path}: {explain(dict(detail))}" for detail in error.errors(include_url=False))
        raise SettingsError("\n".join(lines)) from None


def explain(detail: dict[str, Any]) -> str:
    """A wrong key: where, what is wrong with it, what is allowed."""
    place = detail["loc"]
    key = ".".join(str(part) for i, part in enumerate(place) if i not in _noise(place))
    got = repr(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key {key}; allowed here: {', '.join(_allowed_keys(place))}"
        case "missing":
            return f"missing key {key}; it has no default"
        case "union_tag_invalid" | "union_tag_not_found":
            return f"{key}: kind must be one of {', '.join(_SOURCES)}; got {got}"
        case "value_error":
            return f"{key}: {detail['ctx']['error']}"
        case _:
            return (
                f"{key}: {detail['msg']}; got {got if len(got) <= SHOWN_CHARACTERS else got[:SHOWN_CHARACTERS] + '...'}"
            )


def _noise(place: tuple[int | str, ...]) -> tuple[int, ...]:
    """Where pydantic puts the kind of a source, or of a choice, into the place of a key."""
    match place:
        case ("series", _, "source", _, *_):
            return (3,)
        case ("series", _, "exogenous", _, _, *_):
            return (4,)
        case ("series", _, "seasonality", _, *_):
            return (3,)
    return ()


_SOURCES: dict[str, type[Table]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(get_args(SourceSettings)[0])
}
_TABLES: dict[str, type[Table]] = {
    "series": SeriesSettings,
    "train": TrainSettings,
    "retrain": RetrainSettings,
    "freshness": FreshnessSettings,
    "api": ApiSettings,
}


def _allowed_keys(place: tuple[int | str, ...]) -> list[str]:
    """The keys of the table that holds the unknown key at this place."""
    match place:
        case (_,):
            return list(_TABLES)
        case ("series", _, "source", kind, _):
            return list(_SOURCES[str(kind)].model_fields)
        case ("series", _, "exogenous", _, kind, _):
            return list(_SOURCES[str(kind)].model_fields)
        case (table, *_):
            return list(_TABLES[str(table)].model_fields)
    raise AssertionError(f"expected the place of a key, got {place}")

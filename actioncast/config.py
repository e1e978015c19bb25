"""Reading config.toml, .env and the environment, once, into Settings.

A wrong, unknown or missing key is an error that names the key, the file and what is allowed.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from actioncast.environment import Environment
from actioncast.paths import DEFAULT_CONFIG, MODEL_FOLDER
from actioncast.renamed_keys import key_of, with_names_of_today
from actioncast.settings import Config, Settings, SettingsError, shortened
from actioncast.source_fields import Table
from actioncast.source_settings import SourceSettings

REMOVED_KEYS = {
    "train.model_directory": f"champions always lie in {MODEL_FOLDER}/ beside config.toml; delete this line",
}
SOURCES: dict[str, type[Table]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(get_args(SourceSettings)[0])
}


def load_settings(path: Path | None = None, variables: Mapping[str, str] | None = None) -> Settings:
    """Read config.toml (of this checkout without a `path`), .env beside it and the environment (which
    wins over .env).

    Raises SettingsError for a missing file, TOML that does not parse, and wrong, unknown or missing
    keys.
    """
    path = path or DEFAULT_CONFIG
    config = _read_config(path)
    folder = path.resolve().parent
    if variables is None:
        _load_dotenv(folder / ".env")
        variables = os.environ
    environment = Environment.of(variables, path.read_text(encoding="utf-8"))
    return Settings(**dict(config), environment=environment, folder=folder)


def _load_dotenv(path: Path) -> None:
    """Add the variables of a .env file to the environment, never over what is set already."""
    if path.is_file():
        from dotenv import load_dotenv

        load_dotenv(path)


def with_rows(settings: Settings, rows: Mapping[str, str]) -> Settings:
    """Add the series of the table `series`: its JSON text by name.

    A row that cannot be used is kept aside in `broken`, so that it stops no other; config.toml has
    the last word on a name.
    """
    series = dict(settings.series)
    broken = {}
    for name in sorted(rows.keys() - settings.series.keys()):
        try:
            row = json.loads(rows[name])
            table = with_names_of_today(row) if isinstance(row, dict) else row
            document = json.dumps({"series": {name: table}})
            series |= Config.model_validate_json(document, strict=True).series
        except ValidationError as error:
            broken[name] = "; ".join(_explanations(error))
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
        # By way of JSON, strict means what TOML means: "168" is no number, a list is a tuple, a
        # string may be a path.
        return Config.model_validate_json(json.dumps(document, default=str), strict=True)
    except ValidationError as error:
        raise SettingsError("\n".join(f"{path}: {line}" for line in _explanations(error))) from None


def _explanations(error: ValidationError) -> list[str]:
    return [_explain(dict(detail)) for detail in error.errors(include_url=False)]


def _explain(detail: dict[str, Any]) -> str:
    """Say of a wrong key where it is, what is wrong with it, and what is allowed."""
    parts, table = _locate(detail["loc"])
    key = ".".join(parts)
    match detail["type"]:
        case "extra_forbidden":
            if key in REMOVED_KEYS:
                return f"{key} is no longer a key: {REMOVED_KEYS[key]}"
            renamed = key_of(".".join(parts[:-1]), parts[-1])
            if renamed:
                line = f"{renamed.name} = {renamed.value(detail['input'])}"
                return f"{key} is no longer a key: write {line}; python upgrade.py --config rewrites the file"
            return f"unknown key {key}; allowed here: {', '.join(table.model_fields)}"
        case "missing":
            return f"missing key {key}; it has no default"
        case "union_tag_invalid" | "union_tag_not_found":
            return f"{key}: kind must be one of {', '.join(SOURCES)}; got {detail['input']!r}"
        case "value_error":
            return f"{key}: {detail['ctx']['error']}"
        case _:
            return f"{key}: {detail['msg']}; got {shortened(repr(detail['input']))}"


def _locate(location: tuple[int | str, ...]) -> tuple[list[str], type[Table]]:
    """Return the parts of a key as they stand in config.toml, and the innermost table around it.

    Pydantic also puts the branch of a union that it tried into the location of an error, such as
    the kind of a source; that is no key.
    """
    parts: list[str] = []
    table: type[Table] = Config
    annotation: Any = Config
    for part in location:
        if isinstance(annotation, type) and issubclass(annotation, Table):
            table = annotation
            parts.append(str(part))
            field = table.model_fields.get(str(part))
            annotation = field.annotation if field else None
        elif get_origin(annotation) is dict:
            parts.append(str(part))
            annotation = get_args(annotation)[1]
        elif part in SOURCES:
            annotation = SOURCES[str(part)]
        elif isinstance(part, int):
            parts.append(str(part))
    if isinstance(annotation, type) and issubclass(annotation, Table):
        table = annotation
    return parts, table

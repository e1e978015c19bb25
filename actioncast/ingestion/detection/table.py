"""A `[series.NAME]` table as the text of TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
COMMENTS = {  # where a reader of the file would ask why
    "unit": "of a value",
    "points_per_period": "as often as they come",
    "minimum_points_per_period": "fewer, and the period is missing",
    "stamps": "a time names the end of its period",
    "aggregate": "what a period makes of its points",
    "revisions": "the later of two rows for one time wins",
    "round_seconds": "some times lie just before the one that they mean",
    "timezone": "of times without an offset",
}
COLUMN = 32  # where comments begin


def text_of(name: str, series: Mapping[str, Any]) -> str:
    """The table, its source in a table of its own."""
    header = f"series.{name}"
    keys = {key: value for key, value in series.items() if key != "source"}
    lines = [
        *_table(header, keys),
        "",
        *_table(f"{header}.source", series["source"]),
    ]
    return "\n".join(lines) + "\n"


def _table(header: str, keys: Mapping[str, Any]) -> list[str]:
    lines = [f"[{header}]"]
    for key, value in keys.items():
        lines.append(_line(key, value))
    return lines


def _line(key: str, value: Any) -> str:
    line = _pair(key, value)
    comment = COMMENTS.get(key)
    if not comment:
        return line
    return f"{line:<{COLUMN}}# {comment}"


def _pair(key: str, value: Any) -> str:
    return f"{_key(key)} = {_value(value)}"


def _key(key: str) -> str:
    if BARE_KEY.fullmatch(key):
        return key
    return _json(key)


def _value(value: Any) -> str:
    """Texts, numbers and truth are written as in JSON; a table is written on one line."""
    if isinstance(value, Mapping):
        pairs = [_pair(key, inner) for key, inner in value.items()]
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        values = [_value(inner) for inner in value]
        return "[" + ", ".join(values) + "]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

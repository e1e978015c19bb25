"""A `[series.NAME]` table as the text of TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
COMMENTS = {  # where a reader of the file would ask why
    "unit": "of the hours",
    "points_per_hour": "as often as they come",
    "minimum_points_per_hour": "fewer, and the hour is missing",
    "stamps": "a time names the end of its period",
    "aggregate": "what an hour makes of its points",
    "revisions": "the later of two rows for one time wins",
    "round_seconds": "some times lie just before the one that they mean",
    "timezone": "of times without an offset",
}
COLUMN = 32  # where comments begin


def text_of(name: str, series: Mapping[str, Any]) -> str:
    """The table, its source in a table of its own."""
    lines = [f"[series.{name}]"]
    lines += [_line(key, value) for key, value in series.items() if key != "source"]
    lines += ["", f"[series.{name}.source]"]
    lines += [_line(key, value) for key, value in series["source"].items()]
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any) -> str:
    line = f"{_key(key)} = {_value(value)}"
    comment = COMMENTS.get(key)
    return f"{line:<{COLUMN}}# {comment}" if comment else line


def _key(key: str) -> str:
    return key if BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    """Texts, numbers and truth are written as in JSON; a table is written on one line."""
    if isinstance(value, Mapping):
        pairs = [f"{_key(key)} = {_value(inner)}" for key, inner in value.items()]
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(inner) for inner in value)}]"
    return json.dumps(value, ensure_ascii=False)

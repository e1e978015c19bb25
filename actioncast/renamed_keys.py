"""Keys of config.toml that had another name while every series was hourly, and their value of today.

Needs nothing installed: upgrade.py rewrites a copy's config.toml before its libraries are there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Renamed:
    """The name of today, what its value is made of, and the old value that was the default."""

    name: str
    form: str
    default: str = ""

    def value(self, old: object) -> str:
        """The value as TOML."""
        text = str(old).strip("\"'")
        return "0" if text == "0" else self.form.format(text)


SERIES_KEYS = {
    "points_per_hour": Renamed("points_per_period", "{}"),
    "minimum_points_per_hour": Renamed("minimum_points_per_period", "{}"),
    "history_days": Renamed("history", '"{}D"'),
    "reread_hours": Renamed("reread", '"{}h"', default="48"),
    "holiday_timezone": Renamed("timezone", '"{}"'),
}
TABLE_KEYS = {
    "train": {
        "history_days": Renamed("history", '"{}D"', default="730"),
        "backtest_days": Renamed("backtest", '"{}D"', default="60"),
        "gate_hours": Renamed("gate", '"{}h"', default="168"),
        "budget_seconds": Renamed("budget", "{}", default="40"),
    },
    "retrain": {
        "window_hours": Renamed("window", '"{}h"', default="48"),
        "minimum_scored_hours": Renamed("minimum_scored", '"{}h"', default="24"),
        "cooldown_hours": Renamed("cooldown", '"{}h"', default="24"),
    },
    "freshness": {
        "source_hours": Renamed("source", '"{}h"', default="24"),
        "actual_hours": Renamed("actual", '"{}h"', default="12"),
        "forecast_hours": Renamed("forecast", '"{}h"', default="24"),
        "champion_days": Renamed("champion", '"{}D"', default="90"),
        "coverage_hours": Renamed("coverage_window", '"{}h"', default="168"),
    },
}
HEADING = re.compile(r"^(?:# ?)?\[(?P<table>[^\]]+)\]")
LINE = re.compile(r"^(?P<mark>(?:# ?)?)(?P<key>\w+)(?P<equals>\s*=\s*)(?P<value>[^#\s]+)(?P<rest>.*)$")


def key_of(table: str, key: str) -> Renamed | None:
    """What a key of a table is called today; None for one that has no other name.

    `table` is as config.toml writes it: train, series.load.
    """
    parts = table.split(".")
    if parts[0] == "series" and len(parts) == 2:
        return SERIES_KEYS.get(key)
    return TABLE_KEYS.get(table, {}).get(key)


def rewritten(text: str) -> tuple[str, list[str]]:
    """The text of a config.toml with the names of today, and what was changed, a line each.

    A line that states what was the default of all tables becomes a comment: lengths that nothing is
    said about fit each frequency. Comments stay.
    """
    lines = []
    changes = []
    table = ""
    for line in text.splitlines():
        heading = HEADING.match(line)
        if heading:
            table = heading["table"]
        new = _rewritten_line(table, line)
        if new != line:
            changes.append(f"[{table}] {_stated(line)} -> {_stated(new)}")
        lines.append(new)
    return "\n".join(lines) + "\n", changes


def _stated(line: str) -> str:
    """The line without its comment."""
    match = LINE.match(line)
    return f"{match['mark']}{match['key']} = {match['value']}" if match else line


def _rewritten_line(table: str, line: str) -> str:
    match = LINE.match(line)
    renamed = key_of(table, match["key"]) if match else None
    if match is None or renamed is None:
        return line
    is_default = renamed.default == match["value"]
    mark = "# " if is_default and not match["mark"] else match["mark"]
    statement = f"{mark}{renamed.name} = {renamed.value(match['value'])}"
    comment = match["rest"].lstrip()
    if not comment:
        return statement
    column = len(line) - len(comment)
    return f"{statement.ljust(column - 1)} {comment}"


def with_names_of_today(document: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of one series with the names of today, as a row of the table `series` holds them."""
    new: dict[str, Any] = {}
    for key, value in document.items():
        renamed = SERIES_KEYS.get(key)
        if renamed is None:
            new[key] = value
            continue
        text = renamed.value(value)
        new[renamed.name] = text.strip('"') if text.startswith('"') else value
    return new

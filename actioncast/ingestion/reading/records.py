"""JSON documents -> columns: records (objects or lists), or lists that lie side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.ingestion.reading.unclear import UnclearError, listed, shown
from actioncast.source_fields import JsonFields

STEP = re.compile(r"\[([^=\]]+)=([^\]]*)\]|([^.\[\]]+)")  # [name=Load], or a name or a number
ABSENT = object()


def part_at(document: Any, path: str) -> Any:
    """The part of a document at a path such as "data.0.points" or "types[name=Load].data".

    `[name=Load]` is the element of a list whose `name` is Load. A name that holds dots itself is
    taken as a whole. Returns ABSENT where there is no such part.
    """
    if not path:
        return document
    if isinstance(document, Mapping) and path in document:
        return document[path]
    if document is None:
        return None  # nothing below what is null
    step = STEP.match(path)
    if step is None:
        return ABSENT
    part = _element(document, step)
    if part is ABSENT:
        return ABSENT
    return part_at(part, path[step.end() :].removeprefix("."))


def _element(document: Any, step: re.Match[str]) -> Any:
    """What one step of a path names."""
    key, value, name = step.groups()
    if isinstance(document, Mapping):
        return document.get(name, ABSENT)
    if not isinstance(document, Sequence) or isinstance(document, str):
        return ABSENT
    if key is None:
        return document[int(name)] if name.isdecimal() and int(name) < len(document) else ABSENT
    for element in document:
        if isinstance(element, Mapping) and str(element.get(key)) == value:
            return element
    return ABSENT


def columns_of(document: Any, fields: JsonFields) -> dict[str, list[Any]]:
    """The columns that the keys of a source name, each with one cell per record.

    Raises UnclearError where the document has no such parts.
    """
    part = part_at(document, fields.records)
    if part is ABSENT:
        raise UnclearError(f"no records at {fields.records!r} in the answer; it begins {shown(document)}")
    keys = _keys(fields)
    if isinstance(part, Mapping):
        parts = {name: part_at(part, name) for name in keys}
        moment = parts[fields.timestamps[0]]
        if isinstance(moment, list):
            return _side_by_side(part, parts)
        if moment is not ABSENT:
            part = [part]
    if isinstance(part, list):
        return {name: _cells(part, name, key) for name, key in keys.items()}
    raise UnclearError(
        f"expected a list at records = {fields.records!r}, got {shown(part)}; "
        "of lists that lie side by side, `timestamp` and `value` are the names"
    )


def _keys(fields: JsonFields) -> dict[str, str]:
    """The names that the source gives -> the keys that give them."""
    keys = dict.fromkeys(fields.where, "where")
    keys |= dict.fromkeys(fields.timestamps, "timestamp")
    return keys | {fields.value: "value"}


def _cells(records: Sequence[Any], name: str, key: str) -> list[Any]:
    """One field of each record; None where a record does not have it.

    Raises UnclearError where none has it, or where it is an object itself.
    """
    cells = []
    for record in records:
        # Nearly always the field lies at the top: a look-up is quicker than a walk along the path.
        cell = record.get(name, ABSENT) if isinstance(record, dict) else ABSENT
        if cell is ABSENT:
            cell = part_at(record, name)
        cells.append(cell)
    if cells and all(cell is ABSENT for cell in cells):
        raise UnclearError(
            f"no record has the {key} {name!r}; set `{key}` of the source. The first one is {shown(records[0])}"
        )
    nested = next((cell for cell in cells if isinstance(cell, Mapping) and cell), None)
    if nested:
        inner = next(iter(nested))
        raise UnclearError(
            f"the {key} {name!r} is an object with the keys {listed(list(nested))}; "
            f'name one of them, such as "{name}.{inner}"'
        )
    return [None if cell is ABSENT else cell for cell in cells]


def _side_by_side(part: Mapping[str, Any], lists: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Lists of one length, of which each n-th elements belong together."""
    for name, cells in lists.items():
        if not isinstance(cells, list):
            raise UnclearError(
                f"expected a list at {name!r} beside that of the times; the names are: {listed(list(part))}"
            )
    lengths = {name: len(cells) for name, cells in lists.items()}
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise UnclearError(f"lists that lie side by side must be equally long, got {sizes}")
    return dict(lists)

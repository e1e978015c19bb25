"""JSON documents -> columns: records (objects or lists), or lists that lie side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.ingestion.reading.unclear import UnclearError, listed, shown
from actioncast.source_fields import JsonFields

# [name=Load], or a name or a number.
STEP = re.compile(r"\[(?P<key>[^=\]]+)=(?P<value>[^\]]*)\]|(?P<name>[^.\[\]]+)")
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
    path_below = path[step.end() :].removeprefix(".")
    return part_at(part, path_below)


def _element(document: Any, step: re.Match[str]) -> Any:
    """What one step of a path names."""
    name = step["name"]
    if isinstance(document, Mapping):
        return document.get(name, ABSENT)
    if not isinstance(document, Sequence) or isinstance(document, str):
        return ABSENT
    if name is None:
        return _element_with(document, step["key"], step["value"])
    return _element_by_number(document, name)


def _element_by_number(elements: Sequence[Any], number: str) -> Any:
    if not number.isdecimal():
        return ABSENT
    index = int(number)
    return elements[index] if index < len(elements) else ABSENT


def _element_with(elements: Sequence[Any], key: str, value: str) -> Any:
    """The first element that has this value at the key."""
    for element in elements:
        if isinstance(element, Mapping) and str(element.get(key)) == value:
            return element
    return ABSENT


def columns_of(document: Any, fields: JsonFields) -> dict[str, list[Any]]:
    """The columns that the keys of a source name, each with one cell per record.

    Raises UnclearError where the document has no such parts.
    """
    part = part_at(document, fields.records)
    if part is ABSENT:
        raise UnclearError(
            f"no records at {fields.records!r} in the answer; it begins {shown(document)}",
        )
    if isinstance(part, list):
        return _columns_of_records(part, fields)
    if isinstance(part, Mapping):
        times = part_at(part, fields.timestamps[0])
        if isinstance(times, list):
            return _columns_side_by_side(part, fields)
        if times is not ABSENT:
            return _columns_of_records([part], fields)
    raise UnclearError(
        f"expected a list at records = {fields.records!r}, got {shown(part)}; "
        "of lists that lie side by side, `timestamp` and `value` are the names"
    )


def _columns_of_records(records: Sequence[Any], fields: JsonFields) -> dict[str, list[Any]]:
    return {name: _cells(records, name, key) for name, key in _keys(fields).items()}


def _keys(fields: JsonFields) -> dict[str, str]:
    """The names that the source gives -> the keys that give them."""
    keys = dict.fromkeys(fields.where, "where")
    keys |= dict.fromkeys(fields.timestamps, "timestamp")
    return keys | {fields.value: "value"}


def _cells(records: Sequence[Any], name: str, key: str) -> list[Any]:
    """One field of each record; None where a record does not have it.

    Raises UnclearError where none has it, or where it is an object itself.
    """
    cells = _cells_or_absent(records, name)
    if cells and all(cell is ABSENT for cell in cells):
        fault = f"no record has the {key} {name!r}"
        first_record = shown(records[0])
        raise UnclearError(f"{fault}; set `{key}` of the source. The first one is {first_record}")
    _refuse_objects(cells, name, key)
    return [None if cell is ABSENT else cell for cell in cells]


def _cells_or_absent(records: Sequence[Any], name: str) -> list[Any]:
    """One field of each record; ABSENT where a record does not have it."""
    cells = []
    for record in records:
        # Nearly always the field lies at the top: a look-up is quicker than a walk along the path.
        cell = record.get(name, ABSENT) if isinstance(record, dict) else ABSENT
        if cell is ABSENT:
            cell = part_at(record, name)
        cells.append(cell)
    return cells


def _refuse_objects(cells: Sequence[Any], name: str, key: str) -> None:
    """Raise UnclearError where a cell is an object with keys of its own."""
    for cell in cells:
        if not isinstance(cell, Mapping) or not cell:
            continue
        inner_names = list(cell)
        raise UnclearError(
            f"the {key} {name!r} is an object with the keys {listed(inner_names)}; "
            f'name one of them, such as "{name}.{inner_names[0]}"'
        )


def _columns_side_by_side(part: Mapping[str, Any], fields: JsonFields) -> dict[str, list[Any]]:
    """Lists of one length, of which each n-th elements belong together."""
    columns: dict[str, list[Any]] = {}
    for name in _keys(fields):
        column = part_at(part, name)
        if not isinstance(column, list):
            fault = f"expected a list at {name!r} beside that of the times"
            raise UnclearError(f"{fault}; the names are: {listed(list(part))}")
        columns[name] = column
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        sizes = ", ".join(f"{name!r} {len(column)}" for name, column in columns.items())
        raise UnclearError(f"lists that lie side by side must be equally long, got {sizes}")
    return columns

"""JSON documents: where the records lie, and which fields they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actioncast.ingestion.detection.questions import Answers
from actioncast.ingestion.detection.sheet import Cells, Sheet
from actioncast.ingestion.reading.records import ABSENT, part_at
from actioncast.ingestion.reading.unclear import UnclearError, shown

FEWEST = 3  # records
DEEPEST = 6  # steps of a path
LOOKED_AT = 200  # records whose fields are listed
MOST_ELEMENTS = 50  # of a list that is no list of records, which are looked into


def sheets_of(document: Any, answers: Answers) -> dict[str, Sheet]:
    """Path -> the sheet that lies there. Raises UnclearError where there is none."""
    if "records" in answers:
        part = part_at(document, answers["records"])
        parts = [] if part is ABSENT else [(answers["records"], part)]
    else:
        parts = list(_parts(document, ""))
    beside = _words(document)
    sheets = {}
    for path, part in parts:
        columns = columns_at(part)
        if columns:
            sheets[path] = _sheet(path, part, columns, beside)
    if not sheets:
        raise UnclearError(
            f"no list of records with a time and a number was found in the JSON; it begins {shown(document)}"
        )
    return sheets


def _sheet(path: str, part: Any, columns: dict[str, Cells], beside: str) -> Sheet:
    length = len(next(iter(columns.values())))
    shape = f"lists of {length:,} elements, side by side" if isinstance(part, Mapping) else f"{length:,} records"
    where = f"at {path}" if path else "at the top"
    keys = {"records": path} if path else {}
    return Sheet(columns=columns, keys=keys, beside=beside, lines=[f"JSON with {shape} {where}"])


def _parts(part: Any, path: str) -> Iterator[tuple[str, Any]]:
    """All parts of a document that may hold records, with their paths."""
    if path.count(".") >= DEEPEST:
        return
    yield path, part
    if isinstance(part, list) and len(part) > MOST_ELEMENTS:
        return
    for name, child in _children(part):
        if isinstance(child, Mapping | list) and "." not in str(name):
            yield from _parts(child, f"{path}.{name}" if path else str(name))


def _children(part: Any) -> list[tuple[Any, Any]]:
    """The elements of an object or a list, with their names or numbers."""
    if isinstance(part, Mapping):
        return list(part.items())
    return list(enumerate(part)) if isinstance(part, list) else []


def columns_at(part: Any) -> dict[str, Cells]:
    """The columns of a list of records or of lists side by side; none for anything else."""
    if isinstance(part, Mapping):
        lists = {name: cells for name, cells in part.items() if _is_column(cells)} | _named_lists(part)
        lengths = {len(cells) for cells in lists.values()}
        return lists if len(lists) > 1 and len(lengths) == 1 else {}
    if not isinstance(part, list) or len(part) < FEWEST:
        return {}
    names: dict[str, None] = {}
    for record in part[:LOOKED_AT]:
        names |= dict.fromkeys(_names(record, ""))
    if len(names) < 2:
        return {}
    return {name: [_field(record, name) for record in part] for name in names}


def _named_lists(part: Mapping[str, Any]) -> dict[str, Cells]:
    """Lists in elements that have a name, by paths such as types[name=Load].data."""
    lists: dict[str, Cells] = {}
    for group, elements in part.items():
        for element in elements if isinstance(elements, list) else []:
            fields = element.items() if isinstance(element, Mapping) else []
            labels = [f"{group}[{name}={text}]" for name, text in fields if isinstance(text, str)]
            if labels:
                lists |= {f"{labels[0]}.{name}": cells for name, cells in fields if _is_column(cells)}
    return lists


def _is_column(cells: Any) -> bool:
    return isinstance(cells, list) and len(cells) >= FEWEST and not isinstance(cells[0], Mapping | list)


def _names(record: Any, path: str) -> Iterator[str]:
    """The paths of all plain fields of a record."""
    for name, field in _children(record):
        inner = f"{path}.{name}" if path else str(name)
        if isinstance(field, Mapping | list):
            yield from _names(field, inner)
        else:
            yield inner


def _field(record: Any, name: str) -> Any:
    field = part_at(record, name)
    return None if field is ABSENT or isinstance(field, Mapping | list) else field


def _words(document: Any) -> str:
    """The short texts at the top of a document, such as a time zone."""
    if not isinstance(document, Mapping):
        return ""
    return "\n".join(f"{name} {value}" for name, value in document.items() if isinstance(value, str | int))

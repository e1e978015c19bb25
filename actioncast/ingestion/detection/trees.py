"""JSON documents: where the records lie, and which fields they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actioncast.ingestion.detection.questions import Answers
from actioncast.ingestion.detection.sheet import Cells, Sheet
from actioncast.ingestion.reading.records import ABSENT, part_at
from actioncast.ingestion.reading.unclear import UnclearError, shown

FEWEST = 3  # records
DEEPEST = 6  # steps of a path
LOOKED_AT = 200  # records whose fields are listed
MOST_ELEMENTS = 50  # of a list that is no list of records, which are looked into
Columns = dict[str, Cells]  # name -> cells


def sheets_of(document: Any, answers: Answers) -> dict[str, Sheet]:
    """Path -> the sheet that lies there. Raises UnclearError where there is none."""
    surroundings = _short_texts(document)
    sheets = {}
    for path, part in _candidates(document, answers):
        columns = columns_at(part)
        if not columns:
            continue
        sheets[path] = Sheet(
            columns=columns,
            keys={"records": path} if path else {},
            surroundings=surroundings,
            lines=[_line(path, part, columns)],
        )
    if not sheets:
        fault = "no list of records with a time and a number was found in the JSON"
        raise UnclearError(f"{fault}; it begins {shown(document)}")
    return sheets


def _candidates(document: Any, answers: Answers) -> Iterator[tuple[str, Any]]:
    """The part that a person named, or all parts, with their paths."""
    if "records" not in answers:
        yield from _parts(document, "")
        return
    path = answers["records"]
    part = part_at(document, path)
    if part is not ABSENT:
        yield path, part


def _line(path: str, part: Any, columns: Columns) -> str:
    """What a person sees of the part."""
    cells = next(iter(columns.values()))
    length = len(cells)
    shape = f"{length:,} records"
    if isinstance(part, Mapping):
        shape = f"lists of {length:,} elements, side by side"
    where = f"at {path}" if path else "at the top"
    return f"JSON with {shape} {where}"


def _parts(part: Any, path: str) -> Iterator[tuple[str, Any]]:
    """All parts of a document that may hold records, with their paths."""
    if path.count(".") >= DEEPEST:
        return
    yield path, part
    if isinstance(part, list) and len(part) > MOST_ELEMENTS:
        return
    for name, child in _children(part):
        can_be_step = "." not in str(name)
        if _is_branch(child) and can_be_step:
            yield from _parts(child, _path(path, name))


def _is_branch(part: Any) -> bool:
    """Whether a part of a document has parts itself."""
    return isinstance(part, Mapping | list)


def _path(parent: str, name: Any) -> str:
    if not parent:
        return str(name)
    return f"{parent}.{name}"


def _children(part: Any) -> list[tuple[Any, Any]]:
    """The elements of an object or a list, with their names or numbers."""
    if isinstance(part, Mapping):
        return list(part.items())
    if isinstance(part, list):
        return list(enumerate(part))
    return []


# The columns of a part ---------------------------------------------------------------------------


def columns_at(part: Any) -> Columns:
    """The columns of a list of records or of lists side by side; none for anything else."""
    if isinstance(part, Mapping):
        return _columns_of_lists(part)
    if isinstance(part, list) and len(part) >= FEWEST:
        return _columns_of_records(part)
    return {}


def _columns_of_lists(part: Mapping[str, Any]) -> Columns:
    """Lists side by side; none where there is one only, or where their lengths differ."""
    columns = _lists(part) | _named_lists(part)
    lengths = {len(cells) for cells in columns.values()}
    if len(columns) < 2 or len(lengths) > 1:
        return {}
    return columns


def _columns_of_records(records: Sequence[Any]) -> Columns:
    """The fields of records; none where they have fewer than two."""
    names: dict[str, None] = {}
    for record in records[:LOOKED_AT]:
        fields = _names(record, "")
        names |= dict.fromkeys(fields)
    if len(names) < 2:
        return {}
    columns: Columns = {}
    for name in names:
        columns[name] = [_field(record, name) for record in records]
    return columns


def _lists(part: Mapping[str, Any]) -> Columns:
    """The fields of an object that can be columns."""
    lists = {}
    for name, cells in part.items():
        if _is_column(cells):
            lists[name] = cells
    return lists


def _named_lists(part: Mapping[str, Any]) -> Columns:
    """Lists in elements that have a name, by paths such as types[name=Load].data."""
    lists: Columns = {}
    for group, elements in part.items():
        if not isinstance(elements, list):
            continue
        for element in elements:
            if isinstance(element, Mapping):
                lists |= _lists_of_element(group, element)
    return lists


def _lists_of_element(group: str, element: Mapping[str, Any]) -> Columns:
    """The lists of an element by the first of its texts; none where it has no text."""
    for name, text in element.items():
        if isinstance(text, str):
            label = f"{group}[{name}={text}]"
            lists = _lists(element)
            return {f"{label}.{field}": cells for field, cells in lists.items()}
    return {}


def _is_column(cells: Any) -> bool:
    if not isinstance(cells, list) or len(cells) < FEWEST:
        return False
    return not _is_branch(cells[0])


def _names(record: Any, path: str) -> Iterator[str]:
    """The paths of all plain fields of a record."""
    for name, field in _children(record):
        inner = _path(path, name)
        if _is_branch(field):
            yield from _names(field, inner)
        else:
            yield inner


def _field(record: Any, name: str) -> Any:
    """A plain field of a record; None where it has none of this name."""
    field = part_at(record, name)
    if field is ABSENT or _is_branch(field):
        return None
    return field


def _short_texts(document: Any) -> str:
    """The short texts at the top of a document, such as a time zone."""
    if not isinstance(document, Mapping):
        return ""
    lines = []
    for name, value in document.items():
        if isinstance(value, str | int):
            lines.append(f"{name} {value}")
    return "\n".join(lines)

"""Columns of any kind of source -> (unix seconds, value) rows, by the keys of the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.ingestion.reading.unclear import NoRowError, listed, shown
from actioncast.source_fields import TabularFields

Rows = list[tuple[object, object]]  # (time, value) as a source gives them
# By the name that the source's keys give them; all of one length.
Columns = Mapping[str, Sequence[Any]]


def rows_of(columns: Columns, fields: TabularFields) -> Rows:
    """Columns by name, with one cell per row -> rows in the order of time, as the source lists it.

    A value that is absent is None. A time or a value that cannot be read stays as it is and is
    rejected later. Rows without both are left out. Raises UnclearError for what can be read in two
    ways, and for `where` that no row fits.
    """
    # The charts API needs neither: an hourly job starts without their patterns.
    from actioncast.ingestion.reading import moments, numbers

    chosen = selected(columns, fields.where)
    if fields.newest_first:
        chosen = {name: cells[::-1] for name, cells in chosen.items()}
    values = numbers.read(chosen[fields.value], fields)
    time_columns = [chosen[name] for name in fields.timestamps]
    time_cells = moments.joined(time_columns)
    times = moments.read(time_cells, fields)
    rows = []
    for time, value in zip(times, values, strict=True):
        if value is not None or time not in (None, ""):
            rows.append((time, value))
    return rows


def selected(
    columns: Columns,
    where: Mapping[str, object],
) -> dict[str, Sequence[Any]]:
    """The rows whose cells are those of `where`. Raises NoRowError where no row is left."""
    chosen = dict(columns)
    for name, value in where.items():
        texts = [_text(cell) for cell in chosen[name]]
        text_of_value = _text(value)
        positions = [index for index, text in enumerate(texts) if text == text_of_value]
        if texts and not positions:
            raise NoRowError(
                f"no row has {name} = {value!r} (of `where`); there are: {_choices(texts)}",
            )
        for key, cells in chosen.items():
            chosen[key] = [cells[index] for index in positions]
    return chosen


def _choices(texts: Sequence[str]) -> str:
    """The texts of a column, the most frequent ones first, for an error."""
    choices = []
    for text, count in Counter(texts).most_common():
        choices.append(f"{shown(text)} ({count} rows)")
    return listed(choices)


def _text(cell: object) -> str:
    """A cell as a text that can be compared with that of config.toml."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell).strip()

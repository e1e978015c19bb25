"""Columns with types, as databases and Parquet files have them -> rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from actioncast.ingestion import documents
from actioncast.ingestion.documents import Rows, SourceError
from actioncast.source_fields import TabularFields


def rows_of(columns: Mapping[str, Sequence[Any]], fields: TabularFields, source_name: str) -> Rows:
    """Columns by name, all of one length -> (unix seconds, value) rows, unchecked.

    Raises SourceError for a column that is not there.
    """
    chosen = {}
    for name in (*fields.timestamps, fields.value, *fields.where):
        if name not in columns:
            names = ", ".join(columns)
            raise SourceError(f"{source_name}: no column {name!r}; it has: {names}")
        chosen[name] = [_plain(cell) for cell in columns[name]]
    return documents.column_rows(chosen, fields, source_name)


def _plain(cell: Any) -> Any:
    """A cell as a document would hold it: a date as its midnight, numbers as numbers."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - on the clocks of the source
    return float(cell) if isinstance(cell, Decimal) else cell

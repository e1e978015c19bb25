"""Columns with types, as databases and Parquet files have them -> rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from actioncast.ingestion import documents
from actioncast.ingestion.documents import Rows, SourceError
from actioncast.settings import TabularFields


def rows_of(columns: Mapping[str, Sequence[Any]], fields: TabularFields, source_name: str) -> Rows:
    """Columns by name, all of one length -> (unix seconds, value) rows, unchecked.

    Raises SourceError for a column that is not there.
    """
    for name in (fields.timestamp, fields.value):
        if name not in columns:
            names = ", ".join(columns)
            raise SourceError(f"{source_name}: no column {name!r}; it has: {names}")
    cells = zip(columns[fields.timestamp], columns[fields.value], strict=True)
    records = [{fields.timestamp: _plain(time), fields.value: _plain(value)} for time, value in cells]
    return documents.record_rows(records, fields, source_name)


def _plain(cell: Any) -> Any:
    """A cell as a document would hold it: times in ISO 8601, numbers as numbers."""
    if isinstance(cell, datetime):
        return cell.timestamp() if cell.tzinfo else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return float(cell) if isinstance(cell, Decimal) else cell

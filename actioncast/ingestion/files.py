"""Files as sources: which ones a path names, and the columns of a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actioncast.ingestion.documents import SourceError

PARQUET = b"PAR1"  # its first bytes


def named(folder: Path, path: Path) -> list[Path]:
    """The files of a path, which may be a pattern such as data/load_*.csv or data/**/*.csv, sorted by name.

    A path that exists is no pattern, whatever characters it has. Raises SourceError when no file
    matches.
    """
    import glob  # most sources name no file

    whole = folder / path
    if whole.exists() or not glob.has_magic(str(path)):
        return [whole]
    names = glob.glob(str(path), root_dir=folder, recursive=True)  # noqa: PTH207 - Path refuses absolute ones
    files = [folder / name for name in sorted(names) if (folder / name).is_file()]
    if not files:
        raise SourceError(f"{whole}: no file matches this pattern")
    return files


def parquet_columns(body: bytes, source_name: str) -> dict[str, Sequence[Any]]:
    """The columns of a Parquet file by name. Raises SourceError without pyarrow, and for a broken file."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        remedy = "add pyarrow to requirements/etl.in, then run `make lock` and `make install`"
        raise SourceError(f"{source_name}: a Parquet file needs the package pyarrow; {remedy}") from None
    try:
        table = parquet.read_table(pyarrow.BufferReader(body))
        return {name: _cells(table.column(name)) for name in table.column_names}
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise SourceError(f"{source_name}: Parquet that is truncated or broken ({reason})") from None


def _cells(column: Any) -> list[Any]:
    """The cells of a column; times without their nanoseconds, which Python does not have."""
    import pyarrow

    if pyarrow.types.is_timestamp(column.type):
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    cells: list[Any] = column.to_pylist()
    return cells

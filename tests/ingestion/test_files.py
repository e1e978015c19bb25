"""Several files as one source, and Parquet files."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from tests.support.clock import at
from tests.support.fetching import CSV_ROWS, ROWS, error_of, fetched, floats
from tests.support.source import Configure

HEADER, FIRST, SECOND = CSV_ROWS.splitlines(keepends=True)


def write(folder: Path, **texts: bytes) -> None:
    """Files of the folder data/, by name without .csv."""
    (folder / "data").mkdir()
    for name, text in texts.items():
        (folder / "data" / f"{name}.csv").write_bytes(text)


def test_all_files_of_a_pattern_are_read_in_the_order_of_their_names(tmp_path: Path, configure: Configure) -> None:
    write(tmp_path, load_2=HEADER + SECOND, load_1=HEADER + FIRST, price=b"nothing of interest")
    assert floats(fetched(configure('{ kind = "file", path = "data/load_*.csv" }'))) == ROWS


def test_a_pattern_goes_through_folders(tmp_path: Path, configure: Configure) -> None:
    write(tmp_path, load=CSV_ROWS)
    assert floats(fetched(configure('{ kind = "file", path = "**/*.csv" }'))) == ROWS


def test_a_row_of_two_files_counts_once(tmp_path: Path, configure: Configure) -> None:
    write(tmp_path, a=CSV_ROWS, b=HEADER + SECOND)
    assert floats(fetched(configure('{ kind = "file", path = "data/*.csv" }'))) == ROWS


def test_a_pattern_that_no_file_matches(tmp_path: Path, configure: Configure) -> None:
    assert error_of(configure('{ kind = "file", path = "data/*.csv" }')) == (
        f"{tmp_path}/data/*.csv: no file matches this pattern"
    )


def test_a_file_of_a_pattern_that_cannot_be_read_is_named(tmp_path: Path, configure: Configure) -> None:
    write(tmp_path, a=CSV_ROWS, b=b"time,load\n")
    assert "data/b.csv: no column 'timestamp'" in error_of(configure('{ kind = "file", path = "data/*.csv" }'))


def test_a_name_with_the_characters_of_a_pattern(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "load [1].csv").write_bytes(CSV_ROWS)
    assert floats(fetched(configure('{ kind = "file", path = "load [1].csv" }'))) == ROWS


# Parquet ------------------------------------------------------------------------------------------


def test_parquet_without_its_package(tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1...PAR1")
    assert error_of(configure('{ kind = "file", path = "a.parquet" }')) == (
        f"{tmp_path}/a.parquet: a Parquet file needs the package pyarrow; "
        "add pyarrow to requirements/etl.in, then run `make lock` and `make install`"
    )


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Madrid"])
def test_a_parquet_file(tmp_path: Path, configure: Configure, unit: str, zone: str | None) -> None:
    times = pyarrow.array([at(0), at(0.25)], pyarrow.timestamp(unit, zone))
    table = pyarrow.table({"timestamp": times, "value": pyarrow.array([1.0, 2.0], pyarrow.float32())})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert floats(fetched(configure('{ kind = "file", path = "*.parquet" }'))) == ROWS
    assert "no column 'ts'; it has: timestamp, value" in error_of(
        configure('{ kind = "file", path = "*.parquet", timestamp = "ts" }')
    )


def test_a_parquet_file_that_is_truncated(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    assert "a.parquet: Parquet that is truncated or broken" in error_of(
        configure('{ kind = "file", path = "a.parquet" }')
    )

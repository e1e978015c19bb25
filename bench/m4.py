"""The M4 competition's hourly series: our engine, the seasonal naives, the tutorial's recipe and well-known libraries.

    python -m bench.m4 --data DIR --only ours
    python -m bench.m4 --data DIR --jobs 2 --json

Reads DIR/train.csv.gz and DIR/test.csv.gz (one series a row, its id first; from Mcompetitions/M4-methods). The bounds
are those of 95 %. OWA is the mean of sMAPE and MASE relative to Naive2 on the same series. Prints a table, or with
--json {METHOD: {"smape", "mase", "owa", "msis", "wql", "coverage", "seconds_per_series"}}, null where a method has no
bounds. WQL is the weighted quantile loss of the deciles.
The peers need requirements/bench.txt. Exit codes: 0 measured, or there is no data to measure on; 2 wrong flags.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from actioncast.arrays import Values
from bench.methods import METHODS, Rows, Task, as_table, average, chosen, measure_all, rounded

HORIZON = 48
COVERAGE = 0.95
COLUMNS = ("smape", "mase", "owa", "msis", "wql", "coverage", "seconds_per_series")
Series = tuple[Values, Values]  # to learn from, to forecast


def read(folder: Path, ids: set[str] | None) -> dict[str, Series]:
    """The series with these ids, or all of them."""
    train = _rows(folder / "train.csv.gz")
    test = _rows(folder / "test.csv.gz")
    return {
        series: (values, test[series][:HORIZON]) for series, values in train.items() if ids is None or series in ids
    }


def _rows(path: Path) -> dict[str, Values]:
    with gzip.open(path, "rt", newline="") as file:
        _, *rows = csv.reader(file)
    return {row[0]: np.array([float(cell) for cell in row[1:] if cell]) for row in rows}


def run(series: dict[str, Series], names: list[str], jobs: int) -> Rows:
    """Every method on every series; a bar while a person is watching."""
    tasks = [Task(values, first_period=0, horizon=HORIZON, coverage=COVERAGE) for values, _ in series.values()]
    actuals = [actual for _, actual in series.values()]
    measured = measure_all(
        tasks,
        actuals,
        names,
        jobs=jobs,
        unit="series",
        seconds_column="seconds_per_series",
    )
    return average(measured, names)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train.csv.gz and test.csv.gz")
    parser.add_argument("--ids", type=Path, help="a JSON list of series ids (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--only", action="append", choices=["ours", *METHODS], help="run only this method (repeatable)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    flags = parser.parse_args(argv)
    if flags.data is None:
        print("no --data DIR given: nothing measured (M4's hourly series: train.csv.gz, test.csv.gz)", file=sys.stderr)
        return 0
    ids = set(json.loads(flags.ids.read_text())) if flags.ids else None
    result = run(read(flags.data, ids), chosen(flags.only), flags.jobs)
    if flags.json:
        print(json.dumps(rounded(result, COLUMNS)))
    else:
        print(as_table(result, COLUMNS))
    return 0


if __name__ == "__main__":
    sys.exit(main())

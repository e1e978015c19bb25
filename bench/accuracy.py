"""Rolling-origin accuracy on the Bitcoin recording and on bike sharing, or on any series of yours.

    python -m bench.accuracy --only ours
    python -m bench.accuracy --csv FILE --horizon 24 --origins 20 --json

A CSV has the columns timestamp (UTC without an offset) and value, gzip allowed. Every method forecasts from the same
origins, spread evenly over the second half, and learns anew at each of them from all that came before. Prints a table
per series, or with --json {SERIES: {METHOD: {"mae", "smape", "mase", "owa", "msis", "coverage",
"seconds_per_origin"}}}; with --csv the inner object alone; The peers need requirements/bench.txt.
null is what is not defined, such as MASE on a constant series. Exit codes: 0 measured; 2 wrong flags, or no hourly CSV.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actioncast import times
from actioncast.errors import ActioncastError
from actioncast.forecasting.recipes import SHORTEST_HISTORY
from actioncast.hours import Grid, to_grid, to_hours
from actioncast.paths import ROOT
from actioncast.rehearsal.world import replay
from actioncast.text import progress, table
from actioncast.times import HOUR, to_seconds
from bench.methods import METHODS, Rows, Task, average, chosen, measure, rounded

BIKES = ROOT / "data" / "bike_sharing_dc.csv.gz"
COLUMNS = ("mae", "smape", "mase", "owa", "msis", "coverage", "seconds_per_origin")


def recording() -> Grid:
    """Bitcoin transactions per hour, 47 days."""
    points = replay.read_recording()
    now = times.from_seconds(int(points.times[-1])) + timedelta(hours=1)
    hours = to_hours(points, minimum_points=3, scale=3600, since=None, now=now)
    return to_grid(hours.starts, hours.values)


def bikes() -> Grid:
    """Bike rentals per hour, two years."""
    return read_csv(BIKES, "timestamp_local", "count")


class CsvError(ActioncastError):
    """The file is no hourly series."""


def read_csv(path: Path, timestamp: str = "timestamp", value: str = "value") -> Grid:
    """An hourly series; hours that are not listed, or whose value is empty, are missing. Raises CsvError."""
    try:
        body = path.read_bytes()
        rows = list(csv.DictReader((gzip.decompress(body) if path.suffix == ".gz" else body).decode().splitlines()))
        moments = [datetime.fromisoformat(row[timestamp]) for row in rows]
        values = np.array([float(row[value] or "nan") for row in rows])
    except KeyError as error:
        raise CsvError(f"{path}: no column {error}; expected {timestamp} and {value}") from None
    except (OSError, ValueError, TypeError) as error:
        raise CsvError(f"{path}: {error}") from None
    aware = [moment.replace(tzinfo=moment.tzinfo or UTC) for moment in moments]
    starts = np.array([to_seconds(moment) // HOUR * HOUR for moment in aware], dtype=np.int64)
    kept = np.flatnonzero(np.isfinite(values))
    unique, first = np.unique(starts[kept], return_index=True)
    _refuse_other_steps(path, len(kept), unique)
    return to_grid(unique, values[kept][first])


def _refuse_other_steps(path: Path, points: int, hours: NDArray[np.int64]) -> None:
    """Some hours may be missing or listed twice (a clock set back), but not most of them."""
    if points < SHORTEST_HISTORY:
        raise CsvError(f"{path}: {points} values, {SHORTEST_HISTORY} are the least to learn from")
    span = int(hours[-1] - hours[0]) // HOUR + 1
    if len(hours) < 0.9 * points or len(hours) < 0.4 * span:
        raise CsvError(f"{path}: {points} values in {len(hours):,} of {span:,} hours; expected one value per hour")


def run(known: Grid, names: list[str], horizon: int, origins: int, coverage: float, jobs: int) -> Rows:
    """Mean scores over the origins of the second half."""
    first_hour, values = to_seconds(known.start) // HOUR, known.values
    begin = max(len(values) // 2, SHORTEST_HISTORY)
    if len(values) - horizon < begin:
        raise CsvError(f"{len(values)} hours are too few to learn from {begin} and forecast {horizon}")
    spread = np.linspace(begin, len(values) - horizon, origins).astype(int)
    ends = [int(end) for end in np.unique(spread) if not np.isnan(values[end : end + horizon]).all()]
    tasks = [Task(values[:end], first_hour, horizon, coverage) for end in ends]
    with progress("origins", len(tasks)) as advance, ProcessPoolExecutor(jobs) as pool:
        measured = []
        for rows in pool.map(partial(measure, names), tasks, [values[end : end + horizon] for end in ends]):
            measured.append({name: {**row, "seconds_per_origin": row.pop("seconds")} for name, row in rows.items()})
            advance(1)
    return average(measured, names)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, help="a series of yours (default: the two bundled ones)")
    parser.add_argument("--horizon", type=int, default=24, help="hours ahead (default: 24)")
    parser.add_argument("--origins", type=int, default=20, help="forecasts to make (default: 20)")
    parser.add_argument("--coverage", type=float, default=0.8, help="of the bounds (default: 0.8)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--only", action="append", choices=["ours", *METHODS], help="run only this method (repeatable)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of tables")
    flags = parser.parse_args(argv)
    how = (chosen(flags.only), flags.horizon, flags.origins, flags.coverage, flags.jobs)
    try:
        known = {flags.csv.name: read_csv(flags.csv)} if flags.csv else {"bitcoin": recording(), "bikes": bikes()}
        results = {name: run(hours, *how) for name, hours in known.items()}
    except ActioncastError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    shown = {name: rounded(result, COLUMNS) for name, result in results.items()}
    if flags.json:
        print(json.dumps(shown[flags.csv.name] if flags.csv else shown))
        return 0
    for name, result in results.items():
        rows = [[method, *(row[key] for key in COLUMNS)] for method, row in result.items()]
        print(f"{name}, {flags.horizon} h ahead\n{table(['method', *COLUMNS], rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

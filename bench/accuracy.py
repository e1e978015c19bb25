"""Rolling-origin accuracy on the Bitcoin recording and on bike sharing, or on any series of yours.

    python -m bench.accuracy --only ours
    python -m bench.accuracy --csv FILE --horizon 24 --origins 20 --json

A CSV has the columns timestamp (UTC without an offset) and value, gzip allowed. Every method forecasts from the same
origins, spread evenly over the second half, and learns anew at each of them from all that came before. Prints a table
per series, or with --json {SERIES: {METHOD: {"mae", "smape", "mase", "owa", "msis", "wql", "coverage",
"seconds_per_origin"}}}, with --csv the inner object alone. A figure that is not defined is null, such as MASE on a
constant series. The peers need requirements/bench.txt. Exit codes: 0 measured; 2 wrong flags, or no hourly CSV.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from actioncast.arrays import Seconds, Values
from actioncast.errors import ActioncastError
from actioncast.paths import ROOT
from actioncast.periods.grid import Grid, to_grid, to_periods
from actioncast.rehearsal.world import replay
from actioncast.times import HOUR, ONE_HOUR, from_seconds, to_seconds
from bench.methods import METHODS, Rows, Task, as_table, average, chosen, measure_all, rounded

SHORTEST_HISTORY = 72  # hours
BIKES = ROOT / "data" / "bike_sharing_dc.csv.gz"
COLUMNS = ("mae", "smape", "mase", "owa", "msis", "wql", "coverage", "seconds_per_origin")


def recording() -> Grid:
    """Bitcoin transactions per hour, 47 days."""
    points = replay.read_recording()
    now = from_seconds(int(points.times[-1])) + ONE_HOUR
    hours = to_periods(points, minimum_points=3, scale=3600, since=None, now=now)
    return to_grid(hours.starts, hours.values)


def bikes() -> Grid:
    """Bike rentals per hour, two years."""
    return read_csv(BIKES, "timestamp_local", "count")


class CsvError(ActioncastError):
    """The file is no hourly series."""


def read_csv(path: Path, timestamp: str = "timestamp", value: str = "value") -> Grid:
    """An hourly series; hours that are not listed, or whose value is empty, are missing. Raises CsvError."""
    try:
        rows = list(csv.DictReader(_text(path).splitlines()))
        moments = [datetime.fromisoformat(row[timestamp]) for row in rows]
        values = np.array([float(row[value] or "nan") for row in rows])
    except KeyError as error:
        raise CsvError(f"{path}: no column {error}; expected {timestamp} and {value}") from None
    except (OSError, ValueError, TypeError) as error:
        raise CsvError(f"{path}: {error}") from None
    aware = [moment.replace(tzinfo=moment.tzinfo or UTC) for moment in moments]
    starts = np.array([to_seconds(moment) // HOUR * HOUR for moment in aware], dtype=np.int64)
    stored = np.flatnonzero(np.isfinite(values))
    unique, first = np.unique(starts[stored], return_index=True)
    _refuse_other_steps(path, len(stored), unique)
    return to_grid(unique, values[stored][first])


def _text(path: Path) -> str:
    body = path.read_bytes()
    if path.suffix == ".gz":
        body = gzip.decompress(body)
    return body.decode()


def _refuse_other_steps(path: Path, points: int, hours: Seconds) -> None:
    """Some hours may be missing or listed twice (a clock set back), but not most of them."""
    if points < SHORTEST_HISTORY:
        raise CsvError(f"{path}: {points} values, {SHORTEST_HISTORY} are the least to learn from")
    span = int(hours[-1] - hours[0]) // HOUR + 1
    if len(hours) < 0.9 * points or len(hours) < 0.4 * span:
        raise CsvError(f"{path}: {points} values in {len(hours):,} of {span:,} hours; expected one value per hour")


def run(
    history: Grid,
    names: list[str],
    *,
    horizon: int,
    origins: int,
    coverage: float,
    jobs: int,
) -> Rows:
    """Mean scores over the origins of the second half."""
    values = history.values
    ends = _origins(values, horizon, origins)
    first_period = to_seconds(history.start) // HOUR
    tasks = [Task(values[:end], first_period, horizon, coverage) for end in ends]
    actuals = [values[end : end + horizon] for end in ends]
    measured = measure_all(
        tasks,
        actuals,
        names,
        jobs=jobs,
        unit="origins",
        seconds_column="seconds_per_origin",
    )
    return average(measured, names)


def _origins(values: Values, horizon: int, count: int) -> list[int]:
    """Indices spread evenly over the second half; those after which nothing is known are left out."""
    begin = max(len(values) // 2, SHORTEST_HISTORY)
    last = len(values) - horizon
    if last < begin:
        raise CsvError(f"{len(values)} hours are too few to learn from {begin} and forecast {horizon}")
    spread = np.linspace(begin, last, count).astype(int)
    return [int(end) for end in np.unique(spread) if not np.isnan(values[end : end + horizon]).all()]


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--csv", type=Path, help="a series of yours (default: the two bundled ones)")
    parser.add_argument("--horizon", type=int, default=24, help="hours ahead (default: 24)")
    parser.add_argument("--origins", type=int, default=20, help="forecasts to make (default: 20)")
    parser.add_argument("--coverage", type=float, default=0.8, help="of the bounds (default: 0.8)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--only", action="append", choices=["ours", *METHODS], help="run only this method (repeatable)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of tables")


def _measure(flags: argparse.Namespace) -> dict[str, Rows]:
    """Scores by series, then by method."""
    names = chosen(flags.only)
    if flags.csv:
        histories = {flags.csv.name: read_csv(flags.csv)}
    else:
        histories = {"bitcoin": recording(), "bikes": bikes()}
    return {
        series: run(
            history,
            names,
            horizon=flags.horizon,
            origins=flags.origins,
            coverage=flags.coverage,
            jobs=flags.jobs,
        )
        for series, history in histories.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _add_flags(parser)
    flags = parser.parse_args(argv)
    try:
        results = _measure(flags)
    except ActioncastError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if flags.json:
        figures = {series: rounded(result, COLUMNS) for series, result in results.items()}
        print(json.dumps(figures[flags.csv.name] if flags.csv else figures))
        return 0
    for series, result in results.items():
        print(f"{series}, {flags.horizon} h ahead\n{as_table(result, COLUMNS)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

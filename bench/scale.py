"""Weak scaling of `train.py --all`: so many series on one local Dask worker, then on two.

    python -m bench.scale --series 200

A fresh folder and database hold the series (each its own daily and weekly wave with noise, 700 hours). The workers are
processes of one thread each; they start before the clock does. Prints a table, or with --json {"series", "seconds":
{"1": s, "2": s}, "ratio", "runner_minutes_per_1000"}, the last on two cores. Needs requirements/bench.txt and a core
per worker.
Exit codes: 0 measured, or Dask is not installed; 1 a series failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

import train
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.periods.grid import Periods
from actioncast.text import table
from actioncast.times import HOUR, isoformat, to_seconds

# One thread of linear algebra in each worker: the workers are the parallelism.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
START, HOURS = datetime(2022, 1, 3, tzinfo=UTC), 700
TABLE = '[series.s{number}]\nsource = {{ kind = "file", path = "none.csv" }}\nunit = "x"\nhorizon = 48\n'
TRAIN = '[train]\ncandidates = ["seasonal_naive", "ridge", "blend"]\n'


def stage(folder: Path, count: int) -> Path:
    """A config.toml with so many series, and a database with their hours."""
    config = folder / "config.toml"
    config.write_text("".join(TABLE.format(number=number) for number in range(count)) + TRAIN)
    hour = np.arange(HOURS)
    with open_database(load_settings(config)) as database:
        for number in range(count):
            noise = np.random.default_rng(number).normal(0, 3, HOURS)
            values = 100 + 20 * np.sin(2 * np.pi * hour / 24) + 8 * np.sin(2 * np.pi * hour / 168) + noise
            run = {"run_id": str(number), "series_id": f"s{number}", "started_at": START, "finished_at": START}
            counts = {"points_read": 0, "periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
            loaded = Periods(to_seconds(START) + HOUR * hour, values, np.ones(HOURS, dtype=np.int64))
            database.load_periods(f"s{number}", loaded, START, {**run, **counts})
    return config


def seconds_on(workers: int, config: Path) -> float:
    """Wall time of the whole job on so many workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        cluster.wait_for_workers(workers)
        os.environ["DASK_SCHEDULER_ADDRESS"] = cluster.scheduler_address
        flags = ["--config", str(config), "--now", isoformat(START + timedelta(hours=HOURS)), "--all", "--json"]
        begun = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = train.main(flags)
        if code:
            raise RuntimeError(printed.getvalue()[-2000:])
        return time.perf_counter() - begun


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    flags = parser.parse_args(argv)
    os.environ |= ONE_THREAD
    seconds: dict[str, float] = {}
    try:
        for workers in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.db"
                seconds[str(workers)] = round(seconds_on(workers, stage(Path(folder), flags.series)), 2)
    except ImportError as error:
        print(f"nothing measured: {error}; pip install -r requirements/bench.txt", file=sys.stderr)
        return 0
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    ratio = round(seconds["1"] / seconds["2"], 2)
    rows = [[int(workers), taken] for workers, taken in seconds.items()]
    minutes = round(1000 * seconds["2"] / flags.series / 60, 1)
    result = {"series": flags.series, "seconds": seconds, "ratio": ratio, "runner_minutes_per_1000": minutes}
    words = f"{table(['workers', 'seconds'], rows)}\nratio {ratio}; 1,000 series take {minutes} minutes of two cores"
    print(json.dumps(result) if flags.json else words)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How long ingestion takes, beside the tutorial's way: whole processes, a real PostgreSQL, the API on loopback.

330,000 points (9.4 years, one per 15 minutes) are back-filled into an empty database; then the clock moves on an hour
at a time. Ours re-reads the last 48 hours at each run; the tutorial's downloads everything and writes from the newest
stored hour on. Both run in turn on the same machine; the figures are medians.

    python -m bench.etl            # about three minutes: the tutorial's back-fill is 82,500 statements
    python -m bench.etl --json
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from actioncast.paths import ROOT
from actioncast.periods.points import Points
from actioncast.rehearsal.world.replay import ReplayServer
from actioncast.text import table
from actioncast.times import isoformat, to_seconds
from tests.support.temp_postgres import TempPostgres

POINTS = 330_000
BEGIN = datetime(2016, 6, 11, tzinfo=UTC)  # where the real series begins
CONFIG = """
[series.bench]
source = {{ kind = "blockchain", url = "{url}" }}
unit = "transactions/h"
scale = 3600
points_per_period = 4
minimum_points_per_period = 3
"""
NAMES = ("actioncast", "tutorial")
Timing = tuple[float, float]  # wall and CPU seconds of one process
Timings = dict[str, list[Timing]]  # name -> each run


def recording() -> Points:
    """Counts of one minute / 60, around 3 per second, as the API has them.

    The last 100 hours arrive during the bench.
    """
    times = to_seconds(BEGIN) + 900 * np.arange(POINTS + 4 * 100, dtype=np.int64)
    counts = np.random.default_rng(1).poisson(180, len(times))
    return Points(times, counts / 60)


class Comparison:
    """Runs both ingestions in turn against the same API and server."""

    def __init__(self, folder: Path, api: ReplayServer, server: TempPostgres) -> None:
        self.api = api
        self.server = server
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG.format(url=api.url), encoding="utf-8")
        # Compiled once, beforehand, whatever this machine is set to.
        self.variables = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        self.variables.pop("PYTHONDONTWRITEBYTECODE", None)
        self.databases: dict[str, str] = {}

    def new_databases(self) -> None:
        self.databases = {name: self.server.new_database() for name in NAMES}

    def actioncast(self, *flags: str) -> Timing:
        options = ["--config", str(self.config), "--now", isoformat(self.api.now), "--json"]
        return self._time("actioncast", ["update_real_data.py", *options, *flags])

    def tutorial(self) -> Timing:
        chart = f"{self.api.url}/transactions-per-second"
        return self._time("tutorial", ["-m", "bench.tutorial_etl", chart])

    def _time(self, name: str, command: Sequence[str]) -> Timing:
        variables = {**self.variables, "DATABASE_URL": self.databases[name]}
        cpu_before = _cpu_seconds_of_children()
        began = time.perf_counter()
        process = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - began
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {process.stderr}")
        return wall, _cpu_seconds_of_children() - cpu_before


def _cpu_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(rounds: int, increments: int, say: Callable[[str], object]) -> dict[str, Timings]:
    """Back-fills into fresh databases, then hourly increments on the last of them."""
    now = BEGIN + timedelta(minutes=15 * POINTS)
    backfills: Timings = {name: [] for name in NAMES}
    hourly: Timings = {name: [] for name in NAMES}
    with (
        tempfile.TemporaryDirectory() as folder,
        TempPostgres(durable=True) as server,
        ReplayServer(recording(), now) as api,
    ):
        comparison = Comparison(Path(folder), api, server)
        _warm_up(comparison)
        for turn in range(rounds):
            say(f"back-fill {turn + 1} of {rounds} ...")
            comparison.new_databases()
            backfills["actioncast"].append(comparison.actioncast("--backfill"))
            backfills["tutorial"].append(comparison.tutorial())
        say(f"{increments} hours more ...")
        for _ in range(increments):
            api.now += timedelta(hours=1)
            hourly["actioncast"].append(comparison.actioncast())
            hourly["tutorial"].append(comparison.tutorial())
    return {"backfill": backfills, "increment": hourly}


def _warm_up(comparison: Comparison) -> None:
    """Compile the bytecode and fill the page cache on a few points, untimed."""
    now = comparison.api.now
    comparison.api.now = BEGIN + timedelta(hours=30)
    comparison.new_databases()
    comparison.actioncast("--backfill")
    comparison.tutorial()
    comparison.api.now = now


def figures(measured: dict[str, Timings]) -> dict[str, dict[str, float]]:
    """Medians and their ratio."""
    facts = {}
    for kind, timings in measured.items():
        wall = {name: median(seconds for seconds, _ in runs) for name, runs in timings.items()}
        cpu = {name: median(seconds for _, seconds in runs) for name, runs in timings.items()}
        facts[kind] = {
            "actioncast_s": round(wall["actioncast"], 3),
            "tutorial_s": round(wall["tutorial"], 3),
            "ratio": round(wall["tutorial"] / wall["actioncast"], 1),
            "actioncast_cpu_s": round(cpu["actioncast"], 3),
            "tutorial_cpu_s": round(cpu["tutorial"], 3),
        }
    return facts


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="back-fills of each (default: 2)")
    parser.add_argument("--increments", type=int, default=7, help="hourly runs of each (default: 7)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(argv)
    measured = measure(arguments.rounds, arguments.increments, _say)
    facts = figures(measured)
    if arguments.json:
        print(json.dumps(facts))
        return 0
    headers = [
        "whole process",
        "actioncast s",
        "tutorial s",
        "ratio",
        "actioncast CPU s",
        "tutorial CPU s",
    ]
    rows = [[kind, *medians.values()] for kind, medians in facts.items()]
    print(f"{POINTS:,} points; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(table(headers, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

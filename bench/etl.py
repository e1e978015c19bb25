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

from actioncast.hours import Points
from actioncast.paths import ROOT
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
points_per_hour = 4
minimum_points_per_hour = 3
"""
Seconds = dict[str, list[tuple[float, float]]]  # who -> (wall, CPU) of each run


def recording() -> Points:
    """Counts of one minute / 60 around 3 per second, as the API has them; the last hours arrive during the bench."""
    times = to_seconds(BEGIN) + 900 * np.arange(POINTS + 4 * 100, dtype=np.int64)
    return Points(times, np.random.default_rng(1).poisson(180, len(times)) / 60)


class Contest:
    """Runs both ways in turn against the same API and server."""

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
        self.databases = {who: self.server.new_database() for who in ("actioncast", "tutorial")}

    def actioncast(self, *flags: str) -> tuple[float, float]:
        now = isoformat(self.api.now)
        script = ["update_real_data.py", "--config", str(self.config), "--now", now, "--json", *flags]
        return self._timed("actioncast", script)

    def tutorial(self) -> tuple[float, float]:
        return self._timed("tutorial", ["-m", "bench.tutorial_etl", f"{self.api.url}/transactions-per-second"])

    def _timed(self, who: str, command: Sequence[str]) -> tuple[float, float]:
        variables = {**self.variables, "DATABASE_URL": self.databases[who]}
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
        )
        wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stderr}")
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int, increments: int, say: Callable[[str], object]) -> dict[str, Seconds]:
    """Back-fills into fresh databases, then hourly increments on the last of them."""
    now = BEGIN + timedelta(minutes=15 * POINTS)
    measured: dict[str, Seconds] = {name: {"actioncast": [], "tutorial": []} for name in ("backfill", "increment")}
    with (
        tempfile.TemporaryDirectory() as folder,
        TempPostgres(durable=True) as server,
        ReplayServer(recording(), now) as api,
    ):
        contest = Contest(Path(folder), api, server)
        _warm_up(contest)
        for turn in range(rounds):
            say(f"back-fill {turn + 1} of {rounds} ...")
            contest.new_databases()
            measured["backfill"]["actioncast"].append(contest.actioncast("--backfill"))
            measured["backfill"]["tutorial"].append(contest.tutorial())
        say(f"{increments} hours more ...")
        for _ in range(increments):
            api.now += timedelta(hours=1)
            measured["increment"]["actioncast"].append(contest.actioncast())
            measured["increment"]["tutorial"].append(contest.tutorial())
    return measured


def _warm_up(contest: Contest) -> None:
    """Compile the bytecode and fill the page cache on a few points, untimed."""
    now = contest.api.now
    contest.api.now = BEGIN + timedelta(hours=30)
    contest.new_databases()
    contest.actioncast("--backfill")
    contest.tutorial()
    contest.api.now = now


def figures(measured: dict[str, Seconds]) -> dict[str, dict[str, float]]:
    """Medians and their ratio."""
    facts = {}
    for name, runs in measured.items():
        wall = {who: median(seconds for seconds, _ in times) for who, times in runs.items()}
        cpu = {who: median(seconds for _, seconds in times) for who, times in runs.items()}
        facts[name] = {
            "actioncast_s": round(wall["actioncast"], 3),
            "tutorial_s": round(wall["tutorial"], 3),
            "ratio": round(wall["tutorial"] / wall["actioncast"], 1),
            "actioncast_cpu_s": round(cpu["actioncast"], 3),
            "tutorial_cpu_s": round(cpu["tutorial"], 3),
        }
    return facts


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="back-fills of each (default: 2)")
    parser.add_argument("--increments", type=int, default=7, help="hourly runs of each (default: 7)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(argv)
    facts = figures(measure(arguments.rounds, arguments.increments, lambda text: print(text, file=sys.stderr)))
    if arguments.json:
        print(json.dumps(facts))
        return 0
    headers = ["whole process", "actioncast s", "tutorial s", "ratio", "actioncast CPU s", "tutorial CPU s"]
    print(f"{POINTS:,} points; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(table(headers, [[name, *row.values()] for name, row in facts.items()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

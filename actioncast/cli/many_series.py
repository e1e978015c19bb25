"""One verb over many series: --all, --shard I/N, --jobs N.

On one machine the series are spread over processes. With DASK_SCHEDULER_ADDRESS set they go to the workers of that
Dask cluster instead, which run in a checkout of the project with the same config.toml, environment and model folder.
A series that fails never stops the others: it is listed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from actioncast.cli.script import Report
from actioncast.config import load_settings, with_rows
from actioncast.database.database import open_database
from actioncast.redaction import masked
from actioncast.settings import Settings
from actioncast.text import progress, table

# One thread of linear algebra per process: the processes are the parallelism.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# Verb -> module and function of the root script that does it for one series.
VERBS = {
    "update_real_data": "update_real_data:run",
    "make_predictions": "make_predictions:run",
    "check_retrain": "check_retrain:run",
    "train": "train:run",
}
Result = dict[str, Any]  # one series' --json object, or {"series", "outcome": "failed", "error"}
OneSeries = Callable[[str], Result]


@dataclass(frozen=True)
class FleetReport:
    """What each series' run printed with --json, in the order of config.toml, then of the table `series`."""

    results: list[Result]

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.get("outcome") == "failed"]

    @property
    def failed(self) -> bool:
        return bool(self.failures)

    def as_json(self) -> dict[str, Any]:
        return {"results": self.results, "failed": [result["series"] for result in self.failures]}

    def as_text(self) -> str:
        done = f"{len(self.results) - len(self.failures)} of {len(self.results)} series done"
        rows = [[result["series"], result["error"]] for result in self.failures]
        return f"{done}\n\n{table(['failed', 'why'], rows)}" if rows else done


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all",
        action="store_true",
        help="every series of config.toml and of the table series; one that fails stops no other",
    )
    parser.add_argument(
        "--shard", type=shard_flag, metavar="I/N", help="every N-th series, from the I-th on (1/N .. N/N)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes for --all (default: one per core)")


def shard_flag(text: str) -> tuple[int, int]:
    """ "2/4" -> (2, 4)."""
    first, _, count = text.partition("/")
    if not (first.isdigit() and count.isdigit() and 1 <= int(first) <= int(count)):
        raise argparse.ArgumentTypeError(f"expected I/N with I from 1 to N, such as 2/4, got {text!r}")
    return int(first), int(count)


def wanted(arguments: argparse.Namespace) -> bool:
    """The flags ask for more than one series."""
    return bool(arguments.all or arguments.shard)


def run(
    verb: str,
    arguments: argparse.Namespace,
    settings: Settings,
    options: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> FleetReport:
    """`verb`.run for every series of the shard, with these keyword arguments beside series_id."""
    first, count = arguments.shard or (1, 1)
    names = list(settings.series)[first - 1 :: count]
    broken = list(settings.broken.items())[first - 1 :: count]
    one = partial(run_one, verb, arguments.config, arguments.now, dict(options or {}))
    scheduler = environment.get("DASK_SCHEDULER_ADDRESS")
    finished = _on_dask(one, names, scheduler) if scheduler else _on_processes(one, names, arguments.jobs)
    results = {}
    with progress("series", len(names)) as advance:
        for result in finished:
            results[result["series"]] = result
            advance(1)
    unusable = [{"series": name, "outcome": "failed", "error": f"the table series: {why}"} for name, why in broken]
    return FleetReport([*(results[name] for name in names), *unusable])


def run_one(verb: str, config: Path, now: datetime, options: Mapping[str, Any], series_id: str) -> Result:
    """One series, wherever this process is: settings are read and the database is opened here."""
    settings = load_settings(config)
    try:
        with open_database(settings) as database:
            known = with_rows(settings, database.series(only=series_id))
            module, function = VERBS[verb].split(":")
            story: Callable[..., Report] = getattr(importlib.import_module(module), function)
            report = story(known, database, now, series_id=series_id, **options)
            failed = {"outcome": "failed", "error": report.as_text()} if report.failed else {}
            return {"series": series_id, **report.as_json(), **failed}
    except Exception as error:  # noqa: BLE001  (whatever it is, it is listed and the other series go on)
        message = masked(f"{type(error).__name__}: {error}", settings.environment.secrets())
        return {"series": series_id, "outcome": "failed", "error": message}


def _on_processes(one: OneSeries, names: Sequence[str], jobs: int) -> Iterator[Result]:
    """Results as they come, from so many fresh processes of one thread each."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(one, name): name for name in names}
        for future in as_completed(futures):
            error = future.exception()  # the process itself died
            lost = {"series": futures[future], "outcome": "failed", "error": f"{type(error).__name__}: {error}"}
            yield lost if error else future.result()


def _on_dask(one: OneSeries, names: Sequence[str], scheduler: str) -> Iterator[Result]:
    """Results as they come, from the workers of a Dask cluster."""
    from distributed import Client
    from distributed import as_completed as dask_as_completed

    with Client(scheduler) as client:
        futures = {client.submit(one, name, pure=False): name for name in names}
        for future in dask_as_completed(futures):
            error = future.exception()
            lost = {"series": futures[future], "outcome": "failed", "error": f"{type(error).__name__}: {error}"}
            yield lost if error else future.result()

"""One script over many series: --all, --names A,B, --shard I/N, --jobs N.

On one machine the series are spread over processes. With DASK_SCHEDULER_ADDRESS set they go to the
workers of that Dask cluster instead, which run in a checkout of the project with the same
config.toml, environment and model folder.
A series that fails never stops the others: it is listed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from actioncast.config import load_settings, with_rows
from actioncast.database.connection import DatabaseError
from actioncast.database.database import open_database
from actioncast.forecasting.card import read_card
from actioncast.monitoring import overview
from actioncast.redaction import masked
from actioncast.report import Report
from actioncast.settings import Settings
from actioncast.text import progress, table

# Script -> module and function that do it for one series.
SCRIPTS = {
    "update_real_data": "update_real_data:run",
    "check_data": "check_data:run",
    "make_predictions": "make_predictions:run",
    "check_retrain": "actioncast.monitoring.look:look",
    "train": "train:run",
}
Result = dict[str, Any]  # the --json object of one series, or {"series", "outcome": "failed", "error"}
OneSeries = Callable[[str], Result]


@dataclass(frozen=True)
class FleetReport(Report):
    """What the run of each series printed with --json, in the order of config.toml, then of the table `series`.

    `fault` is what failed for several series at once, such as a dispatch. `state` is the table of the series as they
    stand now, the worst first.
    """

    results: list[Result]
    fault: str = ""
    state: str = ""

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.get("outcome") == "failed"]

    @property
    def failed(self) -> bool:
        return bool(self.failures or self.fault)

    def as_json(self) -> dict[str, Any]:
        failed = [result["series"] for result in self.failures]
        return {"results": self.results, "failed": failed, "fault": self.fault}

    def as_text(self) -> str:
        done = len(self.results) - len(self.failures)
        paragraphs = [f"{done} of {len(self.results)} series done"]
        if self.failures:
            rows = [[result["series"], result["error"]] for result in self.failures]
            paragraphs.append(table(["failed", "why"], rows))
        if self.state:
            paragraphs.append(self.state)
        if self.fault:
            paragraphs.append(f"error: {self.fault}")
        return "\n\n".join(paragraphs)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add --all, --names, --shard and --jobs."""
    parser.add_argument(
        "--all",
        action="store_true",
        help="every series of config.toml and of the table series; one that fails stops no other",
    )
    parser.add_argument(
        "--names",
        type=names_flag,
        default=[],
        metavar="A,B",
        help="these series, separated by commas",
    )
    parser.add_argument(
        "--shard",
        type=shard_flag,
        metavar="I/N",
        help="every N-th series, from the I-th on (1/N .. N/N)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count(),
        help="processes for --all (default: one per core)",
    )


def names_flag(text: str) -> list[str]:
    """ "a, b,a" -> ["a", "b"]; an empty text has no names."""
    names = [name.strip() for name in text.split(",")]
    if text and not any(names):
        raise argparse.ArgumentTypeError(f"expected names separated by commas, got {text!r}")
    return list(dict.fromkeys(name for name in names if name))


def shard_flag(text: str) -> tuple[int, int]:
    """ "2/4" -> (2, 4)."""
    first, _, count = text.partition("/")
    if not (first.isdigit() and count.isdigit() and 1 <= int(first) <= int(count)):
        raise argparse.ArgumentTypeError(f"expected I/N with I from 1 to N, such as 2/4, got {text!r}")
    return int(first), int(count)


def are_asked_for(arguments: argparse.Namespace) -> bool:
    """Whether the flags ask for more than one series."""
    return bool(arguments.all or arguments.names or arguments.shard)


def run(
    script: str,
    arguments: argparse.Namespace,
    settings: Settings,
    options: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> FleetReport:
    """Run the script for every series of the shard, with these keyword arguments beside series_id.

    Raises SettingsError for a name that no series has.
    """
    first, count = arguments.shard or (1, 1)
    asked_for = [settings.series_id(name) for name in arguments.names]
    names = (asked_for or list(settings.series))[first - 1 :: count]
    broken = [] if asked_for else list(settings.broken.items())[first - 1 :: count]
    one_series = partial(run_one, script, arguments.config, arguments.now, dict(options or {}))
    scheduler = environment.get("DASK_SCHEDULER_ADDRESS")
    if scheduler:
        finished = _on_dask(one_series, names, scheduler)
    else:
        finished = _on_processes(one_series, names, arguments.jobs)
    results = {}
    with progress("series", len(names)) as advance:
        for result in finished:
            results[result["series"]] = result
            advance(1)
    unusable = [_failure(name, f"the table series: {reason}") for name, reason in broken]
    state = "" if arguments.json else _state(settings, names, arguments.now)
    return FleetReport([*(results[name] for name in names), *unusable], state=state)


def _state(settings: Settings, names: Sequence[str], now: datetime) -> str:
    """How these series stand, as the first page of many series shows it; empty where nothing can be read."""
    shown = settings.model_copy(update={"series": {name: settings.series[name] for name in names}})
    try:
        with open_database(settings) as database:
            rows = overview.overview(shown, database, now, lambda name: read_card(settings.model_directory(name)))
    except DatabaseError:  # each series has said so already
        return ""
    return overview.as_text(rows, now)


def run_one(script: str, config: Path, now: datetime, options: Mapping[str, Any], series_id: str) -> Result:
    """Run the script for one series, wherever this process is: it reads the settings and opens the database itself."""
    settings = _settings(config, now)
    try:
        with open_database(settings) as database:
            settings = with_rows(settings, database.series(only=series_id))
            report = _function_of(script)(settings, database, now, series_id=series_id, **options)
    except Exception as error:  # noqa: BLE001  (report any failure per series, keep the others running)
        message = masked(f"{type(error).__name__}: {error}", settings.environment.secrets())
        return _failure(series_id, message)
    result = {"series": series_id, **report.as_json()}
    if report.failed:
        result |= _failure(series_id, report.as_text())
    return result


@lru_cache(maxsize=1)
def _settings(config: Path, _run: datetime) -> Settings:
    """The settings, read once by each process of a run: a file with hundreds of tables takes a while."""
    return load_settings(config)


def _function_of(script: str) -> Callable[..., Report]:
    """What does it for one series."""
    module, function = SCRIPTS[script].split(":")
    run_of_script: Callable[..., Report] = getattr(importlib.import_module(module), function)
    return run_of_script


def _failure(series_id: str, error: str) -> Result:
    return {"series": series_id, "outcome": "failed", "error": error}


def _on_processes(one_series: OneSeries, names: Sequence[str], jobs: int) -> Iterator[Result]:
    """Yield results as they come from this many processes, each with one thread of linear algebra.

    One process is this one: starting another takes longer than looking at a few series.
    """
    if jobs == 1:
        yield from map(one_series, names)
        return
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor

    unfinished = set(names)
    # The processes are the parallelism: more threads than cores would only wait for each other.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        results = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(one_series)(name) for name in names)
        try:
            for result in results:
                unfinished.discard(result["series"])
                yield result
        except Exception as error:  # noqa: BLE001  (a process died, and with it the pool)
            for name in sorted(unfinished):
                yield _failure(name, f"{type(error).__name__}: {error}")
        finally:
            # Processes that joblib keeps for a next call would not see a changed environment.
            get_reusable_executor().shutdown()


def _on_dask(one_series: OneSeries, names: Sequence[str], scheduler: str) -> Iterator[Result]:
    """Yield results as they come from the workers of a Dask cluster.

    Not by joblib's Dask backend, which gives up all series when the worker of one dies.
    """
    from distributed import Client
    from distributed import as_completed as dask_as_completed

    with Client(scheduler) as client:
        futures = {client.submit(one_series, name, pure=False): name for name in names}
        for future in dask_as_completed(futures):
            error = future.exception()
            if error:
                yield _failure(futures[future], f"{type(error).__name__}: {error}")
            else:
                yield future.result()

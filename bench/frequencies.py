"""Series of other frequencies than hourly: our engine beside the seasonal naive and statsforecast's automatic models.

    python -m bench.frequencies --data DIR
    python -m bench.frequencies --data DIR --only ours,median --series 50 --jobs 2 --json

DIR holds info.json (frequency, horizon, mase_season) and train.csv.gz and test.csv.gz (one series a row, its id
first, oldest value first, no dates), or series.csv.gz (timestamp, value), whose last `origins` windows are forecast.
`median` is the plain median of AutoETS, AutoTheta and AutoCES. MASE is scaled by the differences at mase_season. WQL
is the weighted quantile loss of the deciles, which peers have from a normal with their bounds; those are of 80 %. OWA
is the mean of sMAPE and MASE relative to the seasonal naive's. Prints a table, or with --json
{METHOD: {"mase", "smape", "owa", "msis", "wql", "coverage", "seconds_per_series"}}.
Needs statsforecast (requirements/bench.txt). Exit codes: 0 measured; 2 wrong flags or data.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from actioncast.arrays import Seconds, Values
from actioncast.forecasting import features, forecaster, recipes, seasons
from actioncast.forecasting.naive import seasonal_naive
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.grid import Grid, to_grid
from actioncast.periods.lengths import defaults_of
from actioncast.periods.opening import Opening
from actioncast.periods.timeline import Timeline, timeline_of
from actioncast.quantiles import DECILES
from actioncast.settings import CANDIDATES
from actioncast.text import progress
from actioncast.times import to_seconds
from actioncast.training.backtest import backtest
from actioncast.training.challenger import best_challenger
from actioncast.training.clean import clean
from actioncast.training.leaderboard import rank_candidates
from bench.methods import Answer, Rows, as_table, rounded, scores, wql_of

COVERAGE = 0.8
BEGIN = datetime(1980, 1, 6, tzinfo=UTC)  # of series without dates
FREQUENCIES = {"yearly": "1YS", "quarterly": "1QS", "monthly": "1MS", "weekly": "1W", "daily": "1D", "hourly": "1h"}
LONGEST_SEASON = 24  # periods that statsforecast's ETS can learn
MEDIAN_OF = ("AutoETS", "AutoTheta", "AutoCES")
STATSFORECAST = (*MEDIAN_OF, "AutoARIMA")
METHODS = ("seasonal_naive", *STATSFORECAST, "median", "ours")
COLUMNS = ("mase", "smape", "owa", "msis", "wql", "coverage", "seconds_per_series")


@dataclass(frozen=True)
class Task:
    """One series to learn from, and what came then."""

    history: Grid
    actual: Values  # [horizon]
    scale_season: int  # of the MASE

    @property
    def horizon(self) -> int:
        return len(self.actual)

    @property
    def seasons(self) -> tuple[int, ...]:
        return seasons.usual(self.history.timeline, len(self.history))

    @property
    def filled(self) -> Values:
        """The values without gaps, as the other methods need them."""
        return features.fill_missing(self.history.values, self.seasons)


Method = Callable[[Task], Answer]


# Data ---------------------------------------------------------------------------------------------


def read(folder: Path) -> list[Task]:
    """The series of a set. Raises SystemExit for a folder that holds none."""
    if not (folder / "info.json").is_file():
        raise SystemExit(f"error: {folder} has no info.json")
    info = json.loads((folder / "info.json").read_text(encoding="utf-8"))
    frequency = parse_frequency(FREQUENCIES.get(info["frequency"], info["frequency"]))
    if (folder / "series.csv.gz").is_file():
        return _windows(folder, info, timeline_of(frequency, "UTC", _opening(folder)))
    return _many(folder, info, timeline_of(frequency, "UTC", None))


def _many(folder: Path, info: dict[str, Any], timeline: Timeline) -> list[Task]:
    train = _rows(folder / "train.csv.gz")
    test = _rows(folder / "test.csv.gz")
    begin = timeline.floor(BEGIN)
    return [
        Task(Grid(begin, values, timeline=timeline), test[name][: info["horizon"]], info.get("mase_season", 1))
        for name, values in train.items()
    ]


def _rows(path: Path) -> dict[str, Values]:
    """Series by id; an empty cell inside is a gap, those at the end are none."""
    with gzip.open(path, "rt", newline="") as file:
        _, *rows = csv.reader(file)
    series = {}
    for name, *cells in rows:
        last = max(index for index, cell in enumerate(cells) if cell)
        series[name] = np.array([float(cell) if cell else np.nan for cell in cells[: last + 1]])
    return series


def _points(folder: Path) -> tuple[Seconds, Values]:
    with gzip.open(folder / "series.csv.gz", "rt", newline="") as file:
        _, *rows = csv.reader(file)
    times = [to_seconds(datetime.fromisoformat(row[0]).replace(tzinfo=UTC)) for row in rows]
    return np.array(times, dtype=np.int64), np.array([float(row[1]) if row[1] else np.nan for row in rows])


def _opening(folder: Path) -> Opening | None:
    """The opening times that the stamps show; None for periods at all times."""
    times, _ = _points(folder)
    minutes = times % 86_400 // 60
    if len(times) < 2 or np.ptp(minutes) == 0 or minutes.max() - minutes.min() > 23 * 60:
        return None
    step = int(np.min(np.diff(times))) // 60
    weekdays = sorted(set(((times // 86_400 + 3) % 7).tolist()))
    end = int(minutes.max()) + step
    return Opening(tuple((day, int(minutes.min()), end) for day in weekdays), "as the stamps show")


def _windows(folder: Path, info: dict[str, Any], timeline: Timeline) -> list[Task]:
    """The last windows of a single series, one after the other."""
    times, values = _points(folder)
    whole = to_grid(times, values, timeline)
    horizon = info["horizon"]
    tasks = []
    for back in range(info.get("origins", 1), 0, -1):
        origin = len(whole) - back * horizon
        history = Grid(whole.start, whole.values[:origin], timeline=timeline)
        tasks.append(Task(history, whole.values[origin : origin + horizon], info.get("mase_season", 1)))
    return tasks


# Methods ------------------------------------------------------------------------------------------


def ours(task: Task) -> Answer:
    """The challenger that train.py would make, and its forecast."""
    timeline = task.history.timeline
    defaults = defaults_of(timeline.frequency)
    newest = defaults.history.periods(timeline.frequency)
    first = max(0, len(task.history) - newest)
    history = Grid(timeline.start_of(task.history.first + first), task.history.values[first:], timeline=timeline)
    found = seasons.detect(history.values, timeline)
    series = clean(history, found.periods)
    pool = recipes.recipe_pool(
        found.periods, CANDIDATES, 1, periods=len(history), timeline=timeline, horizon=task.horizon
    )
    longest = defaults.backtest.periods(timeline.frequency)
    test = backtest(series, pool, horizon=task.horizon, longest=longest, watch=lambda _: None)
    challenger = best_challenger(rank_candidates(test, CANDIDATES), test, coverage=COVERAGE, levels=DECILES)
    made = forecaster.forecast(challenger.forecaster, history, task.horizon)
    return Answer(made.prediction, made.lower, made.upper, made.quantiles)


def naive(task: Task) -> Answer:
    """The last season again; the bounds of a normal with the deviation of the seasonal differences."""
    from statsforecast import models

    model = models.SeasonalNaive(season_length=max(task.seasons))
    made = model.forecast(task.filled, h=task.horizon, level=[round(100 * COVERAGE)])
    prediction = seasonal_naive(task.filled, task.seasons, task.horizon)
    return Answer(prediction, *_bounds(made))


def automatic(name: str) -> Method:
    """One of statsforecast's automatic models, on the longest season that its ETS can learn."""

    def method(task: Task) -> Answer:
        from statsforecast import models

        fitting = [season for season in task.seasons if season <= LONGEST_SEASON]
        model = getattr(models, name)(season_length=max(fitting, default=1))
        made = model.forecast(task.filled, h=task.horizon, level=[round(100 * COVERAGE)])
        return Answer(np.asarray(made["mean"]), *_bounds(made))

    return method


def _bounds(made: dict[str, Any]) -> tuple[Values, Values]:
    level = round(100 * COVERAGE)
    return np.asarray(made[f"lo-{level}"]), np.asarray(made[f"hi-{level}"])


def median_of(answers: Sequence[Answer]) -> Answer:
    """The plain median of several answers, of their bounds too."""
    sides = [[answer.prediction for answer in answers], [answer.lower for answer in answers]]
    sides.append([answer.upper for answer in answers])
    return Answer(*(np.median(np.array(side), axis=0) for side in sides))


ALONE: dict[str, Method] = {
    "seasonal_naive": naive,
    **{name: automatic(name) for name in STATSFORECAST},
    "ours": ours,
}


# Measuring ----------------------------------------------------------------------------------------


def measure(names: Sequence[str], task: Task) -> Rows:
    """The scores of these methods on one series."""
    scale = float(
        np.nanmean(np.abs(task.history.values[task.scale_season :] - task.history.values[: -task.scale_season]))
    )
    answers: dict[str, Answer] = {}
    seconds: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            begun = time.process_time()
            answers[name] = median_of([answers[each] for each in MEDIAN_OF]) if name == "median" else ALONE[name](task)
            seconds[name] = time.process_time() - begun
    if "median" in names:
        seconds["median"] += sum(seconds[name] for name in MEDIAN_OF)
    return {
        name: {**scores(answers[name], task.actual, scale, COVERAGE), "seconds_per_series": seconds[name]}
        for name in names
    }


def average(measured: Sequence[Rows], names: Sequence[str]) -> Rows:
    """Means over the series, and OWA relative to the seasonal naive's means."""

    def mean(name: str, key: str) -> float:
        defined = [rows[name][key] for rows in measured if np.isfinite(rows[name][key])]
        return float(np.mean(defined)) if defined else float("nan")

    result = {name: {key: mean(name, key) for key in measured[0][name]} for name in names}
    reference = result["seasonal_naive"]
    for name, row in result.items():
        row["wql"] = wql_of(measured, name)
        row["owa"] = (row["smape"] / reference["smape"] + row["mase"] / reference["mase"]) / 2
    return result


def chosen(only: str) -> list[str]:
    """The methods to run, in order, with those that others need. Raises SystemExit for an unknown one."""
    wanted = set(only.split(",")) if only else set(METHODS)
    unknown = wanted - set(METHODS)
    if unknown:
        raise SystemExit(f"error: no method {', '.join(sorted(unknown))}; there are {', '.join(METHODS)}")
    if "median" in wanted:
        wanted |= set(MEDIAN_OF)
    return [name for name in METHODS if name in wanted | {"seasonal_naive"}]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", default="", metavar="A,B", help="methods, separated by commas (default: all)")
    parser.add_argument("--series", type=int, metavar="N", help="only about so many series, spread over the set")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    names = chosen(arguments.only)
    tasks = read(arguments.data)
    if arguments.series:
        tasks = tasks[:: max(1, len(tasks) // arguments.series)]
    with progress("series", len(tasks)) as advance, ProcessPoolExecutor(arguments.jobs) as pool:
        measured = []
        for rows in pool.map(partial(measure, names), tasks):
            measured.append(rows)
            advance(1)
    result = average(measured, names)
    if arguments.json:
        print(json.dumps(rounded(result, COLUMNS)))
    else:
        print(f"{arguments.data.name}: {len(tasks)} series\n{as_table(result, COLUMNS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

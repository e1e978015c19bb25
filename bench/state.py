"""What the state branch costs where there is no database: bytes that saves leave at the server, and seconds.

A bare repository keeps every pack that it gets; a job works in a shallow checkout, as on GitHub. One series on the
default clock, with two years of hours and a year of vintages: 24 loads and 4 forecasts of 168 hours a day are 28 saves,
every second load with a check. The old form, the SQLite file itself on the branch, is pushed beside it with the same
rows: two saves are measured, since all cost the same. Fleets have a short history: what a save sends does not depend
on it.

    python -m bench.state            # about five minutes
    python -m bench.state --json

Needs git. Exit code: 0 measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

import numpy as np

from actioncast.database import copying
from actioncast.database.state.sqlite_file import close_off
from actioncast.github import state_branch, state_commits
from actioncast.github.git import git
from actioncast.quantiles import DECILES, by_name
from actioncast.text import table
from actioncast.times import ONE_HOUR, isoformat

ONE_DAY = timedelta(days=1)
DAYS_PER_YEAR = 365
MIB = 2**20
VINTAGE_DAYS = 60  # as config.toml has it
CHECK_HOURS = 2  # between two checks
# What a day costs depends on the day: the last month is put together on the 4th, and one is thinned on the 30th.
ORDINARY_DAY = datetime(2026, 11, 15, tzinfo=UTC)
THINNING_DAY = datetime(2026, 11, 30, tzinfo=UTC)
CLOSING_DAY = datetime(2026, 12, 4, tzinfo=UTC)
DAYS = {
    "one series, an ordinary day": ORDINARY_DAY,
    "one series, the day on which a month is thinned": THINNING_DAY,
    "one series, the day on which a month is over": CLOSING_DAY,
}
COLUMNS = {
    "reality": "series_id, reality_date, value, samples, loaded_at",
    "predictions": "series_id, prediction_date, issued_at, prediction, lower, upper, lead, model_version, quantiles",
    "etl_runs": (
        "run_id, series_id, started_at, finished_at, points_read, points_rejected,"
        " periods_loaded, periods_missing, outcome, message"
    ),
    "checks": (
        "series_id, checked_at, verdict, bad, newest_period, reasons, scored_periods,"
        " mae, reference_mae, naive_mae, dispatched"
    ),
}


@dataclass(frozen=True)
class Clock:
    """When jobs run, and for how many series."""

    series: int = 1
    load_hours: int = 1  # between two loads
    forecast_hours: int = 6
    horizon: int = 168


@dataclass(frozen=True)
class Cost:
    """What some saves sent, and what they would have sent in the old form."""

    name: str
    saves: int
    mib: float
    old_mib: float | None = None  # not measured for fleets


@dataclass(frozen=True)
class Figures:
    """What was measured; seconds are medians of jobs of one series."""

    costs: Sequence[Cost]
    restore_seconds: float
    save_seconds: float


class Jobs:
    """Jobs that restore, add rows and save, at one bare repository."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.random = np.random.default_rng(1)
        self.server = bare_repository(folder / "server.git", folder)
        self.restore_seconds: list[float] = []
        self.save_seconds: list[float] = []
        self.checkout = checkout(self.server, folder / "job")
        with copying.opened(self.database):
            pass  # an empty database

    @property
    def database(self) -> Path:
        return self.checkout / state_branch.FILE

    def copy(self, name: str) -> Path:
        """A copy of the database as it is now."""
        close_off(self.database)
        return Path(shutil.copy(self.database, self.folder / name))

    def restore(self) -> None:
        """A new job's checkout, with the rows restored."""
        checkout(self.server, self.checkout)
        begin = time.perf_counter()
        state_branch.restore(self.checkout)
        self.restore_seconds.append(time.perf_counter() - begin)

    def save(self, now: datetime) -> None:
        begin = time.perf_counter()
        with redirect_stdout(sys.stderr):  # what was thinned
            state_branch.save(self.checkout, now=now, vintage_days=VINTAGE_DAYS)
        self.save_seconds.append(time.perf_counter() - begin)

    def history(self, *, begin: datetime, vintages_from: datetime, end: datetime) -> None:
        """Rows of [begin, end), as the jobs would have left them."""
        with opened(self.database) as connection:
            self.add_hours(connection, begin, end)
            for hour in hours(max(begin, vintages_from), end):
                self.add_runs(connection, hour)
                if hour.hour % self.clock.forecast_hours == 0:
                    self.add_vintages(connection, hour)

    def day(self, day: datetime) -> int:
        """A day's jobs. Returns how many there were."""
        saves = 0
        for hour in hours(day, day + ONE_DAY)[:: self.clock.load_hours]:
            with opened(self.database) as connection:
                self.add_hours(connection, hour - ONE_HOUR * self.clock.load_hours, hour)
                self.add_runs(connection, hour)
            self.save(hour)
            saves += 1
            if hour.hour % self.clock.forecast_hours == 0:
                with opened(self.database) as connection:
                    self.add_vintages(connection, hour)
                self.save(hour)
                saves += 1
        return saves

    def add_hours(self, connection: sqlite3.Connection, begin: datetime, end: datetime) -> None:
        """Values as the bundled series has them: 3600 x the mean of four counts / 60."""
        rows = []
        for hour in hours(begin, end):
            wait = self.clock.load_hours - hour.hour % self.clock.load_hours
            loaded = isoformat(hour + wait * ONE_HOUR + timedelta(minutes=17))
            counts = self.random.poisson(720, self.clock.series)
            rows += [[name_of(i), isoformat(hour), count * 15.0, 4, loaded] for i, count in enumerate(counts.tolist())]
        insert(connection, "reality", rows)

    def add_runs(self, connection: sqlite3.Connection, hour: datetime) -> None:
        """The ledger of a load, and of a check where it is time for one."""
        if hour.hour % self.clock.load_hours:
            return
        begin = isoformat(hour + timedelta(minutes=17))
        end = isoformat(hour + timedelta(minutes=17, seconds=2))
        runs = []
        checks = []
        for i in range(self.clock.series):
            run_id = self.random.bytes(16).hex()
            runs.append([run_id, name_of(i), begin, end, 192, 0, self.clock.load_hours, 0, "loaded", ""])
            reasons = '["the live error is 1.04 times the backtest error at the same leads"]'
            errors = self.random.normal(900, 50, 3).tolist()
            checks.append([name_of(i), begin, "good", 0, isoformat(hour), reasons, 48, *errors, 0])
        insert(connection, "etl_runs", runs)
        if hour.hour % CHECK_HOURS == 0:
            insert(connection, "checks", checks)

    def add_vintages(self, connection: sqlite3.Connection, hour: datetime) -> None:
        issued = isoformat(hour + timedelta(minutes=37))
        horizon = self.clock.horizon
        for i in range(self.clock.series):
            predictions = 10_800 * np.exp(self.random.normal(0, 0.2, horizon))
            lower = predictions * self.random.uniform(0.8, 0.9, horizon)
            upper = predictions * self.random.uniform(1.1, 1.2, horizon)
            rows = []
            for lead in range(1, horizon + 1):
                values = [float(column[lead - 1]) for column in (predictions, lower, upper)]
                begins = isoformat(hour + ONE_HOUR * lead)
                deciles = self._deciles(*values[1:])
                rows.append([name_of(i), begins, issued, *values, lead, "20261101T0647-1a2b3c4d", deciles])
            insert(connection, "predictions", rows)

    def _deciles(self, lower: float, upper: float) -> str:
        """Deciles between the bounds, as they are stored."""
        inner = np.sort(self.random.uniform(lower, upper, len(DECILES) - 2)).tolist()
        return json.dumps(by_name(DECILES, [lower, *inner, upper], lower, upper))


def name_of(index: int) -> str:
    return f"series_{index:03}"


def hours(begin: datetime, end: datetime) -> list[datetime]:
    """The hours that begin in [begin, end)."""
    return [begin + ONE_HOUR * i for i in range(int((end - begin) / ONE_HOUR))]


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("pragma synchronous = off")
        yield connection


def insert(connection: sqlite3.Connection, name: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert or replace into {name} ({COLUMNS[name]}) values ({marks})", rows)


# --- repositories -----------------------------------------------------------------------------------------------------


def bare_repository(path: Path, folder: Path) -> str:
    """A server with one commit on main, which keeps each pack as it came. Returns its URL."""
    git(folder, "init", "--quiet", "--bare", str(path))
    git(path, "config", "receive.unpackLimit", "1")
    git(path, "config", "receive.autogc", "false")
    tree = git(path, "mktree", stdin=b"")
    git(path, "update-ref", "refs/heads/main", git(path, "commit-tree", tree, "-m", "Initial commit"))
    return path.as_uri()


def checkout(server: str, path: Path) -> Path:
    """A shallow checkout of main in a new folder."""
    shutil.rmtree(path, ignore_errors=True)
    git(path.parent, "clone", "--quiet", "--depth=1", "--branch=main", server, str(path))
    return path


def bytes_at(server: str) -> int:
    """All that was ever pushed."""
    packs = Path(server.removeprefix("file://")) / "objects" / "pack"
    return sum(path.stat().st_size for path in packs.glob("*.pack"))


def old_form_bytes(folder: Path, databases: Sequence[Path]) -> float:
    """Mean bytes of a save of the old form: the database, compressed, is the one file of the branch."""
    server = bare_repository(folder / "old.git", folder)
    sizes = []
    for database in databases:
        job = checkout(server, folder / "old")
        state_commits.fetch(job)
        before = bytes_at(server)
        held = list(state_commits.blobs(job))
        commit = state_commits.commit(job, {state_branch.FILE: database.read_bytes()}, held)
        state_commits.push(job, commit)
        sizes.append(bytes_at(server) - before)
    return mean(sizes)


# --- what is measured -------------------------------------------------------------------------------------------------


def one_series(folder: Path, days: dict[str, datetime], *, history: timedelta, vintages: timedelta) -> Figures:
    """Each of these days, ascending; what lies between them is saved without being counted."""
    jobs = Jobs(folder, Clock())
    end = min(days.values())
    jobs.history(begin=end - history, vintages_from=end - vintages, end=end)
    old_mib = old_form_mib(jobs, end)
    jobs.save(end)
    jobs.save_seconds.clear()

    costs = []
    for name, day in days.items():
        jobs.history(begin=end, vintages_from=end, end=day)
        jobs.save(day - ONE_HOUR)
        jobs.restore()
        before = bytes_at(jobs.server)
        saves = jobs.day(day)
        mib = (bytes_at(jobs.server) - before) / MIB
        costs.append(Cost(name, saves, mib, old_mib * saves))
        end = day + ONE_DAY
    return Figures(costs, median(jobs.restore_seconds), median(jobs.save_seconds))


def old_form_mib(jobs: Jobs, now: datetime) -> float:
    """Mean MiB of a save of the old form, before and after a load."""
    first = jobs.copy("first.db")
    jobs.history(begin=now, vintages_from=now + ONE_DAY, end=now + ONE_HOUR)
    second = jobs.copy("second.db")
    return old_form_bytes(jobs.folder, [first, second]) / MIB


def fleet(folder: Path, clock: Clock, days: Sequence[datetime], *, history: timedelta) -> tuple[int, float]:
    """(saves, MiB that they sent) of these days, one after another."""
    folder.mkdir()
    jobs = Jobs(folder, clock)
    jobs.history(begin=days[0] - history, vintages_from=days[0] - history, end=days[0])
    jobs.save(days[0])
    before = bytes_at(jobs.server)
    saves = sum(jobs.day(day) for day in days)
    return saves, (bytes_at(jobs.server) - before) / MIB


def fleets(folder: Path, series: int) -> list[Cost]:
    """Many series: every hour of a day, and once a day for a year, as twelve times a month with each kind of day."""
    saves, mib = fleet(folder / "hourly", Clock(series), [ORDINARY_DAY], history=ONE_DAY * 14)
    costs = [Cost(f"{series} series, an ordinary day", saves, mib)]
    month = [CLOSING_DAY - ONE_DAY * i for i in reversed(range(30))]
    for horizon in (24, 168):
        clock = Clock(series, load_hours=24, forecast_hours=24, horizon=horizon)
        saves, mib = fleet(folder / f"daily_{horizon}", clock, month, history=ONE_DAY * 90)
        name = f"{series} series, a year of a load and a forecast of {horizon} h a day"
        years = DAYS_PER_YEAR / len(month)
        costs.append(Cost(name, round(saves * years), mib * years))
    return costs


def measure() -> Figures:
    with TemporaryDirectory() as place:
        folder = Path(place)
        figures = one_series(folder, DAYS, history=ONE_DAY * 730, vintages=ONE_DAY * 365)
        return replace(figures, costs=[*figures.costs, *fleets(folder, series=20)])


def as_text(figures: Figures) -> str:
    rows: list[list[object]] = []
    for cost in figures.costs:
        ratio = cost.old_mib / cost.mib if cost.old_mib else None
        rows.append([cost.name, cost.saves, cost.mib, cost.old_mib, ratio])
    headers = ["what", "saves", "MiB sent", "MiB in the old form", "ratio"]
    seconds = f"one series: restored in {figures.restore_seconds:.1f} s, saved in {figures.save_seconds:.1f} s"
    return f"{table(headers, rows)}\n\n{seconds}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(argv)
    figures = measure()
    print(json.dumps(asdict(figures)) if arguments.json else as_text(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

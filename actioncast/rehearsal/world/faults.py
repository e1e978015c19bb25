"""Faults on purpose: of the clock, the source, the database, the process, the series itself.

`Faults` says what fails and how often; `SCENARIOS` names some. A draw depends on the seed and on
what it is drawn for, not on earlier draws: the same rehearsal fails in the same places, resumed
or not.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from actioncast.arrays import Flags, Seconds, Values
from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database
from actioncast.periods.points import Points
from actioncast.settings import SettingsError
from actioncast.times import HOUR, HOURS_PER_DAY, HOURS_PER_WEEK

Answer = Literal["ok", "truncated", "html", "429", "503", "slow", "empty"]
BROKEN: tuple[Answer, ...] = ("truncated", "html", "429", "503", "slow")
# Periods of the day at which an hourly cron ran in June 2026: 8 of 24; nine gaps in ten are 5 h
# at most.
SURVIVORS = frozenset({0, 2, 5, 7, 10, 12, 16, 19})
SPARED_EVERY = 4  # hours: in the same month a cron that runs this seldom lost next to nothing
LONGEST_BURST = 28  # points that go missing in a row
LAST_STATEMENT = 12  # a run is killed before its n-th statement, n up to this
MOST_BROKEN_ANSWERS = 4  # to the requests of one run
SPIKE = 5.0  # times the value


class Killed(BaseException):
    """The process was killed here. It is no Exception: no code can handle that it is gone."""


class Span(NamedTuple):
    """An amount (hours, or a factor) from an hour of the rehearsal on."""

    amount: float
    at: float

    @classmethod
    def parse(cls, text: str) -> Span:
        """'38@200' is 38 hours from hour 200 on."""
        amount, separator, at = text.partition("@")
        if not separator:
            raise ValueError(f"expected AMOUNT@HOUR such as 38@200, got {text!r}")
        return cls(float(amount), float(at))

    def covers(self, hour: float) -> bool:
        """Whether a span whose amount is hours holds this hour of the rehearsal."""
        return self.at <= hour < self.at + self.amount


@dataclass(frozen=True)
class Faults:
    """What fails; by default nothing.

    Shares are of runs, minutes are upper limits, hours count from the start of the rehearsal.
    """

    drop: float = 0  # share of the cron runs that GitHub never starts
    pattern: float = 0  # 1: of the jobs due more often than every 4 h only 8 runs a day start
    late: float = 0  # minutes
    twice: float = 0  # share of runs that start twice at the same moment
    skew: float = 0  # minutes by which a runner's clock is wrong, either way
    broken: float = 0  # share of runs whose answers are truncated, HTML, 429, 503 or slow
    gaps: float = 0  # share of points that are never published, in bursts
    down: float = 0  # share of runs that find no database
    kill: float = 0  # share of runs that are killed between two statements
    silent: tuple[Span, ...] = ()  # hours without a new point, back-filled afterwards
    empty: tuple[Span, ...] = ()  # hours of `values: []`
    shift: tuple[Span, ...] = ()  # factor on the level
    drift: tuple[Span, ...] = ()  # growth a week
    reshape: tuple[Span, ...] = ()  # hours by which the daily shape turns
    spikes: float = 0  # share of hours that show five times their value

    def with_flag(self, text: str) -> Faults:
        """These faults and one more: 'drop=0.67' or 'silent=38@200', which adds a span."""
        name, _, value = text.partition("=")
        defaults = {field.name: field.default for field in fields(self)}
        if name not in defaults:
            raise SettingsError(f"unknown fault {name!r}; there are: {', '.join(defaults)}")
        try:
            if defaults[name] == ():
                parsed: Any = (*getattr(self, name), Span.parse(value))
            else:
                parsed = float(value)
        except ValueError as error:
            raise SettingsError(f"--fault {text}: {error}") from None
        return replace(self, **{name: parsed})

    def changes(self) -> list[tuple[str, Span]]:
        """(kind, span) of each change of the series itself, in order."""
        kinds = ("shift", "drift", "reshape")
        changes = [(kind, span) for kind in kinds for span in getattr(self, kind)]
        return sorted(changes, key=lambda change: change[1].at)

    def silence_at(self, hour: float) -> Span | None:
        """The silence of the source in this hour of the rehearsal; None outside of one."""
        for span in self.silent:
            if span.covers(hour):
                return span
        return None

    def is_empty_at(self, hour: float) -> bool:
        """Whether the source answers with no value in this hour of the rehearsal."""
        return any(span.covers(hour) for span in self.empty)


OUTAGES = (Span(10, 40), Span(38, 90), Span(72, 180))
_ALL = Faults(
    drop=0.67,
    late=55,
    twice=0.1,
    skew=20,
    broken=0.25,
    gaps=0.003,
    down=0.05,
    kill=0.1,
    silent=OUTAGES,
    empty=(Span(30, 280),),
    shift=(Span(2, 340),),
    drift=(Span(0.05, 340),),
    reshape=(Span(3, 500),),
    spikes=0.002,
)
_SQUEEZED = replace(  # the same within eight days
    _ALL,
    twice=0.2,
    kill=0.3,
    gaps=0.01,
    spikes=0.01,
    silent=(Span(10, 10), Span(38, 24), Span(72, 70)),
    empty=(Span(12, 146),),
    shift=(Span(2, 160),),
    drift=(Span(0.1, 0),),
    reshape=(Span(3, 165),),
)
SCENARIOS: dict[str, Faults] = {
    "none": Faults(),
    "june-2026": Faults(pattern=1, late=55),
    "dropped": Faults(drop=0.67, late=55),
    "outages": Faults(silent=OUTAGES),
    "outage-10h": Faults(silent=(Span(10, 40),)),
    "outage-38h": Faults(silent=(Span(38, 40),)),
    "outage-3d": Faults(silent=(Span(72, 40),)),
    "empty": Faults(empty=(Span(96, 40),)),
    "answers": Faults(broken=0.5),
    "gaps": Faults(gaps=0.01),
    "database": Faults(down=0.2),
    "killed": Faults(kill=0.3),
    "twice": Faults(twice=0.5),
    "skew": Faults(skew=30),
    "shift": Faults(shift=(Span(2, 96),)),
    "drift": Faults(drift=(Span(0.25, 0),)),
    "reshape": Faults(reshape=(Span(8, 96),)),
    "spikes": Faults(spikes=0.01),
    "all": _ALL,
    "squeezed": _SQUEEZED,
}


class Mishap(NamedTuple):
    """What happens to one run."""

    late: float = 0.0  # minutes
    skew: float = 0.0  # minutes
    answers: tuple[Answer, ...] = ()  # of the source, one per request; then it is well again
    down: bool = False
    killed_at: int | None = None  # before this statement
    twice: bool = False


def starts(faults: Faults, seed: int, job: str, every: int, hour: int) -> bool:
    """Whether GitHub starts this run of a cron job at all."""
    if faults.pattern and every < SPARED_EVERY and hour % HOURS_PER_DAY not in SURVIVORS:
        return False
    return _random(seed, "starts", job, hour).random() >= faults.drop


def mishap(faults: Faults, seed: int, job: str, hour: int) -> Mishap:
    """Draw what happens to the run of a job at an hour.

    Every value is drawn, in this order, whatever the faults: another fault leaves the draws alone.
    """
    generator = _random(seed, "mishap", job, hour)
    late = generator.uniform(0, faults.late)
    skew = generator.uniform(-faults.skew, faults.skew)
    broken = generator.random() < faults.broken
    down = generator.random() < faults.down
    killed = generator.random() < faults.kill
    twice = generator.random() < faults.twice
    answer = generator.choice(BROKEN)
    answers = generator.randint(1, MOST_BROKEN_ANSWERS)
    statement = generator.randint(1, LAST_STATEMENT)
    return Mishap(
        late=late,
        skew=skew,
        answers=(answer,) * answers if broken else (),
        down=down,
        killed_at=statement if killed else None,
        twice=twice,
    )


def _random(*key: object) -> random.Random:
    """A generator of its own for each key."""
    return random.Random("/".join(map(str, key)))


# The series ---------------------------------------------------------------------------------------


def spoiled(recording: Points, faults: Faults, start: int, seed: int, *, tick: int = HOUR) -> Points:
    """The recording with its level, shape and points changed from `start` (unix seconds) on."""
    values = recording.values.copy()
    hours = (recording.times - start) / tick  # ticks of so many seconds, mostly hours
    for turn, at in faults.reshape:
        values = np.where(hours >= at, _turned(values, recording.times, turn * tick), values)
    for growth, at in faults.drift:
        values *= (1 + growth) ** (np.maximum(hours - at, 0) / HOURS_PER_WEEK)
    for factor, at in faults.shift:
        values = np.where(hours >= at, factor * values, values)
    values *= _spike_factors(hours, faults.spikes, seed)
    is_live = hours >= 0
    is_missing = is_live & _missing(len(recording), faults.gaps, seed)
    return Points(recording.times, values).where(~is_missing)


def _turned(values: Values, times: Seconds, turn: float) -> Values:
    """The value of `turn` seconds before: the day has the same shape at another time."""
    return np.asarray(np.interp(times - turn, times, values))


def _spike_factors(hours: Values, share: float, seed: int) -> Values:
    """SPIKE for each point of the drawn live hours, 1 for the others."""
    live_hours = np.unique(np.floor(hours[hours >= 0]))
    draws = np.random.default_rng([seed, 1]).random(len(live_hours))
    spike_hours = live_hours[draws < share]
    return np.where(np.isin(np.floor(hours), spike_hours), SPIKE, 1.0)


def _missing(points: int, share: float, seed: int) -> Flags:
    """Bursts of 1 to LONGEST_BURST points until this share is missing."""
    generator = np.random.default_rng([seed, 2])
    missing = np.zeros(points, dtype=np.bool_)
    while missing.sum() < share * points:
        first = int(generator.integers(points))
        length = int(generator.integers(1, LONGEST_BURST + 1))
        missing[first : first + length] = True
    return missing


# The database -------------------------------------------------------------------------------------


@contextmanager
def killed_at(database: Database, statement: int | None) -> Iterator[None]:
    """Raise Killed before this thread's n-th statement or commit; None for never.

    The database sees a connection that is gone.
    """
    if statement is None:
        yield
        return
    thread = threading.get_ident()
    count = 0

    def count_statement() -> None:
        nonlocal count
        if threading.get_ident() != thread:
            return
        count += 1
        if count == statement:
            raise Killed

    with database.before_each_statement(count_statement):
        yield


@contextmanager
def unreachable(database: Database, down: bool) -> Iterator[None]:
    """If `down`, fail every transaction of this thread as if the server did not answer."""
    if not down:
        yield
        return
    thread = threading.get_ident()

    def refuse() -> None:
        if threading.get_ident() == thread:
            raise DatabaseError(f"{database.address}: the database does not answer")

    with database.before_each_transaction(refuse):
        yield

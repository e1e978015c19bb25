"""What can go wrong, on purpose: the clock, the source, the database, the process, the series itself.

`Faults` says what and how often; `SCENARIOS` names some. A draw depends on the seed and on what it is drawn for, and
not on what was drawn before: the same rehearsal fails in the same places, resumed or not.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from actioncast.arrays import Flags, Seconds, Values
from actioncast.hours import Points
from actioncast.settings import SettingsError
from actioncast.times import HOUR

Answer = Literal["ok", "truncated", "html", "429", "503", "slow", "empty"]
BROKEN: tuple[Answer, ...] = ("truncated", "html", "429", "503", "slow")
# Hours of the day at which an hourly cron ran in June 2026: 8 of 24, nine gaps in ten of at most 5 h.
SURVIVORS = frozenset({0, 2, 5, 7, 10, 12, 16, 19})
SPARED_EVERY = 4  # hours: in the same month a cron that runs this seldom lost next to nothing
LONGEST_BURST = 28  # points that go missing in a row
LAST_STATEMENT = 12  # a run is killed before its n-th statement, n up to this
SPIKE = 5.0  # times the value


class Killed(BaseException):
    """The process was killed here. No Exception: no code can handle that it is gone."""


class Span(NamedTuple):
    """So much (hours, or a factor) from this hour of the rehearsal on."""

    amount: float
    at: float

    @classmethod
    def parse(cls, text: str) -> Span:
        """'38@200' is 38 hours from hour 200 on."""
        amount, separator, at = text.partition("@")
        if not separator:
            raise ValueError(f"expected AMOUNT@HOUR such as 38@200, got {text!r}")
        return cls(float(amount), float(at))


@dataclass(frozen=True)
class Faults:
    """Shares are of runs, minutes upper limits, hours count from the start of the rehearsal; by default none."""

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
        """These faults and one more: 'drop=0.67', 'silent=38@200'; a span may be given several times."""
        name, _, value = text.partition("=")
        kinds = {field.name: field.default for field in fields(self)}
        if name not in kinds:
            raise SettingsError(f"unknown fault {name!r}; there are: {', '.join(kinds)}")
        try:
            parsed: Any = (*getattr(self, name), Span.parse(value)) if kinds[name] == () else float(value)
        except ValueError as error:
            raise SettingsError(f"--fault {text}: {error}") from None
        return replace(self, **{name: parsed})

    def changes(self) -> list[tuple[str, Span]]:
        """When the series itself changes, in order."""
        named = [(name, span) for name in ("shift", "drift", "reshape") for span in getattr(self, name)]
        return sorted(named, key=lambda change: change[1].at)


OUTAGES = (Span(10, 40), Span(38, 90), Span(72, 180))
_ALL = Faults(
    drop=0.67, late=55, twice=0.1, skew=20, broken=0.25, gaps=0.003, down=0.05, kill=0.1, silent=OUTAGES,
    empty=(Span(30, 280),), shift=(Span(2, 340),), drift=(Span(0.05, 340),), reshape=(Span(3, 500),), spikes=0.002,
)  # fmt: skip
_SQUEEZED = replace(  # the same within eight days
    _ALL, twice=0.2, kill=0.3, gaps=0.01, spikes=0.01, silent=(Span(10, 10), Span(38, 24), Span(72, 70)),
    empty=(Span(12, 146),), shift=(Span(2, 160),), drift=(Span(0.1, 0),), reshape=(Span(3, 165),),
)  # fmt: skip
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
    answers: tuple[Answer, ...] = ()  # of the source, one a request; then it is well again
    down: bool = False
    killed_at: int | None = None  # before this statement
    twice: bool = False


def starts(faults: Faults, seed: int, job: str, every: int, hour: int) -> bool:
    """Whether GitHub starts this run of a cron job at all."""
    if faults.pattern and every < SPARED_EVERY and hour % 24 not in SURVIVORS:
        return False
    return _random(seed, "starts", job, hour).random() >= faults.drop


def mishap(faults: Faults, seed: int, job: str, hour: int) -> Mishap:
    """What befalls the run of a job at an hour."""
    draw = _random(seed, "mishap", job, hour)
    late, skew = draw.uniform(0, faults.late), draw.uniform(-faults.skew, faults.skew)
    chances = [draw.random() for _ in range(4)]
    kind, length, statement = draw.choice(BROKEN), draw.randint(1, 4), draw.randint(1, LAST_STATEMENT)
    return Mishap(
        late=late,
        skew=skew,
        answers=(kind,) * length if chances[0] < faults.broken else (),
        down=chances[1] < faults.down,
        killed_at=statement if chances[2] < faults.kill else None,
        twice=chances[3] < faults.twice,
    )


def _random(*key: object) -> random.Random:
    return random.Random("/".join(map(str, key)))


# The series --------------------------------------------------------------------------------------------------------


def spoiled(recording: Points, faults: Faults, start: int, seed: int) -> Points:
    """The recording with its level, shape and points changed from `start` (unix seconds) on."""
    values = recording.values.copy()
    hours = (recording.times - start) / HOUR
    for turn, at in faults.reshape:
        values = np.where(hours >= at, _turned(values, recording.times, turn), values)
    for growth, at in faults.drift:
        values *= (1 + growth) ** (np.maximum(hours - at, 0) / 168)
    for factor, at in faults.shift:
        values = np.where(hours >= at, factor * values, values)
    values *= _spikes(hours, faults.spikes, seed)
    return Points(recording.times, values).where(~_missing(len(recording), faults.gaps, seed) | (hours < 0))


def _turned(values: Values, times: Seconds, turn: float) -> Values:
    """The value of `turn` hours before: the day keeps its shape and has it at another time."""
    return np.asarray(np.interp(times - turn * HOUR, times, values))


def _spikes(hours: Values, share: float, seed: int) -> Values:
    live = np.unique(np.floor(hours[hours >= 0]))
    struck = live[np.random.default_rng([seed, 1]).random(len(live)) < share]
    return np.where(np.isin(np.floor(hours), struck), SPIKE, 1.0)


def _missing(points: int, share: float, seed: int) -> Flags:
    """Bursts of 1 to LONGEST_BURST points until this share is missing."""
    generator, missing = np.random.default_rng([seed, 2]), np.zeros(points, dtype=np.bool_)
    while missing.sum() < share * points:
        first = int(generator.integers(points))
        missing[first : first + int(generator.integers(1, LONGEST_BURST + 1))] = True
    return missing


# The database ------------------------------------------------------------------------------------------------------


@contextmanager
def killed_at(engine: Engine, statement: int | None) -> Iterator[None]:
    """Raise Killed before this thread's n-th statement or commit; the database sees a connection that is gone."""
    seen, thread = 0, threading.get_ident()

    def count(*_: object) -> None:
        nonlocal seen
        seen += threading.get_ident() == thread
        if seen == statement and threading.get_ident() == thread:
            raise Killed

    with _listening(engine, {"before_cursor_execute": count, "commit": count} if statement else {}):
        yield


@contextmanager
def unreachable(engine: Engine, down: bool) -> Iterator[None]:
    """Every transaction of this thread fails as one does whose server does not answer."""
    thread = threading.get_ident()

    def refuse(*_: object) -> None:
        if threading.get_ident() == thread:
            raise OperationalError("connect", None, sqlite3.OperationalError("the database does not answer"))

    with _listening(engine, {"begin": refuse} if down else {}):
        yield


@contextmanager
def _listening(engine: Engine, listeners: dict[str, Any]) -> Iterator[None]:
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)

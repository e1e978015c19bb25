"""What the routes stand on: the database off the event loop, and answers that are prepared once and kept in memory.

A forecast of (series, model version, newest hours, horizon) is deterministic. It is made once, stored, and then served
from memory; every `newness_seconds` one look at the database (and one `stat` of the card) tells if there is a newer
hour or model. While the database is away that look fails, and so does the request: nothing old is passed off as new.
The table `series` is looked at every SERIES_SECONDS, beside the answers about series that are known.
"""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections.abc import Callable, Coroutine, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from actioncast.api.body import Body
from actioncast.api.problems import Missing
from actioncast.config import with_rows
from actioncast.database.database import Database, Newest
from actioncast.forecasting import champion
from actioncast.forecasting.card import Card, ModelError, read_card
from actioncast.forecasting.vintage import Vintage
from actioncast.paths import CARD
from actioncast.settings import SeriesSettings, Settings

T = TypeVar("T")
THREADS = 2  # as many as the database has connections; a forecast takes one of them
KEPT_BODIES = 32  # lengths of one vintage that are kept as JSON
SERIES_SECONDS = 5  # between two looks at the table `series`


class Make(Protocol):
    """make_predictions.run."""

    def __call__(
        self, settings: Settings, database: Database, now: datetime, *, series_id: str, horizon: int | None = None
    ) -> Vintage: ...


@dataclass(frozen=True)
class State:
    """What there is at a moment."""

    newest: Newest
    model_version: str | None  # None without a champion that can be read

    @property
    def basis(self) -> tuple[datetime | None, datetime | None, str | None]:
        """What a forecast follows from: as long as it stays, so does the forecast."""
        return self.newest.hour, self.newest.loaded_at, self.model_version


@dataclass
class Prepared:
    """A vintage and the JSON of its first n hours."""

    state: State
    vintage: Vintage
    bodies: dict[int, Body] = field(default_factory=dict)

    def body(self, hours: int) -> Body:
        if hours not in self.bodies:
            if len(self.bodies) >= KEPT_BODIES:
                self.bodies.clear()
            self.bodies[hours] = Body(json.dumps(self.vintage.first(hours).as_json()).encode())
        return self.bodies[hours]


class Service:
    """One per process. Its methods are for the event loop; functions passed to `ask` run in its threads."""

    def __init__(self, settings: Settings, database: Database, make: Make, clock: Callable[[], datetime]) -> None:
        self.settings, self.database, self.clock = settings, database, clock
        self._make = make
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="actioncast")
        self._one_forecast = asyncio.Lock()  # two at a time are slower than one after the other
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._states: dict[str, tuple[float, State]] = {}  # series -> when looked, what was seen
        self._made: dict[str, Prepared] = {}
        self._issued: dict[str, Prepared] = {}
        self._cards: dict[str, tuple[tuple[int, ...], Card]] = {}  # series -> stat of the file, its content
        self._from_config, self._rows = settings, dict[str, str]()  # rows of the table `series`
        self._rows_seen = -math.inf  # when
        self._migrated = False
        self._migrating = threading.Lock()

    async def close(self) -> None:
        """Wait for what runs."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def ask(self, read: Callable[[Database], T]) -> T:
        """Run a function of the database in a thread. The first one migrates."""
        return await self.in_thread(partial(self._ask, read))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run a function that would hold up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _ask(self, read: Callable[[Database], T]) -> T:
        if not self._migrated:
            with self._migrating:
                self.database.migrate()
                self._migrated = True
        return read(self.database)

    async def once(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What several ask for at the same time is done once, and its failure is everybody's."""
        return await asyncio.shield(self._begun(key, work))

    def _begun(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """The task of this key. Its failure is for those who wait for it."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(work())
            task.add_done_callback(partial(self._ended, key))
        return task

    def _ended(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # asked for: without it asyncio logs a failure that nobody waits for

    async def series_id(self, wanted: str | None) -> str:
        """The series asked for. Only a name that is not known waits for a look at the table `series`."""
        if wanted and wanted not in self.settings.series:
            await self.series()
        elif self._series_are_due():
            self._begun("series", self._look_at_series)
        return self.settings.series_id(wanted)

    async def series(self) -> Mapping[str, SeriesSettings]:
        """All series, those of the table `series` as of SERIES_SECONDS ago at most."""
        if self._series_are_due():
            await self.once("series", self._look_at_series)
        return self.settings.series

    def _series_are_due(self) -> bool:
        return time.monotonic() - self._rows_seen >= SERIES_SECONDS

    async def _look_at_series(self) -> None:
        begun = time.monotonic()
        rows = await self.ask(lambda database: database.series())
        if rows != self._rows:
            self.settings, self._rows = with_rows(self._from_config, rows), rows
        self._rows_seen = begun

    async def state(self, series_id: str) -> State:
        """At most `newness_seconds` old."""
        looked, state = self._states.get(series_id, (0.0, None))
        if state and time.monotonic() - looked < self.settings.api.newness_seconds:
            return state
        return await self.once(("state", series_id), lambda: self._look(series_id))

    async def _look(self, series_id: str) -> State:
        begun = time.monotonic()
        newest = await self.ask(lambda database: database.newest(series_id))
        state = State(newest, self.version(series_id))
        self._states[series_id] = begun, state
        return state

    def card(self, series_id: str) -> Card:
        """The champion's card, read again when the file has changed. Raises ModelError without one."""
        directory = self.settings.model_directory(series_id)
        try:
            stat = (directory / CARD).stat()
        except OSError:
            stat = None
        stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size) if stat else ()
        known = self._cards.get(series_id)
        if known is None or known[0] != stamp:
            read = read_card(directory)
            if read is None:
                raise ModelError(f"there is no champion of {series_id}; run: python train.py --series {series_id}")
            known = self._cards[series_id] = stamp, read
        return known[1]

    def version(self, series_id: str) -> str | None:
        """Of the champion that serves; None without one that can be read."""
        try:
            return self.card(series_id).version
        except ModelError:
            return None

    async def forecast(self, series_id: str, hours: int | None = None, *, listed: bool = True) -> Body:
        """JSON of the first `hours` of the forecast from the newest hours on: from memory, stored, or made now.

        It is never made shorter than the series' own horizon: a stored vintage is what everybody sees.
        """
        usual = self.settings.series[series_id].horizon
        horizon = max(hours or 0, usual)
        state = await self.state(series_id)
        known = self._made.get(series_id)
        if known is None or known.state.basis != state.basis or len(known.vintage) < horizon:
            known = await self.once(("forecast", series_id, horizon), lambda: self._find_or_make(series_id, horizon))
        return known.body((hours or usual) if listed else 0)

    async def _find_or_make(self, series_id: str, horizon: int) -> Prepared:
        async with self._one_forecast:
            state = await self.state(series_id)
            vintage = await self._stored(series_id, state, horizon)
            if vintage is None:
                vintage = await self.ask(lambda database: self._forecast(database, series_id, horizon))
                self._states.pop(series_id, None)  # there is a newer vintage now
            # Under the state seen before: an hour that came meanwhile is seen by the next look, and asked for again.
            prepared = self._made[series_id] = Prepared(state, vintage)
            return prepared

    def _forecast(self, database: Database, series_id: str, horizon: int) -> Vintage:
        settings = self.settings
        series_id = settings.series_id(series_id)  # its row may be gone since it was asked for
        return self._make(settings, database, self.clock(), series_id=series_id, horizon=horizon)

    async def _stored(self, series_id: str, state: State, horizon: int) -> Vintage | None:
        """Looked up once, also when the first request comes during the preparation."""
        look = partial(self.find, series_id=series_id, state=state, horizon=horizon)
        return await self.once(("stored", series_id, horizon, state.basis), lambda: self.ask(look))

    def find(self, database: Database, *, series_id: str, state: State, horizon: int) -> Vintage | None:
        """The stored forecast of this state, None when there is none that reaches so far."""
        newest = state.newest
        if newest.hour is None or state.model_version is None:
            return None
        issued_at = database.find_vintage(
            series_id,
            model_version=state.model_version,
            origin=newest.hour,
            horizon=horizon,
            since=newest.loaded_at,
        )
        return Vintage.of_rows(database.vintage(series_id, issued_at)) if issued_at else None

    async def latest(self, series_id: str) -> Body:
        """JSON of the vintage that was issued last, by whatever model. Raises Missing when none was."""
        state = await self.state(series_id)
        known = self._issued.get(series_id)
        if known is None or known.state.newest.issued_at != state.newest.issued_at:
            issued_at = state.newest.issued_at
            if issued_at is None:
                raise Missing(f"no forecast of {series_id} is stored yet; run: python make_predictions.py")
            rows = await self.ask(lambda database: database.vintage(series_id, issued_at))
            known = self._issued[series_id] = Prepared(state, Vintage.of_rows(rows))
        return known.body(len(known.vintage))

    async def prepare(self) -> None:
        """In the background after the start: what is stored goes to memory; what must be made gets its imports."""
        for series_id, wanted in (await self.series()).items():
            state = await self.state(series_id)
            stored = await self._stored(series_id, state, wanted.horizon)
            if stored:
                self._made.setdefault(series_id, Prepared(state, stored))
            elif state.model_version:
                await self.in_thread(partial(self.warm, series_id))

    def checked_version(self, series_id: str) -> str:
        """The version of the champion, loaded and compared with its card. Raises ModelError that says what differs."""
        return champion.load_champion(self.settings.model_directory(series_id)).card.version

    def warm(self, series_id: str) -> None:
        """Import what the champion's forecast needs: LightGBM takes a second, a linear champion nothing."""
        champion.load_champion(self.settings.model_directory(series_id)).forecaster.warm()


def utc_now() -> datetime:
    """Whole seconds, as vintages are named."""
    return datetime.now(UTC).replace(microsecond=0)

"""The forecasts that the API answers: made once, stored, and then served from memory.

A forecast of (series, model version, newest hours, horizon) is deterministic, so one is enough.
Every `newness_seconds` one query and one `stat` of the champion's card tell if there is a newer
hour or model. While the database is away that query fails, and so does the request: an old forecast
is never passed off as a new one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cachetools import LRUCache, TLRUCache

from actioncast.api.body import Body
from actioncast.api.catalogue import Catalogue
from actioncast.api.concurrency import DatabaseThreads, SingleFlight
from actioncast.api.problems import Missing
from actioncast.database.database import Database, Newest
from actioncast.errors import ActioncastError
from actioncast.forecasting.card import Card, ModelError, NoChampionError, read_card
from actioncast.forecasting.champion import load_champion
from actioncast.forecasting.vintage import Vintage
from actioncast.paths import CARD
from actioncast.redaction import masked
from actioncast.settings import Settings
from actioncast.times import isoformat

if TYPE_CHECKING:
    # Serving a stored forecast needs no features.
    from actioncast.forecasting.exogenous import Assumptions

log = logging.getLogger("actioncast")

Clock = Callable[[], datetime]
Basis = tuple[datetime | None, datetime | None, str | None]
Stamp = tuple[int, ...]
RETRY_SECONDS = 300  # until a champion that could not forecast is asked again, if nothing changes before
KEPT_BODIES = 32  # lengths of one vintage that are kept as JSON
KEPT_STATES = 10_000  # series; a state is a few hundred bytes


class MakeForecast(Protocol):
    """The signature of make_predictions.run."""

    def __call__(
        self,
        settings: Settings,
        database: Database,
        now: datetime,
        *,
        series_id: str,
        horizon: int | None = None,
    ) -> Vintage: ...


class ImagineForecast(Protocol):
    """The signature of actioncast.serving.what_if.hypothetical."""

    def __call__(
        self,
        settings: Settings,
        database: Database,
        now: datetime,
        *,
        series_id: str,
        horizon: int,
        assumptions: Assumptions,
    ) -> Vintage: ...


@dataclass(frozen=True)
class State:
    """What a series has at a moment: newest stored hour, load and vintage, and the champion."""

    seen_at: float  # time.monotonic() before the query
    newest: Newest
    model_version: str | None  # None without a champion whose card can be read

    @property
    def basis(self) -> Basis:
        """What a forecast depends on: as long as it stays the same, so does the forecast."""
        return self.newest.period, self.newest.loaded_at, self.model_version


@dataclass
class KeptVintage:
    """A vintage in memory, the state it was made under, and the JSON of its first n hours."""

    state: State
    vintage: Vintage
    bodies: LRUCache[int, Body] = field(default_factory=lambda: LRUCache(KEPT_BODIES))

    @property
    def is_to_be_retried(self) -> bool:
        """Whether a naive stepped in so long ago that the champion is asked again."""
        return self.vintage.fallback is not None and time.monotonic() > self.state.seen_at + RETRY_SECONDS

    def body(self, hours: int) -> Body:
        body = self.bodies.get(hours)
        if body is None:
            report = self.vintage.first(hours).as_json()
            body = Body(json.dumps(report).encode())
            self.bodies[hours] = body
        return body


class Champions:
    """The champions on disk and their cards. A card is read again when its file has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cards: dict[str, tuple[Stamp, Card]] = {}  # series -> the file's stamp and content

    def card(self, series_id: str) -> Card:
        """The champion's card. Raises ModelError without one that can be read."""
        directory = self._settings.model_directory(series_id)
        stamp = _stamp(directory / CARD)
        cached = self._cards.get(series_id)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        card = read_card(directory)
        if card is None:
            raise NoChampionError(f"there is no champion of {series_id}; run: python train.py --series {series_id}")
        self._cards[series_id] = (stamp, card)
        return card

    def version(self, series_id: str) -> str | None:
        """Version of the serving champion, or None if its card cannot be read."""
        try:
            return self.card(series_id).version
        except ModelError:
            return None

    def checked_version(self, series_id: str) -> str:
        """Version of the champion after its numbers were loaded and compared with its card.

        Raises ModelError.
        """
        return load_champion(self._settings.model_directory(series_id)).card.version

    def warm(self, series_id: str) -> None:
        """Import what the champion's forecast needs: LightGBM takes a second, a linear champion nothing."""
        load_champion(self._settings.model_directory(series_id)).forecaster.warm()


def _stamp(path: Path) -> Stamp:
    """Differs when the file was replaced; empty without a file."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


class Forecasts:
    """One per process, with its threads, series and champions.

    All methods belong to the event loop, except `find`.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        make: MakeForecast,
        imagine: ImagineForecast,
        clock: Clock,
    ) -> None:
        self.clock = clock
        self.threads = DatabaseThreads(database)
        self.flights = SingleFlight()
        self.catalogue = Catalogue(settings, self.threads, self.flights)
        self.champions = Champions(settings)
        self._make = make
        self._imagine = imagine
        self._secrets = settings.environment.secrets()
        self._one_at_a_time = asyncio.Lock()  # two at once are slower than one after the other
        self._newest: dict[str, KeptVintage] = {}  # series -> the forecast from its newest hours on
        self._issued: dict[str, KeptVintage] = {}  # series -> the vintage that was issued last

        def expiry(_series_id: str, state: State, _now: float) -> float:
            return state.seen_at + settings.api.newness_seconds

        self._states: TLRUCache[str, State] = TLRUCache(KEPT_STATES, expiry, time.monotonic)

    async def close(self) -> None:
        """Wait for running work, then close the threads."""
        await self.flights.finish()
        self.threads.close()

    async def state(self, series_id: str) -> State:
        """Newest stored hour, load and vintage, cached for `newness_seconds`.

        Raises DatabaseError.
        """
        state = self._states.get(series_id)
        if state is not None:
            return state
        return await self.flights.run(("state", series_id), lambda: self._read_state(series_id))

    async def _read_state(self, series_id: str) -> State:
        seen_at = time.monotonic()
        newest = await self.threads.ask(lambda database: database.newest(series_id))
        state = State(seen_at, newest, self.champions.version(series_id))
        self._states[series_id] = state
        return state

    async def forecast(
        self,
        series_id: str,
        hours: int | None = None,
        *,
        listed: bool = True,
    ) -> Body:
        """JSON of the first `hours` of the forecast from the newest hours on: from memory, stored,
        or made now.

        The vintage that is made is never shorter than the series' own horizon, because everybody
        sees it once it is stored.
        Without `listed` the list of hours is empty. Raises DatabaseError, ModelError, DataError.
        """
        own_horizon = self.catalogue.settings.series[series_id].horizon_periods
        horizon = max(hours or 0, own_horizon)
        state = await self.state(series_id)
        kept = self._newest.get(series_id)
        if kept is None or kept.state.basis != state.basis or len(kept.vintage) < horizon or kept.is_to_be_retried:
            kept = await self.flights.run(
                ("forecast", series_id, horizon), lambda: self._find_or_make(series_id, horizon)
            )
        return kept.body((hours or own_horizon) if listed else 0)

    async def _find_or_make(self, series_id: str, horizon: int) -> KeptVintage:
        async with self._one_at_a_time:
            state = await self.state(series_id)
            vintage = await self._find_once(series_id, state, horizon)
            if vintage is None:
                make = partial(self._forecast, series_id=series_id, horizon=horizon)
                vintage = await self.threads.ask(make)
                self._states.pop(series_id, None)  # the next request must see the new vintage
            # Keep it under the state before: if an hour came meanwhile, the next request sees that
            # and asks again.
            kept = KeptVintage(state, vintage)
            self._newest[series_id] = kept
            return kept

    def _forecast(self, database: Database, *, series_id: str, horizon: int) -> Vintage:
        settings = self.catalogue.settings
        settings.series_id(series_id)  # raises if its row has been removed since the request came
        return self._make(
            settings,
            database,
            self.clock(),
            series_id=series_id,
            horizon=horizon,
        )

    async def _find_once(self, series_id: str, state: State, horizon: int) -> Vintage | None:
        """Like `find`, but one query serves both the preparation after the start and the first request."""
        find = partial(self.find, series_id=series_id, state=state, horizon=horizon)
        key = ("stored", series_id, horizon, state.basis)
        return await self.flights.run(key, lambda: self.threads.ask(find))

    def find(
        self,
        database: Database,
        *,
        series_id: str,
        state: State,
        horizon: int,
    ) -> Vintage | None:
        """The stored forecast of this state, or None when none reaches so far.

        Raises DatabaseError.
        """
        newest = state.newest
        if newest.period is None or state.model_version is None:
            return None
        timeline = self.catalogue.settings.series[series_id].timeline
        issued_at = database.find_vintage(
            series_id,
            timeline=timeline,
            model_version=state.model_version,
            origin=newest.period,
            horizon=horizon,
            since=newest.loaded_at,
        )
        if issued_at is None:
            return None
        return Vintage.of_rows(database.vintage(series_id, issued_at), timeline)

    async def latest(self, series_id: str, periods: int | None = None) -> Body:
        """JSON of the vintage that was issued last, by whatever model, or of its first periods.

        Raises Missing when none was.
        """
        kept = await self._last_issued(series_id)
        return kept.body(periods or len(kept.vintage))

    async def issued(self, series_id: str, issued_at: datetime | None) -> Vintage:
        """The vintage that was issued at this moment, or last. Raises Missing when none was."""
        if issued_at is None:
            return (await self._last_issued(series_id)).vintage
        rows = await self.threads.ask(lambda database: database.vintage(series_id, issued_at))
        if not rows:
            raise Missing(f"no forecast of {series_id} was issued at {isoformat(issued_at)}; /vintages lists them")
        return Vintage.of_rows(rows, self.catalogue.settings.series[series_id].timeline)

    async def hypothetical(self, series_id: str, periods: int | None, assumptions: Assumptions) -> Vintage:
        """The forecast under assumptions, which is not stored. Raises InputError, ModelError, DataError."""
        settings = self.catalogue.settings
        horizon = periods or settings.series[series_id].horizon_periods

        def make(database: Database) -> Vintage:
            return self._imagine(
                settings,
                database,
                self.clock(),
                series_id=series_id,
                horizon=horizon,
                assumptions=assumptions,
            )

        async with self._one_at_a_time:
            return await self.threads.ask(make)

    async def _last_issued(self, series_id: str) -> KeptVintage:
        state = await self.state(series_id)
        issued_at = state.newest.issued_at
        kept = self._issued.get(series_id)
        if kept is None or kept.state.newest.issued_at != issued_at:
            if issued_at is None:
                raise Missing(f"no forecast of {series_id} is stored yet; run: python make_predictions.py")
            kept = KeptVintage(state, await self.issued(series_id, issued_at))
            self._issued[series_id] = kept
        return kept

    async def prepare_or_warn(self) -> None:
        """Prepare; ignore failures, because the first request will raise them again."""
        try:
            await self.prepare()
        except ActioncastError as error:
            log.warning("not prepared: %s", masked(str(error), self._secrets))

    async def prepare(self) -> None:
        """After the start, in the background: load stored forecasts, and import what the others will need."""
        series = await self.catalogue.series()
        for series_id, series_settings in series.items():
            state = await self.state(series_id)
            vintage = await self._find_once(series_id, state, series_settings.horizon_periods)
            if vintage:
                self._newest.setdefault(series_id, KeptVintage(state, vintage))
            elif state.model_version:
                await self.threads.run(partial(self.champions.warm, series_id))


def utc_now() -> datetime:
    """Whole seconds, because a vintage is named by its second."""
    return datetime.now(UTC).replace(microsecond=0)

"""A forecast that many ask for is made once, kept as long as it is new, and prepared in the background."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

import make_predictions
from actioncast.api.body import Body
from actioncast.api.forecasts import KEPT_BODIES, Forecasts
from actioncast.database.connection import database_url
from actioncast.database.database import Database, Newest
from actioncast.forecasting.champion import load_champion
from actioncast.forecasting.trees import recursive
from actioncast.forecasting.vintage import Vintage
from actioncast.serving.what_if import hypothetical
from actioncast.settings import Settings
from tests.support.serving import NOW, SERIES, fill, settings_in

T = TypeVar("T")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    fill(made)
    return made


class Counted:
    """make_predictions.run, with how many run and the most that ran at once."""

    def __init__(self) -> None:
        self.made: list[int | None] = []
        self.running = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, *args: Any, horizon: int | None = None, **kwargs: Any) -> Vintage:
        with self._lock:
            self.made.append(horizon)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            return make_predictions.run(*args, horizon=horizon, **kwargs)
        finally:
            self.running -= 1


def with_forecasts(settings: Settings, make: Counted, scenario: Callable[[Forecasts], Awaitable[T]]) -> T:
    """The result of a scenario, run on an event loop of its own."""

    async def run() -> T:
        database = Database(database_url(settings))
        forecasts = Forecasts(settings, database, make, hypothetical, lambda: NOW)
        try:
            return await scenario(forecasts)
        finally:
            await forecasts.close()
            database.close()

    return asyncio.run(run())


def test_a_forecast_that_many_ask_for_at_once_is_made_once(settings: Settings) -> None:
    make = Counted()

    async def ask_together(forecasts: Forecasts) -> list[Body]:
        return await asyncio.gather(*(forecasts.forecast(SERIES, 168) for _ in range(20)))

    assert len(set(with_forecasts(settings, make, ask_together))) == 1
    assert make.made == [168]


def test_different_forecasts_are_made_one_after_the_other(settings: Settings) -> None:
    make = Counted()

    async def ask_together(forecasts: Forecasts) -> None:
        await asyncio.gather(*(forecasts.forecast(SERIES, hours) for hours in (24, 192, 216, 240)))

    with_forecasts(settings, make, ask_together)
    assert make.made == [168, 192, 216, 240]  # never less than the series' own horizon
    assert make.most == 1


def test_the_state_of_a_series_is_as_old_as_its_query_and_never_older_than_newness_seconds(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"api": settings.api.model_copy(update={"newness_seconds": 0.5})})
    queries: list[str] = []
    newest = Database.newest

    def slow_newest(self: Database, series_id: str) -> Newest:
        queries.append(series_id)
        time.sleep(0.2)
        return newest(self, series_id)

    async def ask_three_times(forecasts: Forecasts) -> list[int]:
        await forecasts.state(SERIES)
        await forecasts.state(SERIES)
        counts = [len(queries)]
        await asyncio.sleep(0.35)  # 0.55 s after the query began, 0.35 s after it ended
        await forecasts.state(SERIES)
        return [*counts, len(queries)]

    monkeypatch.setattr(Database, "newest", slow_newest)
    assert with_forecasts(settings, Counted(), ask_three_times) == [1, 2]


def test_a_stored_forecast_is_prepared_in_the_background(settings: Settings) -> None:
    make = Counted()

    async def ask(forecasts: Forecasts) -> Body:
        return await forecasts.forecast(SERIES, 168)

    async def prepare_and_ask(forecasts: Forecasts) -> Body:
        await forecasts.prepare()
        forecasts.find = None  # type: ignore[assignment, method-assign]  # a look-up would fail
        return await forecasts.forecast(SERIES, 168)

    assert with_forecasts(settings, make, ask) == with_forecasts(settings, make, prepare_and_ask)
    assert make.made == [168]


def test_few_bodies_of_a_vintage_are_kept(settings: Settings) -> None:
    async def ask_for_every_length(forecasts: Forecasts) -> int:
        for hours in range(1, KEPT_BODIES + 10):
            await forecasts.forecast(SERIES, hours)
        return len(forecasts._newest[SERIES].bodies)

    assert with_forecasts(settings, Counted(), ask_for_every_length) == KEPT_BODIES


def test_warming_reads_the_booster_of_a_tree_champion(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(recursive, "booster", read.append)
    champion = load_champion(settings.model_directory(SERIES)).forecaster
    champion.warm()
    assert read == []
    replace(champion, members=(replace(champion.members[0], booster="trees"),)).warm()
    assert read == ["trees"]

"""A forecast that many ask for is made once; what is prepared in the background; what is not imported."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

import make_predictions
from actioncast.api.body import Body
from actioncast.api.forecasts import Service
from actioncast.database.connection import database_url
from actioncast.database.database import Database
from actioncast.forecasting import trees
from actioncast.forecasting.champion import load_champion
from actioncast.forecasting.vintage import Vintage
from actioncast.paths import ROOT
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


def with_service(settings: Settings, make: Counted, story: Any) -> Any:
    """Run a story of a service on an event loop of its own."""

    async def told() -> Any:
        database = Database(database_url(settings))
        service = Service(settings, database, make, lambda: NOW)
        try:
            return await story(service)
        finally:
            await service.close()
            database.close()

    return asyncio.run(told())


def test_a_forecast_that_many_ask_for_at_once_is_made_once(settings: Settings) -> None:
    make = Counted()

    async def story(service: Service) -> list[Body]:
        return await asyncio.gather(*(service.forecast(SERIES, 168) for _ in range(20)))

    assert len(set(with_service(settings, make, story))) == 1
    assert make.made == [168]


def test_different_forecasts_are_made_one_after_the_other(settings: Settings) -> None:
    make = Counted()

    async def story(service: Service) -> None:
        await asyncio.gather(*(service.forecast(SERIES, hours) for hours in (24, 192, 216, 240)))

    with_service(settings, make, story)
    assert make.made == [168, 192, 216, 240]  # never less than the series' own horizon
    assert make.most == 1


def test_a_failure_is_everybodys_and_forgotten(settings: Settings) -> None:
    async def story(service: Service) -> list[Any]:
        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError("no")

        waiting: list[Coroutine[Any, Any, None]] = [service.once("key", fail) for _ in range(3)]
        failed = await asyncio.gather(*waiting, return_exceptions=True)

        async def work() -> str:
            return "yes"

        return [*map(str, failed), await service.once("key", work)]

    assert with_service(settings, Counted(), story) == ["no", "no", "no", "yes"]


def test_a_stored_forecast_is_prepared_in_the_background(settings: Settings) -> None:
    make = Counted()

    async def made(service: Service) -> Body:
        return await service.forecast(SERIES, 168)

    async def prepared(service: Service) -> Body:
        await service.prepare()
        service.find = None  # type: ignore[assignment, method-assign]  # a look-up would fail
        return await service.forecast(SERIES, 168)

    assert with_service(settings, make, made) == with_service(settings, make, prepared)
    assert make.made == [168]


def test_warming_reads_the_booster_of_a_tree_champion(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(trees, "booster", read.append)
    champion = load_champion(settings.model_directory(SERIES)).forecaster
    champion.warm()
    assert read == []
    replace(champion, members=(replace(champion.members[0], booster="trees"),)).warm()
    assert read == ["trees"]


def test_serving_a_stored_forecast_imports_nothing_heavy() -> None:
    heavy = ("numpy", "pandas", "sklearn", "scipy", "lightgbm", "jinja2", "multiprocessing")
    code = f"import sys, app; print([name for name in {heavy} if name in sys.modules])"
    alone = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # coverage imports more
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=alone, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

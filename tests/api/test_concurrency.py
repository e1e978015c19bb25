"""Work that several wait for is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from actioncast.api.concurrency import SingleFlight


def test_a_failure_is_everybodys_and_forgotten() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def succeed() -> str:
        return "yes"

    async def scenario() -> list[str]:
        flights = SingleFlight()
        waiting: list[Coroutine[Any, Any, None]] = [flights.run("key", fail) for _ in range(3)]
        failures = await asyncio.gather(*waiting, return_exceptions=True)
        return [*map(str, failures), await flights.run("key", succeed)]

    assert asyncio.run(scenario()) == ["no", "no", "no", "yes"]


def test_a_caller_who_goes_away_does_not_cancel_the_work_of_the_others() -> None:
    async def work() -> str:
        await asyncio.sleep(0.01)
        return "done"

    async def scenario() -> str:
        flights = SingleFlight()
        impatient = asyncio.create_task(flights.run("key", work))
        patient = asyncio.create_task(flights.run("key", work))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        return await patient

    assert asyncio.run(scenario()) == "done"

"""Work beside the event loop: threads for the database, and one run for work that several requests wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from actioncast.database.database import Database

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]
THREADS = 2  # as many as the database has connections; a forecast takes one of them


class DatabaseThreads:
    """Runs blocking functions in threads, so that the event loop goes on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="actioncast")
        self._migrated = False
        self._migrating = threading.Lock()

    async def ask(self, read: Callable[[Database], T]) -> T:
        """Run a function of the database.

        The first call migrates the schema. Raises DatabaseError.
        """
        return await self.run(partial(self._migrate_and_read, read))

    async def run(self, work: Callable[[], T]) -> T:
        """Run a function that would hold up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _migrate_and_read(self, read: Callable[[Database], T]) -> T:
        if not self._migrated:
            with self._migrating:
                self._database.migrate()
                self._migrated = True
        return read(self._database)

    def close(self) -> None:
        """Wait for running functions; those that still queue are dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)


class SingleFlight:
    """Runs work once for everybody who asks for it at the same time."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    async def run(self, key: Hashable, work: Work[T]) -> T:
        """The result of the work with this key, begun now or running already. Everybody gets its
        failure too.

        A caller who goes away does not cancel the work for the others.
        """
        return await asyncio.shield(self.begin(key, work))

    def begin(self, key: Hashable, work: Work[T]) -> asyncio.Task[T]:
        """The running task of this key, or a new one. Nobody needs to wait for it."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(work())
            task.add_done_callback(partial(self._end, key))
            self._tasks[key] = task
        return task

    def _end(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        # Read the exception, or asyncio logs a failure that nobody waited for.
        if not task.cancelled():
            task.exception()

    async def finish(self) -> None:
        """Wait for all running work, whatever its outcome."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

"""The series that the API serves: those of config.toml, and the rows of the table `series`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from actioncast.api.concurrency import DatabaseThreads, SingleFlight
from actioncast.config import with_rows
from actioncast.settings import SeriesSettings, Settings

REFRESH_SECONDS = 5  # between two reads of the table `series`


class Catalogue:
    """The settings of all series. Reads the table `series` again every REFRESH_SECONDS."""

    def __init__(self, settings: Settings, threads: DatabaseThreads, flights: SingleFlight) -> None:
        self.settings = settings  # with the rows of the table as of the newest read
        self._config = settings  # without rows
        self._rows: dict[str, str] = {}
        self._read_at = -math.inf  # time.monotonic() when the newest read began
        self._threads = threads
        self._flights = flights

    async def series(self) -> Mapping[str, SeriesSettings]:
        """All series by name, at most REFRESH_SECONDS old. Raises DatabaseError."""
        if self._is_due():
            await self._flights.run("series", self._refresh)
        return self.settings.series

    async def series_id(self, name: str | None) -> str:
        """The name of the requested series, the first one by default. Raises SettingsError when
        there is none.

        Only an unknown name waits for the table. With a known one it is read in the background.
        """
        if name and name not in self.settings.series:
            await self.series()
        elif self._is_due():
            self._flights.begin("series", self._refresh)
        return self.settings.series_id(name)

    def _is_due(self) -> bool:
        return time.monotonic() - self._read_at >= REFRESH_SECONDS

    async def _refresh(self) -> None:
        begun = time.monotonic()
        rows = await self._threads.ask(lambda database: database.series())
        if rows != self._rows:
            self.settings = with_rows(self._config, rows)
            self._rows = rows
        self._read_at = begun

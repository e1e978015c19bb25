"""A real server under load: SIGTERM, and PostgreSQL that goes away and comes back.

The load lasts SOAK_SECONDS (default 4) with SOAK_CLIENTS clients (default 8).
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from actioncast.database.database import Database, open_database
from actioncast.forecasting import features, forecaster
from actioncast.forecasting.champion import load_champion
from actioncast.paths import ROOT
from actioncast.periods.timeline import UTC_HOURS
from actioncast.settings import Settings
from actioncast.times import floor_hour
from tests.support.clock import at, wait_until
from tests.support.ports import free_port
from tests.support.serving import HISTORY, KEY, SERIES, load, promote, settings_in, wave
from tests.support.temp_postgres import TempPostgres

SECONDS = float(os.environ.get("SOAK_SECONDS", "4"))
CLIENTS = int(os.environ.get("SOAK_CLIENTS", "8"))
HORIZON = 48


@contextmanager
def server_of(settings: Settings, url: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`python app.py` in a process of its own; yields its port once /health answers."""
    port = free_port()
    environment = {**os.environ, "ACTIONCAST_CONFIG": str(settings.folder / "config.toml"), "DATABASE_URL": url}
    process = subprocess.Popen(
        [sys.executable, ROOT / "app.py", "--port", str(port)], env=environment | {"API_KEY": KEY}, cwd=ROOT
    )
    try:
        wait_until(lambda: answers(port), 20)
        yield port, process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with connect(port) as connection, suppress(OSError):
        return ask(connection, "GET", "/health")[0] == 200
    return False


def connect(port: int) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20))


def ask(connection: http.client.HTTPConnection, method: str, path: str) -> tuple[int, bytes, str | None]:
    connection.request(method, path, headers={"X-API-Key": KEY})
    response = connection.getresponse()
    return response.status, response.read(), response.headers.get("Retry-After")


@dataclass
class Load:
    """Clients that ask without a pause and note what they got."""

    port: int
    paths: list[str]
    stop: threading.Event = field(default_factory=threading.Event)
    seen: list[tuple[float, int, bytes, str | None]] = field(default_factory=list)  # (when, status, body, Retry-After)
    broken: list[BaseException] = field(default_factory=list)  # connections that ended without an answer

    def __enter__(self) -> Load:
        self._threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        count = number
        with connect(self.port) as connection:
            while not self.stop.is_set():
                count += 1
                begun = time.monotonic()
                try:
                    self.seen.append((begun, *ask(connection, "POST", self.paths[count % len(self.paths)])))
                except (OSError, http.client.HTTPException) as error:
                    self.broken.append(error)
                    connection.close()
                    time.sleep(0.05)


def whole_vintages(database: Database) -> int:
    """How many vintages are stored; each has its leads from 1 on without a gap."""
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "select issued_at, count(*), max(lead), min(lead) from predictions group by 1"
        )
        vintages = [tuple(row) for row in rows]
    assert all(count == longest and shortest == 1 for _, count, longest, shortest in vintages)
    return len(vintages)


def test_sigterm_under_load_finishes_what_runs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    settings = settings_in(tmp_path, url)
    with open_database(settings) as database:
        load(database, wave(at(-HISTORY), HISTORY), at(0))
    promote(settings.model_directory(SERIES))
    # Longer and longer ones, so that forecasts are computed and stored all the time.
    paths = [f"/forecast?num_predictions={hours}" for hours in range(169, 1650, 7)]
    with server_of(settings, url) as (port, process), Load(port, paths) as clients:
        wait_until(lambda: len(clients.seen) > 50)
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert process.wait(10) == 0
        assert time.monotonic() - begun < 10
    assert Counter(status for _, status, _, _ in clients.seen) == {200: len(clients.seen)}
    assert all(json.loads(body)["predictions"] for _, _, body, _ in clients.seen)
    assert not [error for error in clients.broken if isinstance(error, http.client.IncompleteRead)]
    with open_database(settings) as database:
        assert whole_vintages(database) > 0


def expected_predictions(settings: Settings, database: Database, origin: datetime) -> list[float]:
    champion = load_champion(settings.model_directory(SERIES)).forecaster
    newest = champion.reach + features.fill_periods(UTC_HOURS, champion.seasonality)
    history = database.reality(SERIES, until=origin + timedelta(hours=1), newest=newest, timeline=UTC_HOURS)
    assert history is not None
    assert history.end == origin
    return [float(value) for value in forecaster.forecast(champion, history, HORIZON).prediction]


def test_postgresql_away_under_load(tmp_path: Path, postgres: TempPostgres) -> None:
    with TempPostgres() as server:
        url = server.new_database()
        settings = settings_in(tmp_path, url)
        first = floor_hour(datetime.now(UTC)) - timedelta(hours=HISTORY)
        with open_database(settings) as database:
            load(database, wave(first, HISTORY - 1), first)
        promote(settings.model_directory(SERIES))
        with server_of(settings, url) as (port, _), Load(port, [f"/forecast?num_predictions={HORIZON}"]) as clients:
            time.sleep(SECONDS / 2)
            down = time.monotonic()
            server.stop()
            time.sleep(min(SECONDS / 4, 5))
            server.start()
            up = time.monotonic()
            with open_database(settings) as database:
                load(database, wave(first + timedelta(hours=HISTORY - 1), 1), datetime.now(UTC))
            time.sleep(max(SECONDS / 4, 1.5))
        with open_database(settings) as database:
            check_answers(clients, down, up, settings, database)


def check_answers(clients: Load, down: float, up: float, settings: Settings, database: Database) -> None:
    """Every 200 is right, errors come only while the database is away, and the newer hour is served after it."""
    assert not clients.broken
    late = [status for when, status, _, _ in clients.seen if status != 200 and not down - 1 <= when <= up + 5]
    assert not late
    failures = [(status, retry) for _, status, _, retry in clients.seen if status != 200]
    assert set(failures) == {(503, "5")}
    bodies = {body for _, status, body, _ in clients.seen if status == 200}
    served: dict[str, list[Any]] = {json.loads(body)["origin"]: json.loads(body)["predictions"] for body in bodies}
    assert len(served) == 2  # the hour before and the one after
    for origin, rows in served.items():
        expected = expected_predictions(settings, database, datetime.fromisoformat(origin))
        assert [row["prediction"] for row in rows] == pytest.approx(expected, rel=1e-12)
    print(f"{len(clients.seen)} answers, {len(failures)} of them 503, {len(bodies)} different bodies")
    assert 2 <= whole_vintages(database) <= 4


def test_health_answers_while_the_database_is_away_from_the_start(tmp_path: Path, postgres: TempPostgres) -> None:
    with TempPostgres() as server:
        url = server.new_database()
        settings = settings_in(tmp_path, url)
        server.stop()
        try:
            with server_of(settings, url) as (port, _), connect(port) as connection:
                assert ask(connection, "POST", "/forecast")[0] == 503
                server.start()
                assert ask(connection, "GET", "/forecast")[0] == 404  # it has migrated: there is just nothing stored
        finally:
            if server._process.poll() is not None:
                server.start()

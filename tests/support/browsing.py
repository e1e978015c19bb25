"""A real browser, and a series that has lived for three days, for the tests of the page."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request

import app
import check_retrain
import make_predictions
from actioncast.database.database import Database
from actioncast.periods.grid import Periods
from actioncast.settings import Settings
from tests.support.clock import at, wait_until
from tests.support.ports import free_port
from tests.support.serving import HISTORY, SERIES, load, promote, wave

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --allow-file-access-from-files"
)
LIVE_HOURS = 72
END = at(LIVE_HOURS + 0.3)
Scheme = Literal["light", "dark"]
SCREENS = [{"width": width, "scheme": scheme} for width in (1440, 390) for scheme in ("light", "dark")]

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: `apt-get install chromium` (Debian), or install Chrome"
)


def live(settings: Settings, database: Database) -> None:
    """Three days in which hours come, forecasts are made and the error is checked, with noise and one bad day."""
    load(database, wave(at(-HISTORY), HISTORY), at(0))
    promote(settings.model_directory(SERIES), levels=(0.1, 0.3, 0.7, 0.9))
    noise = np.random.default_rng(2).normal(0, 25, LIVE_HOURS)
    noise[30:48] += 120
    for hour in range(0, LIVE_HOURS, 3):
        now = at(hour + 0.3)
        make_predictions.run(settings, database, now, series_id=SERIES)
        new = wave(at(hour), 3)
        load(database, Periods(new.starts, new.values + noise[hour : hour + 3], new.samples), now + timedelta(hours=3))
        check_retrain.run(settings, database, now + timedelta(hours=2), series_id=SERIES)
    database.store_training_run(training())


def training() -> dict[str, Any]:
    """A training in which eleven candidates were compared."""
    leaderboard = [{"candidate": f"ridge_{i}", "mae": 25.0 + i, "mase": 0.8, "seconds": 0.1} for i in range(10)]
    leaderboard.append({"candidate": "seasonal_naive_168", "mae": 60.0, "mase": 1.0, "seconds": 0.01})
    return {
        "run_id": "1",
        "series_id": SERIES,
        "started_at": at(0),
        "finished_at": at(0),
        "window_start": at(-HISTORY),
        "window_end": at(0),
        "periods": HISTORY,
        "leaderboard": leaderboard,
        "champion": {"name": "ridge_0"},
        "challenger": {"name": "ridge_0"},
        "verdict": "promoted",
        "reason": "there is no champion",
        "git_sha": None,
        "library_versions": {},
        "settings": {},
    }


def serve(settings: Settings) -> Iterator[str]:
    """The application on loopback, at the end of the three days."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app.create_app(settings, lambda: END), port=port, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


class Visit:
    """A page with what it complained about and asked for."""

    def __init__(self, browser: Browser, *, width: int = 1440, scheme: Scheme = "light") -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def open(self, url: str) -> Page:
        self.page.goto(url)
        self.page.wait_for_selector("html[data-drawn]")
        return self.page

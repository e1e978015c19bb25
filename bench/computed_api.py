"""Our API with a memory that never holds: every request computes its forecast and stores it. For bench/api.py."""

from __future__ import annotations

import sys
from unittest.mock import patch

import app
from actioncast.api.body import Body
from actioncast.api.forecasts import Forecasts, State
from actioncast.database.database import Database
from actioncast.forecasting.vintage import Vintage


class ForgetfulForecasts(Forecasts):
    """Finds nothing in the database and keeps nothing in memory."""

    def find(self, database: Database, *, series_id: str, state: State, horizon: int) -> Vintage | None:  # noqa: ARG002
        return None

    async def forecast(self, series_id: str, hours: int | None = None, *, listed: bool = True) -> Body:
        self._newest.clear()
        return await super().forecast(series_id, hours, listed=listed)


def serve(port: str) -> None:
    """Serve like `python app.py --port`, and end with its exit code."""
    with patch("app.Forecasts", ForgetfulForecasts):
        sys.exit(app.main(["--port", port]))

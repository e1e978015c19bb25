"""Prometheus: how the API answers, and how old and how good what it serves is."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actioncast.api.forecasts import Service
from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database, Newest
from actioncast.forecasting.card import Card, ModelError
from actioncast.monitoring import live_error
from actioncast.monitoring.live_error import LiveScore

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
HOUR = timedelta(hours=1)
Row = dict[str, Any]


class Metrics:
    """The instruments of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"actioncast_{name}", text, labels, registry=self.registry)

        self.requests = Histogram(
            "actioncast_request_seconds",
            "Time from request to the end of its answer",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.database_up = gauge("database_up", "1 when the database answered this scrape")
        self.by_series = {
            "data_age_seconds": gauge("data_age_seconds", "Since the end of the newest stored hour", "series"),
            "forecast_age_seconds": gauge("forecast_age_seconds", "Since the newest forecast was issued", "series"),
            "scored_hours": gauge("scored_hours", "Hours behind the live error and the coverage", "series"),
            "live_mae": gauge("live_mae", "Mean absolute error of the newest window, in the series' unit", "series"),
            "naive_mae": gauge("naive_mae", "The weekly naive's error on the same hours", "series"),
            "backtest_mae": gauge("backtest_mae", "The champion's backtest error at the same leads", "series"),
            "coverage": gauge("coverage", "Share of these hours inside lower..upper", "series"),
        }
        self.model = gauge("model_info", "1, labelled with the champion that serves", "series", "name", "version")

    async def exposition(self, service: Service) -> bytes:
        """The text that Prometheus reads. Ages and errors are left out while the database is away."""
        for instrument in (*self.by_series.values(), self.model):
            instrument.clear()
        try:
            for series_id in await service.series():
                await self._observe(service, series_id)
            self.database_up.set(1)
        except DatabaseError:
            self.database_up.set(0)
        return generate_latest(self.registry)

    async def _observe(self, service: Service, series_id: str) -> None:
        try:
            champion: Card | None = service.card(series_id)
        except ModelError:
            champion = None
        if champion:
            self.model.labels(series_id, champion.name, champion.version).set(1)
        newest, score = await service.ask(lambda database: _read(database, service, series_id, champion))
        now = service.clock()
        figures = {
            "data_age_seconds": (now - newest.hour - HOUR).total_seconds() if newest.hour else None,
            "forecast_age_seconds": (now - newest.issued_at).total_seconds() if newest.issued_at else None,
            "scored_hours": score.scored_hours,
            "coverage": score.coverage,
            "live_mae": score.mae,
            "naive_mae": score.naive_mae,
            "backtest_mae": score.reference_mae,
        }
        for name, figure in figures.items():
            if figure is not None:
                self.by_series[name].labels(series_id).set(figure)


def _read(database: Database, service: Service, series_id: str, champion: Card | None) -> tuple[Newest, LiveScore]:
    """The score that check_retrain.py looks at: the champion's own forecasts over the newest window."""
    now = service.clock()
    window_hours = service.settings.retrain.window_hours
    start = live_error.window_start(now, window_hours)
    rows = database.performance(series_id, since=start, until=now)
    score = live_error.of_champion(rows, champion, window_hours=window_hours)
    return database.newest(series_id), score


class Timing:
    """ASGI middleware: every answer into the histogram, by the route's pattern and never by the caller's path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._children: dict[tuple[str, str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._child(scope, status).observe(time.perf_counter() - begun)

    def _child(self, scope: Scope, status: int) -> Any:
        """Looking a labelled child up takes longer than observing."""
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if route != "other" else "other"
        key = (method, route, status)
        if key not in self._children:
            self._children[key] = self._metrics.requests.labels(method, route, str(status))
        return self._children[key]

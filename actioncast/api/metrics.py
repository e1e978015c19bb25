"""Prometheus metrics: how the API answers, and how old and how good what it serves is."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actioncast.api.forecasts import Forecasts
from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database, Newest
from actioncast.forecasting.card import Card, ModelError
from actioncast.monitoring import live_error
from actioncast.monitoring.live_error import LiveScore
from actioncast.periods.timeline import Timeline

# Seconds.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SERIES_GAUGES = {
    "data_age_seconds": "Since the end of the newest stored period",
    "forecast_age_seconds": "Since the newest forecast was issued",
    "scored_periods": "Periods behind the live error and the coverage",
    "live_mae": "Mean absolute error of the newest window, in the series' unit",
    "naive_mae": "The seasonal naive's error on the same periods",
    "backtest_mae": "The champion's backtest error at the same leads",
    "coverage": "Share of these periods inside lower..upper",
    "crps": "Continuous ranked probability score of the quantiles on these periods, in the series' unit",
}


class Metrics:
    """The instruments of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "actioncast_request_seconds",
            "Time from request to the end of its answer",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._database_up = self._gauge("database_up", "1 when the database answered this scrape")
        self._of_series = {name: self._gauge(name, text, "series") for name, text in SERIES_GAUGES.items()}
        self._model = self._gauge(
            "model_info", "1, labelled with the champion that serves", "series", "name", "version"
        )

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"actioncast_{name}", text, labels, registry=self.registry)

    async def exposition(self, forecasts: Forecasts) -> bytes:
        """The text that Prometheus reads.

        Ages and errors are left out while the database is away.
        """
        # Without this, a removed series or a former champion would stay in the text.
        for instrument in (*self._of_series.values(), self._model):
            instrument.clear()
        try:
            for series_id in await forecasts.catalogue.series():
                await self._observe(forecasts, series_id)
            self._database_up.set(1)
        except DatabaseError:
            self._database_up.set(0)
        return generate_latest(self.registry)

    async def _observe(self, forecasts: Forecasts, series_id: str) -> None:
        try:
            card: Card | None = forecasts.champions.card(series_id)
        except ModelError:
            card = None
        if card is not None:
            self._model.labels(series_id, card.name, card.version).set(1)
        newest = await forecasts.threads.ask(lambda database: database.newest(series_id))
        read_score = partial(_score, forecasts=forecasts, series_id=series_id, card=card)
        score = await forecasts.threads.ask(read_score)
        timeline = forecasts.catalogue.settings.series[series_id].timeline
        self._set(series_id, _ages(forecasts, newest, timeline))
        self._set(series_id, _errors(score))

    def _set(self, series_id: str, figures: dict[str, float | None]) -> None:
        for name, figure in figures.items():
            if figure is not None:
                self._of_series[name].labels(series_id).set(figure)


def _score(
    database: Database,
    *,
    forecasts: Forecasts,
    series_id: str,
    card: Card | None,
) -> LiveScore:
    """The score that check_retrain.py judges. Raises DatabaseError."""
    now = forecasts.clock()
    settings = forecasts.catalogue.settings
    window = settings.retrain_of(series_id).window
    timeline = settings.series[series_id].timeline
    start = live_error.window_start(now, window, timeline)
    rows = database.performance(series_id, since=start, until=now)
    return live_error.of_champion(rows, card, timeline, window=window)


def _ages(forecasts: Forecasts, newest: Newest, timeline: Timeline) -> dict[str, float | None]:
    """Seconds, as the lights of the page and the checks of /ready count them."""
    now = forecasts.clock()
    data_age = None
    if newest.period is not None:
        end = timeline.end_of(timeline.number_of(newest.period))
        data_age = (now - end).total_seconds()
    forecast_age = None
    if newest.issued_at is not None:
        forecast_age = (now - newest.issued_at).total_seconds()
    return {"data_age_seconds": data_age, "forecast_age_seconds": forecast_age}


def _errors(score: LiveScore) -> dict[str, float | None]:
    return {
        "scored_periods": score.scored_periods,
        "coverage": score.coverage,
        "crps": score.distribution.crps if score.distribution else None,
        "live_mae": score.mae,
        "naive_mae": score.naive_mae,
        "backtest_mae": score.reference_mae,
    }


class Timing:
    """ASGI middleware: the time of every answer, by the route's pattern and never by the caller's
    path.

    By hand, because it runs for every request, and a path in a label would let callers fill the
    memory.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._histograms: dict[tuple[str, str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500  # when the application raises before it answers

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            seconds = time.perf_counter() - begun
            self._histogram(scope, status).observe(seconds)

    def _histogram(self, scope: Scope, status: int) -> Any:
        """The histogram of a method, route and status; prometheus_client takes longer to find it than to observe."""
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if route != "other" else "other"
        key = (method, route, status)
        histogram = self._histograms.get(key)
        if histogram is None:
            histogram = self._metrics.requests.labels(method, route, str(status))
            self._histograms[key] = histogram
        return histogram

"""Serving: the API and the page. POST /forecast makes and stores the same forecast as make_predictions.py.

    python app.py                                                  # port $PORT, else 8000
    python app.py --demo                                           # what rehearse.py left in demo/, or --demo FOLDER
    curl -X POST 'http://127.0.0.1:8000/forecast?num_predictions=24' -H "X-API-Key: $API_KEY"

Reads config.toml ($ACTIONCAST_CONFIG names another file), DATABASE_URL, API_KEY and model/<series>/. The page is at /,
the schema at /openapi.json. After SIGTERM running requests are finished; the process ends within 8 s.
Exit codes: 0 stopped; 2 wrong flags, config.toml or environment; in production (ENVIRONMENT=production, or K_SERVICE,
which Cloud Run sets) also when anybody could write.
The database needs 2 connections for each instance: instances x 2 must stay below what the server allows.
"""

from __future__ import annotations

from actioncast.api import cold_start  # isort: skip  # makes the imports below faster

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI

import make_predictions
from actioncast.api import keys, limits, problems
from actioncast.api.forecasts import Clock, Forecasts, utc_now
from actioncast.api.metrics import Metrics, Timing
from actioncast.api.routes import ROUTERS
from actioncast.api.schemas import openapi_document
from actioncast.api.state import AppState
from actioncast.cli.script import add_demo_flag, parser
from actioncast.config import load_settings
from actioncast.dashboard import routes as dashboard_routes
from actioncast.dashboard.problem_pages import ProblemPages
from actioncast.database.connection import database_url
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.serving.what_if import hypothetical
from actioncast.settings import Settings

cold_start.end_imports()

log = logging.getLogger("actioncast")
GRACE_SECONDS = 8  # for requests that run when SIGTERM comes; clouds kill after 10


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """The application for these settings. Raises SettingsError where it would be unsafe."""
    keys.check_safe(settings)
    state = AppState(
        keys=keys.Keys(settings.environment.api_keys()),
        reading_needs_key=settings.api.reading == "key",
        metrics=Metrics(),
        pages=dashboard_routes.page_cache(),
    )
    app = FastAPI(
        title="Actioncast",
        description="Hourly forecasts with intervals, their live error, and the model behind them.",
        version="1",
        lifespan=partial(_lifespan, settings=settings, clock=clock, state=state),
        docs_url=None,  # both would load scripts from a CDN
        redoc_url=None,
    )
    app.state.shared = state
    for router in (*ROUTERS, dashboard_routes.router):
        app.include_router(router)
    app.add_middleware(Timing, metrics=state.metrics)
    app.add_middleware(limits.Guard, settings=settings, page_of=ProblemPages)
    problems.install(app, settings.environment.secrets())
    document = partial(openapi_document, app, reading_needs_key=state.reading_needs_key)
    app.openapi = document  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(
    _app: FastAPI,
    *,
    settings: Settings,
    clock: Clock,
    state: AppState,
) -> AsyncIterator[None]:
    """From start to stop: forecasts need threads and connections."""
    if not state.keys and settings.api.authentication == "key":
        log.warning("API_KEY is not set: whoever reaches this port may write")
    database = Database(database_url(settings))
    forecasts = Forecasts(settings, database, make_predictions.run, hypothetical, clock)
    state.forecasts = forecasts
    preparation = asyncio.create_task(forecasts.prepare_or_warn())
    try:
        yield
    finally:
        preparation.cancel()
        await asyncio.gather(preparation, return_exceptions=True)
        await forecasts.close()
        database.close()


def __getattr__(name: str) -> FastAPI:
    """`app`, for `uvicorn app:app`: created on first access, so that importing this file has no effect."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return create_app(_settings())


def _settings() -> Settings:
    path = os.environ.get("ACTIONCAST_CONFIG")
    return load_settings(Path(path) if path else None)


def demo_app(folder: Path) -> FastAPI:
    """The application on the database and the champions of a rehearsal, at its last moment."""
    from actioncast.rehearsal import demo

    settings = demo.demo_settings(folder)
    ended = demo.last_moment(settings)
    return create_app(settings, lambda: ended)


def main(argv: Sequence[str] | None = None) -> int:
    flags = parser(__doc__)
    flags.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container (default: 127.0.0.1)")
    flags.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    add_demo_flag(flags)
    arguments = flags.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        app = demo_app(arguments.demo) if arguments.demo else create_app(_settings())
    except ActioncastError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    serve(app, host=arguments.host, port=arguments.port)
    return 0


def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Answer until SIGTERM."""
    import uvicorn

    # uvicorn raises SIGTERM again after it has stopped. A requested stop is a success, so exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        app,
        host=host,
        port=port,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws="none",  # nor imports a library for it
        server_header=False,
        access_log=False,
        log_config=None,
    )


if __name__ == "__main__":
    sys.exit(main())

"""Is the service well? For platforms and monitoring."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from actioncast.api.keys import TO_READ
from actioncast.api.problems import problems
from actioncast.api.readiness import readiness
from actioncast.api.routes.parameters import TO_ANYONE, TO_READERS, Responses
from actioncast.api.schemas import Health, Readiness
from actioncast.api.state import state_of

router = APIRouter()
NOT_READY: Responses = {503: {"model": Readiness, "description": "Not ready; checks says why"}}
PLAIN_TEXT: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/health", tags=["operation"], dependencies=TO_ANYONE, responses=problems(413, 422))
async def health(request: Request) -> Health:
    """The process is alive, and which champions it serves. The database is not asked: /ready does."""
    forecasts = state_of(request).forecasts
    settings = forecasts.catalogue.settings
    versions = {series_id: forecasts.champions.version(series_id) for series_id in settings.series}
    return Health(
        status="ok",
        revision=settings.environment.revision,
        model_version=next(iter(versions.values())),
        models=versions,
    )


@router.get(
    "/ready",
    tags=["operation"],
    dependencies=TO_ANYONE,
    responses=problems(413, 422, 429) | NOT_READY,
)
async def ready(request: Request, response: Response) -> Readiness:
    """The database answers, every champion matches its card, the data are fresh."""
    report = await readiness(state_of(request).forecasts)
    response.status_code = 200 if report.ready else 503
    return report


@router.get(
    "/metrics",
    tags=["operation"],
    dependencies=TO_READERS,
    openapi_extra={"security": TO_READ},
    response_class=Response,
    responses=problems(401, 413, 422, 429) | PLAIN_TEXT,
)
async def metrics(request: Request) -> Response:
    """Latency, ages, live error, coverage and model, for Prometheus."""
    state = state_of(request)
    text = await state.metrics.exposition(state.forecasts)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

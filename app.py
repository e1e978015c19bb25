"""Serving: POST /forecast makes and stores the same forecast as make_predictions.py.

    uvicorn app:app --port 8000
    curl -X POST 'http://127.0.0.1:8000/forecast?num_predictions=24'

Reads config.toml ($ACTIONCAST_CONFIG names another file), DATABASE_URL and model/<series>/.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel

import make_predictions
from pipeline import forecaster
from pipeline.database import open_database
from pipeline.script import masked
from pipeline.settings import DEFAULT_CONFIG, ActioncastError, SettingsError, load_settings


class Prediction(BaseModel):
    """The forecast of one hour, in the series' unit."""

    prediction_date: AwareDatetime
    prediction: float
    lower: float
    upper: float


class Forecast(BaseModel):
    """One vintage: `origin` is the last hour the model knew, `issued_at` when it was made."""

    series: str
    issued_at: AwareDatetime
    origin: AwareDatetime
    model_version: str
    predictions: list[Prediction]


class Problem(BaseModel):
    """What went wrong, for a person."""

    detail: str


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.settings = load_settings(Path(os.environ.get("ACTIONCAST_CONFIG", DEFAULT_CONFIG)))
    with open_database(app.state.settings) as app.state.database:
        yield


app = FastAPI(title="Actioncast", lifespan=_lifespan)


@app.exception_handler(ActioncastError)
def _answer_failure(request: Request, error: ActioncastError) -> JSONResponse:
    """An unknown series is the caller's mistake, all else is ours and may pass."""
    detail = masked(str(error), request.app.state.settings.environment.secrets())
    return JSONResponse({"detail": detail}, 404 if isinstance(error, SettingsError) else 503)


@app.get("/health")
def health() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


@app.post("/forecast", responses={404: {"model": Problem}, 503: {"model": Problem}})
def forecast(
    request: Request,
    num_predictions: Annotated[int, Query(ge=1, le=forecaster.LONGEST_HORIZON)] = 168,
    return_predictions: bool = True,
    series: str | None = None,
) -> Forecast:
    """Forecast the next hours from the newest stored ones and store them; without return_predictions the list is empty."""
    settings = request.app.state.settings
    report = make_predictions.run(
        settings,
        request.app.state.database,
        datetime.now(UTC).replace(microsecond=0),
        series_id=settings.series_id(series),
        horizon=num_predictions,
    )
    body = Forecast.model_validate(report.as_json())
    return body if return_predictions else body.model_copy(update={"predictions": []})

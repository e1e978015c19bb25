"""What all requests of one application share. Typed, which attributes of `app.state` are not."""

from __future__ import annotations

from dataclasses import dataclass, field

from cachetools import TTLCache
from fastapi import Request

from actioncast.api.body import Body
from actioncast.api.forecasts import Forecasts
from actioncast.api.keys import Keys
from actioncast.api.metrics import Metrics


@dataclass
class AppState:
    """Lies in `app.state.shared`."""

    keys: Keys
    reading_needs_key: bool
    metrics: Metrics
    pages: TTLCache[str, Body]  # series -> its rendered page
    forecasts: Forecasts = field(init=False)  # from start to stop: it holds threads and connections


def state_of(request: Request) -> AppState:
    """The shared state of the application that answers this request."""
    state: AppState = request.app.state.shared
    return state

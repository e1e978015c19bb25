"""Rows of the view `performance`, live scores and the card of a champion, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from actioncast.forecasting.card import Card
from actioncast.monitoring.live_error import LiveScore

NOW = datetime(2022, 3, 9, 12, 17, tzinfo=UTC)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def row(
    hours_ago: float = 2,
    *,
    error: float | None = 10.0,
    naive: float | None = 20.0,
    lead: int = 1,
    reality: float | None = 100.0,
    covered: bool | None = True,
    version: str = "v1",
) -> dict[str, Any]:
    """A row of the view `performance`."""
    return {
        "prediction_date": ago(hours_ago),
        "reality": reality,
        "absolute_error": error,
        "naive_error": naive,
        "lead": lead,
        "covered": covered,
        "model_version": version,
    }


def score(
    mae: float = 10.0,
    *,
    reference: float | None = 10.0,
    naive: float | None = 20.0,
    hours: int = 46,
    naive_periods: int = 46,
    newest: datetime | None = None,
) -> LiveScore:
    return LiveScore(hours, newest or ago(2), mae, reference, naive_periods, naive, mae, 0.8)


def champion_card(version: str = "v1", mae_by_lead: Sequence[float] = (10.0,)) -> Card:
    """The card of a champion that nobody forecasts with."""
    return Card.model_construct(
        format=1,
        series="demo",
        name="ridge",
        version=version,
        created_at=NOW,
        window_start=NOW,
        window_end=NOW,
        periods=1,
        seasonality=(24, 168),
        coverage=0.8,
        mae=10.0,
        mase=0.8,
        mae_by_lead=list(mae_by_lead),
        members=[],
        spread={},
        libraries={},
        bytes=1,
        sha256="",
    )

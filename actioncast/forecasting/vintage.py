"""A vintage: the forecasts of one series issued at one moment by one model, as they are stored and served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from actioncast.arrays import np
from actioncast.forecasting.naive import seasonal_naive
from actioncast.periods.timeline import Timeline
from actioncast.quantiles import by_name
from actioncast.times import from_seconds, isoformat

if TYPE_CHECKING:
    # Serving a stored vintage needs no forecaster.
    from actioncast.forecasting.forecaster import Forecast
    from actioncast.periods.grid import Grid

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Vintage:
    """`rows` as stored, by lead: prediction_date, prediction, lower, upper, lead; `origin` is the last known hour."""

    series: str
    issued_at: datetime
    origin: datetime
    model_version: str
    rows: Sequence[Row]
    fallback: str | None = None  # why another than the champion made it

    @classmethod
    def of_rows(cls, rows: Sequence[Row], timeline: Timeline) -> Self:
        """The vintage that consists of these rows, at least one."""
        first = rows[0]
        return cls(
            series=first["series_id"],
            issued_at=first["issued_at"],
            origin=timeline.shift(first["prediction_date"], -first["lead"]),
            model_version=first["model_version"],
            rows=rows,
            fallback=first["fallback"],
        )

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, hours: int) -> Self:
        """Its next `hours` hours: a shorter forecast by the same model is the beginning of a longer one."""
        return replace(self, rows=self.rows[:hours])

    def as_json(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "issued_at": isoformat(self.issued_at),
            "origin": isoformat(self.origin),
            "model_version": self.model_version,
            "fallback": self.fallback is not None,
            "fallback_reason": self.fallback,
            "predictions": [_prediction(row) for row in self.rows],
        }


def _prediction(row: Row) -> dict[str, Any]:
    prediction = {
        "prediction_date": isoformat(row["prediction_date"]),
        "prediction": row["prediction"],
        "lower": row["lower"],
        "upper": row["upper"],
    }
    if row["quantiles"]:
        prediction["quantiles"] = row["quantiles"]
    return prediction


def vintage_rows(
    forecast: Forecast,
    *,
    series_id: str,
    issued_at: datetime,
    history: Grid,
    seasonality: Sequence[int],
    model_version: str,
    fallback: str | None = None,
) -> list[dict[str, Any]]:
    """The rows of a new vintage: one for each period after the history, by lead.

    `fallback` says why another than the champion made it.
    """
    end = history.first + len(history)
    horizon = len(forecast.prediction)
    starts = history.timeline.starts(np.arange(end, end + horizon)).tolist()
    references = seasonal_naive(history.values, seasonality, horizon)
    rows = []
    for index, prediction in enumerate(forecast.prediction):
        lead = index + 1
        lower = float(forecast.lower[index])
        upper = float(forecast.upper[index])
        row = {
            "series_id": series_id,
            "prediction_date": from_seconds(starts[index]),
            "issued_at": issued_at,
            "prediction": float(prediction),
            "lower": lower,
            "upper": upper,
            "lead": lead,
            "model_version": model_version,
            "naive": None if np.isnan(references[index]) else float(references[index]),
            "quantiles": by_name(forecast.levels, forecast.quantiles[:, index].tolist(), lower, upper),
            "width_below": forecast.width.below if forecast.width else None,
            "width_above": forecast.width.above if forecast.width else None,
            "fallback": fallback,
        }
        rows.append(row)
    return rows

"""A vintage: the forecasts of one series issued at one moment by one model, as they are stored and served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from actioncast.times import isoformat

if TYPE_CHECKING:
    # Serving a stored vintage needs no forecaster.
    from actioncast.forecasting.forecaster import Forecast

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Vintage:
    """`rows` as stored, by lead: prediction_date, prediction, lower, upper, lead; `origin` is the last known hour."""

    series: str
    issued_at: datetime
    origin: datetime
    model_version: str
    rows: Sequence[Row]

    @classmethod
    def of_rows(cls, rows: Sequence[Row]) -> Self:
        """The vintage that consists of these rows, at least one."""
        first = rows[0]
        return cls(
            series=first["series_id"],
            issued_at=first["issued_at"],
            origin=first["prediction_date"] - timedelta(hours=first["lead"]),
            model_version=first["model_version"],
            rows=rows,
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
            "predictions": [_prediction(row) for row in self.rows],
        }


def _prediction(row: Row) -> dict[str, Any]:
    return {
        "prediction_date": isoformat(row["prediction_date"]),
        "prediction": row["prediction"],
        "lower": row["lower"],
        "upper": row["upper"],
    }


def vintage_rows(
    forecast: Forecast,
    *,
    series_id: str,
    issued_at: datetime,
    origin: datetime,
    model_version: str,
) -> list[dict[str, Any]]:
    """The rows of a new vintage: one for each hour after the origin, by lead."""
    rows = []
    for index, prediction in enumerate(forecast.prediction):
        lead = index + 1
        row = {
            "series_id": series_id,
            "prediction_date": origin + timedelta(hours=lead),
            "issued_at": issued_at,
            "prediction": float(prediction),
            "lower": float(forecast.lower[index]),
            "upper": float(forecast.upper[index]),
            "lead": lead,
            "model_version": model_version,
        }
        rows.append(row)
    return rows

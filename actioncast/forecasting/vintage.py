"""A vintage: the forecasts of one series that were issued at one moment by one model. What is stored and served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from actioncast.times import isoformat

SHOWN = ("prediction", "lower", "upper")


@dataclass(frozen=True)
class Vintage:
    """`rows` as stored, by lead: prediction_date, prediction, lower, upper, lead; `origin` is the last known hour."""

    series: str
    issued_at: datetime
    origin: datetime
    model_version: str
    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """From the rows of one vintage, at least one."""
        first = rows[0]
        origin = first["prediction_date"] - timedelta(hours=first["lead"])
        return cls(first["series_id"], first["issued_at"], origin, first["model_version"], rows)

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
            "predictions": [
                {"prediction_date": isoformat(row["prediction_date"]), **{name: row[name] for name in SHOWN}}
                for row in self.rows
            ],
        }

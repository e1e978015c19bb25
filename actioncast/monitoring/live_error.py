"""The live error: forecasts of the newest window against what happened. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LiveScore:
    """Mean absolute errors in the series' unit over the scored hours; None where there is nothing to average."""

    scored_hours: int
    newest_hour: datetime | None
    mae: float | None
    reference_mae: float | None  # the champion's own backtest error at the same leads
    naive_hours: int  # scored hours that have a naive error
    naive_mae: float | None  # same hour one week earlier, over the naive hours
    mae_beside_naive: float | None  # the live error over the naive hours only
    coverage: float | None  # share of hours inside lower..upper

    def figures(self) -> dict[str, float | None]:
        """What is stored, printed and sent: None also for what is not a number, which JSON does not know."""
        errors = {"mae": self.mae, "reference_mae": self.reference_mae, "naive_mae": self.naive_mae}
        return {name: error if is_sound(error) else None for name, error in errors.items()}


def newest_window(rows: Sequence[Row], hours: int) -> list[Row]:
    """The scored rows (ascending) of the last `hours` up to the newest scored one.

    Measured from the data and not from the clock: while the source is silent the same hours give the same score.
    """
    scored = [row for row in rows if row["reality"] is not None]
    return [row for row in scored if row["prediction_date"] > scored[-1]["prediction_date"] - timedelta(hours=hours)]


def live_score(rows: Sequence[Row], backtest_mae_by_lead: Sequence[float]) -> LiveScore:
    """Score rows of the view `performance` (ascending); those without reality are left out.

    `backtest_mae_by_lead` [h] is the champion's backtest error at lead 1..h; longer leads count as the last one.
    """
    scored = [row for row in rows if row["reality"] is not None]
    beside_naive = [row for row in scored if row["naive_error"] is not None]
    longest = len(backtest_mae_by_lead)
    reference = [backtest_mae_by_lead[min(int(row["lead"]), longest) - 1] for row in scored] if longest else []
    return LiveScore(
        scored_hours=len(scored),
        newest_hour=scored[-1]["prediction_date"] if scored else None,
        mae=_mean(row["absolute_error"] for row in scored),
        reference_mae=_mean(reference),
        naive_hours=len(beside_naive),
        naive_mae=_mean(row["naive_error"] for row in beside_naive),
        mae_beside_naive=_mean(row["absolute_error"] for row in beside_naive),
        coverage=_mean(bool(row["covered"]) for row in scored),
    )


def is_sound(error: float | None) -> bool:
    """Finite, or absent, which is no fault."""
    return error is None or math.isfinite(error)


def _mean(values: Iterable[float | None]) -> float | None:
    """None of nothing. SQLite says NULL where PostgreSQL says NaN (infinity - infinity): both are NaN here."""
    known = [math.nan if value is None else value for value in values]
    return sum(known) / len(known) if known else None

"""The live error: forecasts of the newest window against what happened. Pure."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from actioncast import quantiles
from actioncast.forecasting.card import Card
from actioncast.periods.timeline import Timeline
from actioncast.quantiles import DistributionScore

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LiveScore:
    """Mean absolute errors in the series' unit over the scored hours; None where there is nothing to average."""

    scored_periods: int
    newest_period: datetime | None
    mae: float | None
    reference_mae: float | None  # the champion's own backtest error at the same leads
    naive_periods: int  # scored hours that have a naive error
    naive_mae: float | None  # same hour one week earlier, over the naive hours
    mae_beside_naive: float | None  # the live error over the naive hours only
    coverage: float | None  # share of hours inside lower..upper
    distribution: DistributionScore | None = None  # of the quantiles, if any were stated

    def errors(self) -> dict[str, float | None]:
        """The three errors by name, as they were computed."""
        return {
            "mae": self.mae,
            "reference_mae": self.reference_mae,
            "naive_mae": self.naive_mae,
        }

    def figures(self) -> dict[str, float | None]:
        """The three errors as they are stored, printed and sent.

        NaN and infinity become None: JSON has neither.
        """
        return {name: error if is_sound(error) else None for name, error in self.errors().items()}


def of_champion(rows: Sequence[Row], card: Card | None, timeline: Timeline, *, window: int) -> LiveScore:
    """Score the champion's own forecasts over its newest window; without a card, the forecasts of
    every model.

    `rows` of the view `performance`, ascending, from `window_start` on.
    """
    own_rows = list(rows)
    backtest_mae_by_lead: Sequence[float] = []
    if card is not None:
        own_rows = [row for row in rows if row["model_version"] == card.version]
        backtest_mae_by_lead = card.mae_by_lead
    newest = newest_window(own_rows, window, timeline)
    return replace(live_score(newest, backtest_mae_by_lead), distribution=quantiles.score_rows(newest))


def window_start(now: datetime, window: int, timeline: Timeline) -> datetime:
    """The moment from which rows are read for a score at `now`."""
    # The window ends at the newest scored hour, which may itself be up to a window old and still
    # count for a verdict.
    return timeline.shift(now, -2 * window)


def newest_window(rows: Sequence[Row], periods: int, timeline: Timeline) -> list[Row]:
    """The scored rows (ascending) of the last `periods` up to the newest scored one.

    Measured from the data and not from the clock: while the source is silent the same hours give
    the same score.
    """
    scored = _scored(rows)
    if not scored:
        return []
    start = timeline.shift(scored[-1]["prediction_date"], 1 - periods)
    return [row for row in scored if row["prediction_date"] >= start]


def live_score(rows: Sequence[Row], backtest_mae_by_lead: Sequence[float]) -> LiveScore:
    """Score rows of the view `performance` (ascending); those without reality are left out.

    `backtest_mae_by_lead` [h] is the champion's backtest error at lead 1..h; longer leads count as
    the last one.
    """
    scored = _scored(rows)
    beside_naive = [row for row in scored if row["naive_error"] is not None]
    return LiveScore(
        scored_periods=len(scored),
        newest_period=scored[-1]["prediction_date"] if scored else None,
        mae=_mean(row["absolute_error"] for row in scored),
        reference_mae=_mean(_backtest_errors(scored, backtest_mae_by_lead)),
        naive_periods=len(beside_naive),
        naive_mae=_mean(row["naive_error"] for row in beside_naive),
        mae_beside_naive=_mean(row["absolute_error"] for row in beside_naive),
        coverage=_mean(bool(row["covered"]) for row in scored),
    )


def is_sound(error: float | None) -> bool:
    """Whether a figure is finite or absent; an absent one is no fault."""
    return error is None or math.isfinite(error)


def without(rows: Iterable[Row], periods: Container[datetime]) -> list[Row]:
    """The rows but for those of these periods, which are set aside."""
    return [row for row in rows if row["prediction_date"] not in periods]


def _scored(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["reality"] is not None]


def _backtest_errors(scored: Sequence[Row], backtest_mae_by_lead: Sequence[float]) -> list[float]:
    """The backtest error at the lead of each row; empty without a backtest."""
    longest_lead = len(backtest_mae_by_lead)
    if longest_lead == 0:
        return []
    leads = [min(int(row["lead"]), longest_lead) for row in scored]
    return [backtest_mae_by_lead[lead - 1] for lead in leads]


def _mean(values: Iterable[float | None]) -> float | None:
    """Mean, or None of nothing.

    A stored error that is NULL counts as NaN: SQLite says NULL for infinity - infinity where
    PostgreSQL says NaN.
    """
    numbers = [math.nan if value is None else value for value in values]
    if not numbers:
        return None
    return sum(numbers) / len(numbers)

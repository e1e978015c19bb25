"""Charts of the page as plain data: forecast and reality, error over time, error by lead."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from actioncast.forecasting.card import Card
from actioncast.forecasting.vintage import Vintage
from actioncast.hours import Grid
from actioncast.monitoring import live_error
from actioncast.settings import RetrainSettings
from actioncast.text import hours, number, short
from actioncast.times import HOUR, to_seconds

Row = Mapping[str, Any]
SHOWN_PAST = timedelta(days=7)  # of the forecast chart, and what the figures on top are means of
FEWEST_HOURS = 12  # behind an error by lead time; fewer are noise


def forecast_chart(known: Grid | None, rows: Sequence[Row], end: datetime) -> dict[str, Any]:
    """Reality up to the newest hour, and beside it what a user would have seen; then the hours ahead."""
    columns: dict[int, list[float | None]] = {}
    if known is not None:
        first = to_seconds(known.start)
        for i, value in enumerate(known.values):
            columns[first + i * HOUR] = [None if math.isnan(value) else short(value), None, None, None]
    for row in rows:
        if row["prediction_date"] > end - SHOWN_PAST:
            column = columns.setdefault(to_seconds(row["prediction_date"]), [None] * 4)
            column[1:] = [short(row[name]) for name in ("prediction", "lower", "upper")]
    times = sorted(columns)
    names = ("reality", "prediction", "lower", "upper")
    return {"t": times, "end": to_seconds(end)} | {name: [columns[t][i] for t in times] for i, name in enumerate(names)}


def error_chart(scored: Sequence[Row], card: Card | None, policy: RetrainSettings, since: datetime) -> dict[str, Any]:
    """Mean errors over the window that the checks look at, hour by hour, and the limit that they compare with."""
    chart: dict[str, list[Any]] = {"t": [], "mae": [], "naive": [], "limit": [], "coverage": []}
    for i, row in enumerate(scored):
        if row["prediction_date"] < since:
            continue
        window = live_error.newest_window(scored[max(0, i + 1 - policy.window_hours) : i + 1], policy.window_hours)
        if len(window) < policy.minimum_scored_hours:
            continue
        score = live_error.live_score(window, card.mae_by_lead if card else [])
        backtest = score.reference_mae and score.reference_mae * policy.maximum_ratio_to_backtest
        chart["t"].append(to_seconds(row["prediction_date"]))
        chart["mae"].append(short(score.mae))
        chart["naive"].append(short(score.naive_mae))
        chart["limit"].append(short(min(filter(None, (backtest, policy.max_mae)), default=None)))
        chart["coverage"].append(short(score.coverage))
    return chart


def lead_chart(leads: Sequence[Row], card: Card | None) -> dict[str, Any]:
    """Live error of all vintages by lead time, and the champion's in the backtest."""
    live = {row["lead"]: row["mae"] for row in leads if row["hours"] >= FEWEST_HOURS}
    backtest = card.mae_by_lead if card else []
    shown = range(1, max([*live, len(backtest) if live else 0], default=0) + 1)
    return {
        "t": list(shown),
        "live": [short(live.get(lead)) for lead in shown],
        "backtest": [short(backtest[lead - 1]) if lead <= len(backtest) else None for lead in shown],
    }


def summaries(charts: Mapping[str, Mapping[str, Any]], vintage: Vintage | None, unit: str) -> dict[str, str]:
    """Each chart in a sentence, for those who cannot see it."""
    said = {}
    if vintage:
        day = vintage.first(24).rows
        low, high = min(row["prediction"] for row in day), max(row["prediction"] for row in day)
        said["forecast"] = f"Forecast of the next {hours(len(day))}: {number(low)} to {number(high)} {unit}."
    if charts["error"]["t"]:
        newest = {name: charts["error"][name][-1] for name in ("mae", "naive", "limit", "coverage")}
        said["error"] = (
            f"At the end the error is {number(newest['mae'])} {unit}, the weekly naive's {number(newest['naive'])}, "
            f"the retrain limit {number(newest['limit'])}."
        )
        said["coverage"] = f"At the end {newest['coverage']:.0%} of the hours fall inside the interval."
    known = [error for error in charts["lead"]["live"] if error is not None]
    if known:
        said["lead"] = f"From {number(known[0])} one hour ahead to {number(known[-1])} {unit} {len(known)} hours ahead."
    return said

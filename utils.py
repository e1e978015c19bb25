"""The features. This file is yours: what it returns is what the candidates learn from, in training
and in serving.

A predictor set says which past periods (lags), which means over them (windows) and which terms
of the calendar a forecast of the next period may use. Training tries every set with every candidate
and the card of the champion keeps the sets it was built with, so that serving cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Predictors:
    """Lags in periods (1 = the one before), windows: lengths in periods of means over the newest
    ones, calendar terms, and columns that are known in the future: "holiday", or those of
    `exogenous` in config.toml."""

    lags: tuple[int, ...]
    windows: tuple[int, ...] = ()
    calendar: tuple[str, ...] = ()  # "hour", "weekday", "hour_of_week", "month", "day_of_year", ... of the zone
    exogenous: tuple[str, ...] = ()


WITH_COLUMNS = ("week", "two_days_calendar", "few_calendar", "trees")


def create_predictors(
    seasonality: Sequence[int] = (24, 168),
    exogenous: Sequence[str] = (),
    calendar: tuple[str, ...] = ("hour", "weekday", "hour_of_week"),
) -> dict[str, Predictors]:
    """Named predictor sets for a series with these seasons (periods, ascending), these columns
    known in the future and these terms of the calendar, which fit its frequency.

    The autoregressions use each set but "tutorial"; random forest uses "tutorial" and LightGBM uses
    "trees". What has columns is offered beside what has none: "week_exogenous" beside "week".
    """
    short, long = seasonality[0], seasonality[-1]
    recent = set(range(1, short + 1))
    days = range(short, min(long, 7 * short) + 1, short)
    around_days = {day + shift for day in days[1:] for shift in (-1, 0, 1)}
    day = tuple(sorted(recent | {long}))
    two_days = tuple(sorted(set(range(1, 2 * short + 1)) | set(range(max(long - short, 1), long + 2))))
    coarse = tuple(term for term in calendar if term != "hour_of_week")
    sets = {
        "day": Predictors(day),
        "two_days": Predictors(two_days),
        "week": Predictors(tuple(sorted(recent | {short + 1, short + 2} | around_days))),
        "day_calendar": Predictors(day, calendar=calendar),
        "two_days_calendar": Predictors(two_days, calendar=calendar),
        "few_calendar": Predictors(tuple(sorted({1, 2, 3, *days, long})), calendar=calendar),
        "trees": Predictors(tuple(sorted(recent | {long})), windows=tuple(sorted({short, long})), calendar=coarse),
        "tutorial": Predictors(tuple(range(1, 11)), windows=(20,)),
    }
    with_columns = WITH_COLUMNS if exogenous else ()
    return sets | {f"{name}_exogenous": replace(sets[name], exogenous=tuple(exogenous)) for name in with_columns}

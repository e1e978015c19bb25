"""Columns known in the future, beside the series: holidays, and what config.toml calls `exogenous`.
Pure functions.

A column is one number per hour that is known before the hour comes: a flag, a price, a weather
forecast. `columns` are arrays by name that begin at a series' first hour and reach beyond its end,
NaN where not known. Their terms enter a recipe beside its lags, as `exog` enters skforecast's
ForecasterRecursive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from actioncast.arrays import Numbers, Values, np
from actioncast.errors import ActioncastError
from actioncast.periods.grid import Grid, Periods
from actioncast.times import HOUR, HOURS_PER_DAY, from_seconds

HOLIDAY = "holiday"  # the column that the key `holidays` of a series makes
CARRIED_PERIODS = 6  # many columns come every three or six hours: a value holds that long, not longer
FEWEST_HOURS = 14 * HOURS_PER_DAY  # of a column before the backtest: fewer teach nothing
YEARS_AHEAD = 3  # of holidays that a champion carries with it
COLUMN_REMEDY = (
    "run: python update_real_data.py; ask for fewer hours; "
    "or take the column out of config.toml and run: python train.py"
)


class ColumnError(ActioncastError):
    """A column cannot be made as config.toml asks for it."""


# Holidays -----------------------------------------------------------------------------------------


def holidays_of(code: str, first: date, last: date) -> list[date]:
    """Public holidays of a country or of one of its parts ("US", "US-CA"), ascending.

    Raises ColumnError.
    """
    import holidays  # heavy, and only a series that asks for it needs it

    country, _, part = code.partition("-")
    years = range(first.year, last.year + 1)
    try:
        calendar = holidays.country_holidays(country, subdiv=part or None, years=years)
    except NotImplementedError:
        fault = "no such country, or no such part of it"
        expected = "expected ISO codes such as US, US-CA or ES"
        raise ColumnError(f"holidays = {code!r}: {fault}; {expected}") from None
    return sorted(day for day in calendar if first <= day <= last)


def holiday_flags(
    days: Collection[date],
    *,
    zone: str,
    first_period: int,
    hours: int,
    until: date,
) -> Values:
    """[hours] 1 in the hours of these days on the clocks of the zone, else 0; NaN after the day
    `until`.

    `first_period` counts the hours since 1970.
    """
    from zoneinfo import ZoneInfo

    timezone = ZoneInfo(zone)
    flags = np.full(hours, np.nan)
    for hour in range(hours):
        seconds = (first_period + hour) * HOUR
        day = from_seconds(seconds).astimezone(timezone).date()
        if day <= until:
            flags[hour] = float(day in days)
    return flags


def local_days(history: Grid, zone: str) -> tuple[date, date]:
    """The days whose holidays a champion trained on this series carries with it: the first and the last one."""
    from zoneinfo import ZoneInfo

    timezone = ZoneInfo(zone)
    first = history.start.astimezone(timezone).date()
    last = history.end.astimezone(timezone).date()
    return first, last + timedelta(days=366 * YEARS_AHEAD)


# Columns beside a series --------------------------------------------------------------------------


def attach(history: Grid, stored: Mapping[str, Periods], horizon: int) -> Grid:
    """The series with its stored columns, `horizon` hours beyond its end."""
    columns = dict(history.exogenous)
    for name, hours in stored.items():
        columns[name] = _aligned(history, hours, horizon)
    return replace(history, exogenous=columns)


def _aligned(history: Grid, hours: Periods, horizon: int) -> Values:
    """[n + horizon]; an hour without a value of its own takes an earlier one, at most CARRIED_PERIODS old."""
    # The hours just before the series may hold the value that its first hours take.
    column = np.full(len(history) + horizon + CARRIED_PERIODS, np.nan)
    position = history.timeline.numbers(hours.starts) - history.first + CARRIED_PERIODS
    inside = (position >= 0) & (position < len(column))
    column[position[inside]] = hours.values[inside]
    carried = _carried(column)
    return carried[CARRIED_PERIODS:]


def _carried(column: Values) -> Values:
    """[n] the column with its holes filled by the value before them, at most CARRIED_PERIODS old."""
    index = np.arange(len(column))
    # The index of the newest value so far, -1 before the first one.
    own = np.where(np.isnan(column), -1, index)
    newest = np.maximum.accumulate(own)
    age = index - newest
    holds = (newest >= 0) & (age < CARRIED_PERIODS)
    return np.where(holds, column[newest], np.nan)


def attach_holidays(
    history: Grid,
    days: Collection[date],
    zone: str,
    horizon: int,
    *,
    until: date,
) -> Grid:
    """The series with the column `holiday`, `horizon` hours beyond its end; nothing is known after the day `until`."""
    flags = holiday_flags(
        frozenset(days),
        zone=zone,
        first_period=history.first,
        hours=len(history) + horizon,
        until=until,
    )
    return replace(history, exogenous={**history.exogenous, HOLIDAY: flags})


# What can be used ---------------------------------------------------------------------------------


def gap(history: Grid, name: str, start: int, end: int) -> str:
    """Which of the hours start..end - 1 the column lacks, in words; empty when none."""
    column = history.exogenous.get(name, np.zeros(0))
    beyond = np.full(max(0, end - len(column)), np.nan)
    needed = np.concatenate([column, beyond])[start:end]
    missing = start + np.flatnonzero(np.isnan(needed))
    if not len(missing):
        return ""
    first = history.timeline.start_of(history.first + int(missing[0]))
    last = history.timeline.start_of(history.first + int(missing[-1]))
    span = f"from {first:%Y-%m-%d %H:%MZ} to {last:%Y-%m-%d %H:%MZ}"
    return f"is not known for {len(missing)} of the hours {span}"


def usable(history: Grid, backtest_start: int, horizon: int) -> tuple[Grid, dict[str, str]]:
    """The series with the columns that candidates can be judged and can forecast with, and why not the others."""
    columns: dict[str, Values] = {}
    reasons: dict[str, str] = {}
    for name, column in history.exogenous.items():
        reason = _obstacle(history, name, backtest_start, horizon)
        if reason:
            reasons[name] = reason
        else:
            columns[name] = column
    return replace(history, exogenous=columns), reasons


def _obstacle(history: Grid, name: str, backtest_start: int, horizon: int) -> str:
    """Why a column cannot be used; empty when it can."""
    learned = history.exogenous[name][:backtest_start]
    present = ~np.isnan(learned)
    values = learned[present]
    if len(values) < FEWEST_HOURS:
        least = f"{FEWEST_HOURS} are the least to learn from"
        return f"known for {len(values)} hours before the backtest, {least}"
    missing = gap(history, name, backtest_start, len(history) + horizon)
    if missing:
        return f"{missing}; backtest and forecast need it"
    if np.ptp(values) == 0:
        return "constant before the backtest: nothing can be learned from it"
    return ""


# Terms of a recipe --------------------------------------------------------------------------------


def terms(
    names: Sequence[str],
    columns: Mapping[str, Values],
    first_period: int,
    at: Numbers,
) -> Values:
    """[*at.shape, terms] the terms of these columns at the positions `at`.

    `first_period` counts the hours since 1970 and is the one of position 0.
    """
    parts = [np.zeros((*at.shape, 0))]
    for name in names:
        column = columns[name]
        if name == HOLIDAY:
            parts.extend(_holiday_terms(column, first_period, at))
        else:
            parts.append(column[at][..., None])
    return np.concatenate(parts, axis=-1)


def _holiday_terms(column: Values, first_period: int, at: Numbers) -> tuple[Values, Values]:
    """[*at.shape, 24] for the holiday and for the day after it, where the lags of a day look back
    on the holiday.

    Each counts by hour of the day (UTC).
    """
    hour_of_day = (first_period + at) % HOURS_PER_DAY
    by_hour = np.eye(HOURS_PER_DAY)[hour_of_day]
    today = column[at]
    a_day_earlier = np.maximum(at - HOURS_PER_DAY, 0)
    yesterday = np.where(at >= HOURS_PER_DAY, column[a_day_earlier], 0.0)
    return today[..., None] * by_hour, yesterday[..., None] * by_hour


def scales(names: Sequence[str], learned: Values) -> Values:
    """[terms] what each term is divided by before the penalty sees it: the standard deviation, 1
    for holidays.

    `learned` [hours, terms] are the terms of the hours that a recipe learns from.
    """
    spread: list[float] = []
    for name in names:
        if name == HOLIDAY:
            spread += [1.0] * (2 * HOURS_PER_DAY)
        else:
            column = learned[:, len(spread)]
            spread.append(float(np.nanstd(column)) or 1.0)
    return np.array(spread)

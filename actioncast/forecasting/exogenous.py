"""Columns known in the future, beside the series: holidays, and what config.toml calls `exogenous`. Pure functions.

A column is one number per hour that is known before the hour comes: a flag, a price, a weather forecast. `columns` are
arrays by name that begin at a series' first hour and reach beyond its end, NaN where not known. Their terms enter a
recipe beside its lags, as `exog` enters skforecast's ForecasterRecursive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from actioncast.arrays import Numbers, Values, np
from actioncast.errors import ActioncastError
from actioncast.hours import Grid, Hours
from actioncast.times import HOUR, from_seconds, to_seconds

HOLIDAY = "holiday"  # the column that the key `holidays` of a series makes
DAY = 24
CARRIED_HOURS = 6  # a column that is stated every three or six hours holds until its next hour; a longer gap is one
LEAST_LEARNED = 2 * 7 * DAY  # hours of a column before the backtest: from fewer nothing can be learned
YEARS_AHEAD = 3  # of holidays that a champion carries with it
REMEDY = (
    "run: python update_real_data.py; ask for fewer hours; or take the column out of config.toml and run: "
    "python train.py"
)


class ColumnError(ActioncastError):
    """A column cannot be made as config.toml asks for it."""


def holidays_of(code: str, first: date, last: date) -> list[date]:
    """Public holidays of a country or of one of its parts ("US", "US-CA"), ascending. Raises ColumnError."""
    import holidays  # only where a series asks for it

    country, _, part = code.partition("-")
    try:
        known = holidays.country_holidays(country, subdiv=part or None, years=range(first.year, last.year + 1))
    except NotImplementedError:
        raise ColumnError(
            f"holidays = {code!r}: no such country, or no such part of it; expected ISO codes such as US, US-CA or ES"
        ) from None
    return sorted(day for day in known if first <= day <= last)


def holiday_flags(days: Collection[date], zone: str, first_hour: int, hours: int, until: date) -> Values:
    """[hours] 1 in the hours of these days as the clocks of the zone show them, else 0; NaN after the day `until`."""
    place = ZoneInfo(zone)
    found = (from_seconds((first_hour + hour) * HOUR).astimezone(place).date() for hour in range(hours))
    return np.array([float(day in days) if day <= until else np.nan for day in found])


def attach(known: Grid, stored: Mapping[str, Hours], horizon: int) -> Grid:
    """The series with its stored columns, `horizon` hours beyond its end."""
    return replace(known, exogenous={**known.exogenous, **{n: _aligned(known, h, horizon) for n, h in stored.items()}})


def _aligned(known: Grid, hours: Hours, horizon: int) -> Values:
    """[n + horizon]; an hour that is not stated takes the value before it, CARRIED_HOURS at most."""
    column = np.full(len(known) + horizon + CARRIED_HOURS, np.nan)
    position = (hours.starts - to_seconds(known.start)) // HOUR + CARRIED_HOURS
    inside = (position >= 0) & (position < len(column))
    column[position[inside]] = hours.values[inside]
    last = np.maximum.accumulate(np.where(np.isnan(column), -1, np.arange(len(column))))
    carried = np.where((last >= 0) & (np.arange(len(column)) - last < CARRIED_HOURS), column[last], np.nan)
    return np.asarray(carried[CARRIED_HOURS:])


def attach_holidays(known: Grid, days: Collection[date], zone: str, horizon: int, *, until: date) -> Grid:
    """The series with the column `holiday`, `horizon` hours beyond its end; nothing is known after the day `until`."""
    flags = holiday_flags(frozenset(days), zone, to_seconds(known.start) // HOUR, len(known) + horizon, until)
    return replace(known, exogenous={**known.exogenous, HOLIDAY: flags})


def local_days(known: Grid, zone: str) -> tuple[date, date]:
    """The day of the first hour, and the last day whose holidays a champion trained on this series carries with it."""
    first, last = (moment.astimezone(ZoneInfo(zone)).date() for moment in (known.start, known.end))
    return first, last + timedelta(days=366 * YEARS_AHEAD)


def gap(known: Grid, name: str, start: int, end: int) -> str:
    """Which hours of values[start:end] the column lacks, in words; empty when none."""
    column = known.exogenous.get(name, np.zeros(0))
    wanted = np.concatenate([column, np.full(max(0, end - len(column)), np.nan)])[start:end]
    missing = start + np.flatnonzero(np.isnan(wanted))
    if not len(missing):
        return ""
    first, last = (from_seconds(to_seconds(known.start) + int(hour) * HOUR) for hour in missing[[0, -1]])
    return f"is not known for {len(missing)} of the hours from {first:%Y-%m-%d %H:%MZ} to {last:%Y-%m-%d %H:%MZ}"


def usable(known: Grid, backtest_start: int, horizon: int) -> tuple[Grid, dict[str, str]]:
    """The series with the columns that candidates can be judged and can forecast with, and why not the others."""
    why = {name: _unusable(known, name, backtest_start, horizon) for name in known.exogenous}
    kept = {name: column for name, column in known.exogenous.items() if not why[name]}
    return replace(known, exogenous=kept), {name: reason for name, reason in why.items() if reason}


def _unusable(known: Grid, name: str, backtest_start: int, horizon: int) -> str:
    column = known.exogenous[name]
    learned = int(np.count_nonzero(~np.isnan(column[:backtest_start])))
    if learned < LEAST_LEARNED:
        return f"known for {learned} hours before the backtest, {LEAST_LEARNED} are the least to learn from"
    if found := gap(known, name, backtest_start, len(known) + horizon):
        return f"{found}; backtest and forecast need it"
    if np.ptp(column[:backtest_start][~np.isnan(column[:backtest_start])]) == 0:
        return "constant before the backtest: nothing can be learned from it"
    return ""


def terms(names: Sequence[str], columns: Mapping[str, Values], first_hour: int, at: Numbers) -> Values:
    """[*at.shape, terms] at these positions. A holiday counts by hour of the day (UTC), and so does the day after it:
    there the lags of a day look back on the holiday."""
    parts = [np.zeros((*at.shape, 0))]
    for name in names:
        column = columns[name]
        if name != HOLIDAY:
            parts.append(column[at][..., None])
            continue
        by_hour = np.eye(DAY)[(first_hour + at) % DAY]
        before = np.where(at >= DAY, column[np.maximum(at - DAY, 0)], 0.0)
        parts += [column[at][..., None] * by_hour, before[..., None] * by_hour]
    return np.concatenate(parts, axis=-1)


def scales(names: Sequence[str], learned: Values) -> Values:
    """[terms] what each term is divided by before the penalty sees it: the standard deviation, 1 for holidays."""
    spread: list[float] = []
    for name in names:
        if name == HOLIDAY:
            spread += [1.0] * (2 * DAY)
        else:
            column = learned[:, len(spread)]
            spread.append(float(np.nanstd(column)) or 1.0)
    return np.array(spread)

"""Columns known in the future, beside the series: holidays, and what config.toml calls `exogenous`.
Pure functions.

A column is one number per hour that is known before the hour comes: a flag, a price, a weather
forecast. `columns` are arrays by name that begin at a series' first hour and reach beyond its end,
NaN where not known. Their terms enter a recipe beside its lags, as `exog` enters skforecast's
ForecasterRecursive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from actioncast.arrays import Numbers, Values, np
from actioncast.errors import ActioncastError
from actioncast.periods.axis import HOURS, Axis, Cycles
from actioncast.periods.calendar import dated_terms, width
from actioncast.periods.clocks import clocks_of
from actioncast.periods.frequency import DAY
from actioncast.periods.grid import Grid, Periods
from actioncast.periods.timeline import Timeline
from utils import Predictors

HOLIDAY = "holiday"  # the column that the key `holidays` of a series makes
FESTIVE_DAYS = 3  # around a holiday: people stay away, and come back
CARRIED_DAYS = 0.25  # many columns come every three or six hours: a value holds that long, not longer
FEWEST_DAYS = 14  # of a column before the backtest: fewer teach nothing
YEARS_AHEAD = 3  # of holidays that a champion carries with it
COLUMN_REMEDY = (
    "run: python update_real_data.py; ask for fewer periods; "
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
    axis: Axis,
    periods: int,
    until: date,
) -> Values:
    """[periods] how many of these days, on the clocks of the zone, begin in each period, and 1 in all
    periods of such a day; NaN after the day `until`.
    """
    clocks = clocks_of(zone)
    at = np.arange(periods + 1)
    local = clocks.local(axis.starts(at)) // DAY
    if axis.timeline.frequency.seconds > DAY:
        numbers = np.array(sorted(_day_number(day) for day in days), dtype=np.int64)
        flags = np.diff(np.searchsorted(numbers, local)).astype(np.float64)
    else:
        flags = np.isin(local[:-1], [_day_number(day) for day in days]).astype(np.float64)
    flags[local[:-1] > _day_number(until)] = np.nan
    return flags


def _day_number(day: date) -> int:
    """Days since 1970 began."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


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
    """[n + horizon]; an hour without a value of its own takes an earlier one, for some periods."""
    # The hours just before the series may hold the value that its first hours take.
    longest = carried_periods(history.timeline)
    column = np.full(len(history) + horizon + longest, np.nan)
    position = history.timeline.numbers(hours.starts) - history.first + longest
    inside = (position >= 0) & (position < len(column))
    column[position[inside]] = hours.values[inside]
    carried = _carried(column, longest)
    return carried[longest:]


def carried_periods(timeline: Timeline) -> int:
    """How many periods a value of a column holds where no newer one comes."""
    return Cycles(timeline).days(CARRIED_DAYS)


def _carried(column: Values, longest: int) -> Values:
    """[n] the column with its holes filled by the value before them, at most `longest` periods old."""
    index = np.arange(len(column))
    # The index of the newest value so far, -1 before the first one.
    own = np.where(np.isnan(column), -1, index)
    newest = np.maximum.accumulate(own)
    age = index - newest
    holds = (newest >= 0) & (age < longest)
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
        axis=history.axis,
        periods=len(history) + horizon,
        until=until,
    )
    return replace(history, exogenous={**history.exogenous, HOLIDAY: flags})


def without_holidays(history: Grid) -> Grid:
    """The series with known holidays and the days around them missing; the same one where none are known."""
    flags = history.exogenous.get(HOLIDAY)
    if flags is None:
        return history
    reach = Cycles(history.timeline).days(FESTIVE_DAYS)
    days = np.flatnonzero(flags == 1)
    changes = np.zeros(len(flags) + 1)
    np.add.at(changes, np.maximum(days - reach, 0), 1)
    np.add.at(changes, np.minimum(days + reach + 1, len(flags)), -1)
    is_festive = np.cumsum(changes)[: len(history)] > 0
    return replace(history, values=np.where(is_festive, np.nan, history.values))


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
    return f"is not known for {len(missing)} of the {history.timeline.frequency.plural} {span}"


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
    plural = history.timeline.frequency.plural
    fewest = Cycles(history.timeline).days(FEWEST_DAYS)
    if len(values) < fewest:
        return f"known for {len(values)} {plural} before the backtest, {fewest} are the least to learn from"
    missing = gap(history, name, backtest_start, len(history) + horizon)
    if missing:
        return f"{missing}; backtest and forecast need it"
    if np.ptp(values) == 0:
        return "constant before the backtest: nothing can be learned from it"
    return ""


# Terms of a recipe --------------------------------------------------------------------------------


def terms(
    predictors: Predictors,
    columns: Mapping[str, Values],
    axis: Axis,
    at: Numbers,
) -> Values:
    """[*at.shape, terms] the dated terms of the calendar and those of the columns at the positions `at`."""
    parts = [dated_terms(predictors.calendar, axis, at)]
    for name in predictors.exogenous:
        column = columns[name]
        if name == HOLIDAY:
            parts.extend(_holiday_terms(column, axis, at))
        else:
            parts.append(column[at][..., None])
    return np.concatenate(parts, axis=-1)


def _holiday_terms(column: Values, axis: Axis, at: Numbers) -> list[Values]:
    """The terms of holidays, [*at.shape, terms] each: see `_holiday_width`.

    Within a day they count by hour of the day, for the holiday and for the day after it, where the
    lags of a day look back on the holiday. Daily: the holiday, the day after it and the day before.
    """
    today = column[at]
    frequency = axis.timeline.frequency
    if frequency.is_within_day:
        by_hour = np.eye(HOURS)[axis.hour(at)]
        yesterday = _beside(column, at, -(Cycles(axis.timeline).day or Cycles(axis.timeline).days(1)))
        return [today[..., None] * by_hour, yesterday[..., None] * by_hour]
    if frequency.unit == "D":
        days = [today, _beside(column, at, -1), _beside(column, at, 1)]
        return [np.stack(days, axis=-1)]
    return [today[..., None]]


def _beside(column: Values, at: Numbers, periods: int) -> Values:
    """The column so many periods away from each position; 0 beyond its ends."""
    position = at + periods
    inside = (position >= 0) & (position < len(column))
    return np.where(inside, column[np.clip(position, 0, len(column) - 1)], 0.0)


def _holiday_width(timeline: Timeline) -> int:
    """How many terms the column of holidays has."""
    if timeline.frequency.is_within_day:
        return 2 * HOURS
    return 3 if timeline.frequency.unit == "D" else 1


def scales(predictors: Predictors, learned: Values, timeline: Timeline) -> Values:
    """[terms] what each term is divided by before the penalty sees it: the standard deviation, 1
    for holidays and for terms of the calendar.

    `learned` [periods, terms] are the terms of the periods that a recipe learns from.
    """
    spread = [1.0] * width(predictors.calendar)
    for name in predictors.exogenous:
        if name == HOLIDAY:
            spread += [1.0] * _holiday_width(timeline)
        else:
            column = learned[:, len(spread)]
            spread.append(float(np.nanstd(column)) or 1.0)
    return np.array(spread)


# Assumptions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assumptions:
    """`shifts`: column -> what is added to its values ahead, in its unit. `columns`: column -> its values from the
    first forecast period on; what they do not reach stays as it is known. `newest`: values of the series after the
    stored ones, in its unit.
    """

    shifts: Mapping[str, float]
    columns: Mapping[str, Sequence[float]]
    newest: Sequence[float]

    def apply(self, history: Grid) -> Grid:
        """The history as it would be. It reaches as many periods further ahead as there are newest values."""
        count = len(history) + len(self.newest)
        values = np.concatenate([history.values, np.asarray(self.newest, dtype=np.float64)])
        exogenous = {name: self._changed(name, column, count) for name, column in history.exogenous.items()}
        return replace(history, values=values, exogenous=exogenous)

    def _changed(self, name: str, column: Values, count: int) -> Values:
        """A column [history + ahead] with its assumed values; `count` periods are past."""
        changed = column.copy()
        changed[count:] += self.shifts.get(name, 0.0)
        own = np.asarray(self.columns.get(name, ()), dtype=np.float64)[: len(changed) - count]
        changed[count : count + len(own)] = own
        return changed

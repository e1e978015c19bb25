"""A body that nobody described -> the keys of a `[series.NAME]` table, with the reason for each.

What only a person knows is raised as a QuestionError; its answer comes with the next call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from actioncast.arrays import Flags, Seconds, Values, np
from actioncast.ingestion.detection import (
    aggregates,
    keys,
    rhythm,
    texts,
    time_columns,
    trees,
    value_column,
    zones,
)
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.sheet import Sheet
from actioncast.ingestion.detection.stamps import DAY, Stamps
from actioncast.ingestion.detection.value_column import Column
from actioncast.ingestion.reading.rows import selected
from actioncast.ingestion.reading.unclear import UnclearError, examples
from actioncast.periods.frequency import parse_frequency
from actioncast.times import from_seconds

Keys = dict[str, Any]
Lines = list[str]  # what was detected, for a person


@dataclass(frozen=True)
class Proposal:
    """What a body was found to be."""

    form: str  # "json" or "csv"
    source: Keys  # of the source, without kind and address
    series: Keys  # of the series beside `source`
    lines: Lines
    newest: float  # unix seconds of the last point


@dataclass(frozen=True)
class Rows:
    """The rows of one series, in the order of the file."""

    where: Keys  # which rows these are
    stamps: Stamps
    column: Column

    @property
    def keys(self) -> Keys:
        """Of the source."""
        value = {"value": self.column.name, **self.column.figures.keys}
        where = {"where": self.where} if self.where else {}
        return {**self.stamps.keys, **value, **where}

    @property
    def lines(self) -> Lines:
        """What a person sees of them."""
        lines = [_time_line(self.stamps), self.column.line]
        if self.where:
            pairs = [f"{key} = {value}" for key, value in self.where.items()]
            lines.append("rows with " + ", ".join(pairs))
        return lines


def propose(body: bytes, answers: Answers) -> Proposal:
    """Raises UnclearError, NotHourlyError and QuestionError."""
    is_json = body.lstrip()[:1] in (b"{", b"[")
    if is_json:
        document = _document(body)
        sheet = _sheet_of_series(document, answers)
        return _of_sheet("json", sheet, answers)
    sheet = texts.sheet_of(body, answers)
    return _of_sheet("csv", sheet, answers)


def _document(body: bytes) -> Any:
    """A JSON document, or one in each line."""
    try:
        return from_json(body)
    except ValueError as error:
        fault = error
    lines = [line for line in body.splitlines() if line.strip()]
    try:
        return [from_json(line) for line in lines]
    except ValueError:
        raise UnclearError(f"JSON that is truncated or broken: {fault}") from None


def _sheet_of_series(document: Any, answers: Answers) -> Sheet:
    """The one part of a document that holds times and numbers; hourly ones come first."""
    possible: dict[str, Sheet] = {}
    hourly: dict[str, Sheet] = {}
    faults: list[UnclearError] = []
    for path, sheet in trees.sheets_of(document, answers).items():
        try:
            is_hourly = _is_hourly(sheet, answers)
        except UnclearError as error:
            faults.append(error)
            continue
        possible[path] = sheet
        if is_hourly:
            hourly[path] = sheet
    if not possible:
        raise faults[0]
    sheets = hourly or possible
    if len(sheets) > 1:
        question = "The document holds several lists; which one is the series?"
        raise QuestionError("records", question, list(sheets))
    return next(iter(sheets.values()))


def _is_hourly(sheet: Sheet, answers: Answers) -> bool:
    """Whether times come at least once an hour. Raises UnclearError where there are none."""
    try:
        stamps = time_columns.find(sheet.columns, answers)
    except QuestionError:
        return False
    return rhythm.is_hourly(stamps.seconds())


def _of_sheet(form: str, sheet: Sheet, answers: Answers) -> Proposal:
    rows = _rows(sheet, answers)
    clock = rows.stamps.seconds()
    ends, end_lines = rhythm.labels_key(
        clock,
        texts=rows.stamps.cells,
        name=rows.stamps.names[-1],
        answers=answers,
    )
    timezone, zone_lines = _timezone(rows, sheet, answers, is_end=bool(ends))
    zone = {} if timezone == "UTC" else {"timezone": timezone}
    backward, order_lines = _order_key(clock)
    seconds, numbers = _in_order(rows, timezone, is_backward=bool(backward))
    series, series_lines = _series_keys(seconds, numbers, rows.column.name, answers)
    unit = answers.get("unit") or rows.column.unit
    about_rows = [*sheet.lines, *rows.lines]
    about_times = [*zone_lines, *order_lines]
    return Proposal(
        form=form,
        source={**sheet.keys, **rows.keys, **zone, **backward},
        series={"unit": unit, **_zone_of_days(series, timezone, answers), **series, **ends},
        lines=[*about_rows, *about_times, *series_lines, *end_lines],
        newest=_newest(seconds, numbers),
    )


def _zone_of_days(series: Keys, timezone: str, answers: Answers) -> Keys:
    """`timezone` of the series, where its periods are days or longer and another zone than UTC is known."""
    frequency = parse_frequency(series.get("frequency", "1h"))
    zone = answers.get("timezone", timezone)
    return {} if frequency.is_within_day or zone == "UTC" else {"timezone": zone}


def _newest(seconds: Values, numbers: Values) -> float:
    """The last time that has a value."""
    has_value = np.isfinite(numbers)
    return float(np.nanmax(seconds[has_value]))


# The rows ----------------------------------------------------------------------------------------


def _rows(sheet: Sheet, answers: Answers) -> Rows:
    """The rows of the series. Raises UnclearError and QuestionError."""
    stamps = time_columns.find(sheet.columns, answers)
    time_and_value = list(stamps.names)
    if "value" in answers:
        time_and_value.append(answers["value"])
    where = keys.find(
        sheet.columns,
        seconds=stamps.seconds(),
        time_and_value=time_and_value,
        answers=answers,
    )
    columns = selected(sheet.columns, where)
    cells = time_columns.joined(columns, stamps.names)
    stamps_of_series = Stamps(stamps.names, stamps.form, cells)
    column = value_column.find(
        columns,
        times=stamps_of_series,
        where=where,
        answers=answers,
    )
    return Rows(where, stamps_of_series, column)


def _time_line(stamps: Stamps) -> str:
    columns = " + ".join(stamps.names)
    form = "in ISO 8601 or unix time"
    if stamps.form:
        form = f'written as "{stamps.form}"'
    example = examples([stamps.cells[0]])
    return f"time: {columns}, {form}, such as {example}"


def _timezone(
    rows: Rows,
    sheet: Sheet,
    answers: Answers,
    *,
    is_end: bool,
) -> tuple[str, Lines]:
    """The zone of the times, and why; UTC without words where the times say their offset."""
    stamps = rows.stamps
    if not stamps.is_naive:
        return "UTC", []
    if "timezone" not in answers and rhythm.are_dates(stamps.seconds()):
        return "UTC", ["a time names a day"]
    timezone, reason = zones.find(
        stamps.seconds(),
        names=stamps.names,
        surroundings=sheet.surroundings,
        answers=answers,
        is_end=is_end,
    )
    return timezone, [f"time zone {timezone}: {reason}"]


def _order_key(clock: Values) -> tuple[Keys, Lines]:
    """`newest_first`, and why."""
    steps = np.diff(clock[np.isfinite(clock)])
    backward = np.count_nonzero(steps < 0)
    if backward > 0.9 * len(steps):
        return {"newest_first": True}, ["the newest row comes first"]
    return {}, []


def _in_order(rows: Rows, timezone: str, *, is_backward: bool) -> tuple[Values, Values]:
    """Unix seconds and values [rows], the oldest first; NaN where there is none."""
    stamps = rows.stamps
    values: Sequence[float | None] = rows.column.figures.values
    if is_backward:
        stamps = Stamps(stamps.names, stamps.form, stamps.cells[::-1])
        values = values[::-1]
    numbers = [np.nan if value is None else value for value in values]
    return stamps.seconds(timezone), np.asarray(numbers)


# The points --------------------------------------------------------------------------------------


def _series_keys(
    seconds: Values,
    numbers: Values,
    name: str,
    answers: Answers,
) -> tuple[Keys, Lines]:
    """The keys of the series, and the words for them."""
    times, points = _points(seconds, numbers, answers)
    pace = rhythm.find(times)
    refuse_foreign_days(times, pace, answers)
    revisions = {}
    if "revisions" in answers:
        revisions["revisions"] = answers["revisions"]
    pace_keys, pace_lines = rhythm.points_keys(pace)
    aggregate, aggregate_lines = aggregates.find(
        points,
        name=name,
        rhythm=pace,
        answers=answers,
    )
    series = {**revisions, **pace_keys, **aggregate}
    lines = [*pace_lines, *aggregate_lines, _range_line(points)]
    return series, lines


def refuse_foreign_days(times: Seconds, pace: rhythm.Rhythm, answers: Answers) -> None:
    """Raises QuestionError where days and longer periods begin at another time than midnight of UTC."""
    if pace.frequency.is_within_day or "timezone" in answers or not (times % DAY).any():
        return
    first = from_seconds(int(times[0]))
    question = f"Values come at {first:%H:%M} UTC; in which zone do their days begin?"
    raise QuestionError("timezone", question, ["UTC"])


def _points(seconds: Values, numbers: Values, answers: Answers) -> tuple[Seconds, Values]:
    """Points that ascend, each time once: its last row counts.

    Raises QuestionError where one time has several values.
    """
    usable = np.isfinite(seconds) & np.isfinite(numbers)
    times = seconds[usable].astype(np.int64)
    values = numbers[usable]
    order = np.argsort(times, kind="stable")
    times = times[order]
    values = values[order]
    is_repeated = times[1:] == times[:-1]
    _refuse_different(values, is_repeated, answers)
    last = np.ones(len(times[:1]), dtype=np.bool_)
    keep = np.append(~is_repeated, last)
    return times[keep], values[keep]


def _refuse_different(values: Values, is_repeated: Flags, answers: Answers) -> None:
    """Raises QuestionError where a repeated time has another value, and no answer says which."""
    if "revisions" in answers or "aggregate" in answers:
        return
    is_different = values[1:] != values[:-1]
    count = int(np.count_nonzero(is_repeated & is_different))
    if count:
        fact = f"{count} times come with different values."
        question = f"{fact} Is the later row a correction (last)?"
        raise QuestionError("revisions", question, ["last"])


def _range_line(points: Values) -> str:
    line = f"values from {points.min():g} to {points.max():g}"
    negative = int(np.count_nonzero(points < 0))
    if negative:
        return f"{line}, {negative} of them below zero"
    return f"{line}, never below zero"

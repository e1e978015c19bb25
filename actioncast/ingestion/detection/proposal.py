"""A body that nobody described -> the keys of a `[series.NAME]` table, with the reason for each.

What only a person knows is raised as a QuestionError; its answer comes with the next call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from actioncast.arrays import Seconds, Values, np
from actioncast.ingestion.detection import figures, keys, rhythm, stamps, texts, trees, zones
from actioncast.ingestion.detection.figures import Figures
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.sheet import Cells, Sheet
from actioncast.ingestion.detection.stamps import Stamps
from actioncast.ingestion.reading import moments as moments_of_text
from actioncast.ingestion.reading.rows import selected
from actioncast.ingestion.reading.unclear import UnclearError, examples

BESIDE_THE_VALUE = re.compile(
    r"(^|_|\b)(id|lat|latitude|lon|lng|longitude|year|month|day|hour|minute|weekday|week|quality|flag|status|code|samples)$",
    re.IGNORECASE,
)
MOST_CODES = 31  # different ones, such as days of a month
UNIT = re.compile(r"[\[(]([^\])]{1,12})[\])]|(?:_|\b)([kMGT]?W(?:h)?|°C|vB/s|EUR/MWh|gCO2/kWh|m3/h|m3|%)$")


@dataclass(frozen=True)
class Proposal:
    """What a body was found to be."""

    form: str  # "json" or "csv"
    source: dict[str, Any]  # keys of the source, without kind and address
    series: dict[str, Any]  # keys of the series beside `source`
    lines: list[str]  # what was detected, for a person
    newest: float  # unix seconds of the last point


def propose(body: bytes, answers: Answers) -> Proposal:
    """Raises UnclearError, NotHourlyError and QuestionError."""
    if body.lstrip()[:1] in (b"{", b"["):
        return _of_json(_document(body), answers)
    return _of_sheet("csv", texts.sheet_of(body, answers), answers)


def _document(body: bytes) -> Any:
    """A JSON document, or one in each line."""
    try:
        return from_json(body)
    except ValueError as error:
        fault = error
    try:
        return [from_json(line) for line in body.splitlines() if line.strip()]
    except ValueError:
        raise UnclearError(f"JSON that is truncated or broken: {fault}") from None


def _of_json(document: Any, answers: Answers) -> Proposal:
    """The proposal of the one part of a document that holds times and numbers."""
    good: dict[str, Sheet] = {}
    hourly: dict[str, Sheet] = {}
    faults: list[UnclearError] = []
    for path, sheet in trees.sheets_of(document, answers).items():
        try:
            times = stamps.find(sheet.columns, answers).seconds()
        except QuestionError:
            good[path] = sheet
        except UnclearError as error:
            faults.append(error)
        else:
            good[path] = sheet
            if rhythm.is_hourly(times):
                hourly[path] = sheet
    if not good:
        raise faults[0]
    good = hourly or good
    if len(good) > 1:
        raise QuestionError("records", "The document holds several lists; which one is the series?", list(good))
    return _of_sheet("json", next(iter(good.values())), answers)


def _of_sheet(form: str, sheet: Sheet, answers: Answers) -> Proposal:
    moments = stamps.find(sheet.columns, answers)
    where = keys.find(sheet.columns, moments.seconds(), [*moments.names, *_of(answers, "value")], answers)
    chosen = selected(sheet.columns, where)
    name, numbers = _value(chosen, moments, where, answers)
    moments = Stamps(moments.names, moments.form, _cells_of(chosen, moments.names))
    source = {**sheet.keys, **moments.keys, "value": name, **numbers.keys}
    lines = [*sheet.lines, _time_line(moments), _value_line(name, numbers, chosen)]
    if where:
        source["where"] = where
        lines.append("rows with " + ", ".join(f"{key} = {value}" for key, value in where.items()))
    clock = moments.seconds()
    ends, words = rhythm.labels_key(clock, moments.cells, moments.names[-1], answers)
    timezone = "UTC"
    if moments.is_naive:
        timezone, reason = zones.find(clock, moments.names, sheet.beside, answers, is_end=bool(ends))
        lines.append(f"time zone {timezone}: {reason}")
        if timezone != "UTC":
            source["timezone"] = timezone
    if _runs_backward(clock):
        source["newest_first"] = True
        lines.append("the newest row comes first")
    ordered = Stamps(moments.names, moments.form, moments.cells[::-1]) if "newest_first" in source else moments
    values = numbers.values[::-1] if "newest_first" in source else numbers.values
    seconds = ordered.seconds(timezone)
    series, more = _series_keys(seconds, values, name, answers)
    return Proposal(
        form=form,
        source=source,
        series={"unit": answers.get("unit") or _unit(name, numbers), **series, **ends},
        lines=[*lines, *more, *words],
        newest=_newest(seconds, values),
    )


def _newest(seconds: Values, values: Sequence[float | None]) -> float:
    """The last time that has a value."""
    has_value = np.asarray([value is not None for value in values])
    return float(np.nanmax(seconds[has_value]))


def _of(answers: Answers, flag: str) -> list[str]:
    return [answers[flag]] if flag in answers else []


def _cells_of(columns: Mapping[str, Sequence[Any]], names: Sequence[str]) -> Sequence[Any]:
    return moments_of_text.joined([columns[name] for name in names])


# The value ---------------------------------------------------------------------------------------


def _value(
    columns: Mapping[str, Cells],
    moments: Stamps,
    where: Mapping[str, Any],
    answers: Answers,
) -> tuple[str, Figures]:
    """The column of values and its numbers. Raises QuestionError where there are several."""
    if "value" in answers:
        name = answers["value"]
        if name not in columns:
            raise UnclearError(f"there is no column {name!r}; there are: {', '.join(columns)}")
        numbers = figures.find(name, columns[name], answers)
        if numbers is None:
            raise UnclearError(f"the column {name!r} holds no numbers that can be read: {examples(columns[name])}")
        return name, numbers
    names = [name for name in columns if name not in moments.names and name not in where]
    clock = Stamps(moments.names, moments.form, _cells_of(columns, moments.names)).seconds()
    possible = [name for name in names if _can_be_value(name, columns[name])]
    possible = [name for name in possible if not _is_beside(name, columns[name], clock)] or possible
    if not possible:
        others = "; ".join(f"{name!r} with {examples(columns[name])}" for name in names)
        raise UnclearError(f"no column of numbers that can be read lies beside the time {moments.names[0]!r}: {others}")
    if len(possible) > 1:
        rhythm.refuse_seldom(clock, columns=len(possible))
    if len(possible) > 1:
        raise QuestionError("value", "Several columns hold numbers; which one is the series?", possible)
    numbers = figures.find(possible[0], columns[possible[0]], answers)
    assert numbers is not None
    return possible[0], numbers


def _can_be_value(name: str, cells: Cells) -> bool:
    """Whether a column holds numbers that are no times and no numbers of rows."""
    try:
        numbers = figures.find(name, cells, {})
    except QuestionError:
        return True
    if numbers is None or stamps.find_form(cells):
        return False
    values = np.asarray([value for value in numbers.values if value is not None])
    return not (len(values) > 2 and (np.diff(values) == 1).all())


def _is_beside(name: str, cells: Cells, clock: Values) -> bool:
    """Whether the numbers are not measured: a part of the time, a constant, or a code, as its name says."""
    different = {str(cell).strip() for cell in cells}
    is_code = bool(BESIDE_THE_VALUE.search(name)) and len(different) <= MOST_CODES
    return len(different) <= 2 or is_code or _is_of_the_clock(cells, clock)


def _is_of_the_clock(cells: Cells, clock: Values) -> bool:
    """Whether whole numbers are the same at the same time of each day, as numbers of hours and periods are."""
    texts = [str(cell).strip() for cell in cells]
    if not all(text.isdecimal() for text in texts):
        return False
    numbers = np.asarray(texts, dtype=np.float64)
    times = clock % stamps.DAY
    pairs = np.unique(np.stack([times, numbers]), axis=1)
    several_days = len(numbers) >= 3 * len(np.unique(times))
    return bool(several_days and pairs.shape[1] == len(np.unique(times)) > 1)


def _unit(name: str, numbers: Figures) -> str:
    """The unit that the name or the values say; otherwise the name."""
    match = UNIT.search(name)
    unit = match and (match[1] or match[2])
    return str(unit or numbers.keys.get("strip") or name)


def _time_line(moments: Stamps) -> str:
    written = f'written as "{moments.form}"' if moments.form else "in ISO 8601 or unix time"
    return f"time: {' + '.join(moments.names)}, {written}, such as {examples([moments.cells[0]])}"


def _value_line(name: str, numbers: Figures, columns: Mapping[str, Sequence[Any]]) -> str:
    signs = ", ".join(f"{key} {value!r}" for key, value in numbers.keys.items())
    line = f"value: {name}, such as {examples([columns[name][0]])}"
    return f"{line} ({signs})" if signs else line


# The points --------------------------------------------------------------------------------------


def _runs_backward(clock: Values) -> bool:
    steps = np.diff(clock[np.isfinite(clock)])
    return bool(np.count_nonzero(steps < 0) > 0.9 * len(steps))


def _series_keys(
    seconds: Values,
    values: Sequence[float | None],
    name: str,
    answers: Answers,
) -> tuple[dict[str, Any], list[str]]:
    """The keys of the series, and the words for them."""
    numbers = np.asarray([np.nan if value is None else value for value in values])
    series: dict[str, Any] = {}
    lines: list[str] = []
    if "revisions" in answers:
        series["revisions"] = answers["revisions"]
    times, points = _points(seconds, numbers, answers)
    pace = rhythm.find(times)
    for keys_of_series, words in (
        rhythm.points_keys(pace),
        rhythm.aggregate_key(points, name, pace, answers),
    ):
        series |= keys_of_series
        lines += words
    lines.append(_range_line(points))
    return series, lines


def _points(seconds: Values, numbers: Values, answers: Answers) -> tuple[Seconds, Values]:
    """Points that ascend, each time once. Raises QuestionError where one time has several values."""
    usable = np.isfinite(seconds) & np.isfinite(numbers)
    times = seconds[usable].astype(np.int64)
    values = numbers[usable]
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    same = times[1:] == times[:-1]
    differ = int(np.count_nonzero(same & (values[1:] != values[:-1])))
    if differ and not {"revisions", "aggregate"} & set(answers):
        raise QuestionError(
            "revisions",
            f"{differ} times come with different values. Is the later row a correction (last)?",
            ["last"],
        )
    keep = np.append(~same, np.ones(len(times[:1]), dtype=np.bool_))
    return times[keep], values[keep]


def _range_line(points: Values) -> str:
    line = f"values from {points.min():g} to {points.max():g}"
    negative = int(np.count_nonzero(points < 0))
    if negative:
        return f"{line}, {negative} of them below zero"
    return f"{line}, never below zero"

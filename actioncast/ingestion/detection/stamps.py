"""Which columns hold the time, and how it is written.

A form is certain when it reads all times and no other form reads them differently. Day before month
and month before day are told apart by a day above 12, or by times that are regular in one of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from actioncast.arrays import Flags, Values, np
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.sheet import Cells
from actioncast.ingestion.reading import forms, moments
from actioncast.ingestion.reading.unclear import UnclearError, examples
from actioncast.source_fields import DAY_NUMBERS, TabularFields
from actioncast.times import HOUR, HOURS_PER_DAY

DAY = HOURS_PER_DAY * HOUR
SAMPLE = 300  # cells that a form is tried on first
LEAST_SHARE = 0.98  # of the cells are times, in a column of times: a unit below the header is none
YEARS = (631_152_000, 2_208_988_800)  # unix seconds of 1990 and 2040
REGULAR = 0.9  # of the steps are alike
COVERED = 0.5  # of the span is filled by times in the right order of day and month ...
SCATTERED = 0.2  # ... and hardly any of it in the wrong one
FEWEST_DAYS = 3  # to tell the two
PARTS = (  # names of columns that hold a part of the time each
    ("year", "yr", "yyyy", "jahr", "ano", "año", "annee", "année"),
    ("month", "mon", "mo", "mm", "monat", "mes", "mois"),
    ("day", "dy", "dd", "tag", "dia", "día", "jour"),
    ("hour", "hr", "hh", "stunde", "hora", "heure"),
)
BEGINS = re.compile(r"start|begin|from|von|desde|debut|début|inicio", re.IGNORECASE)
ENDS = re.compile(r"\bends?\b|_end|end_|ending|until|\bto\b|\bbis\b|hasta", re.IGNORECASE)
IS_UTC = re.compile(r"(?<![a-z])(utc|gmt|zulu)(?![a-z]| ?[+-]\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Stamps:
    """The time of each row."""

    names: tuple[str, ...]  # of one column, or of several that are read as one text
    form: str  # date_format; empty is ISO 8601 or unix time
    cells: Sequence[Any]

    def seconds(self, timezone: str = "UTC") -> Values:
        """Unix seconds [rows], NaN where there is no time."""
        seconds = seconds_of(self.cells, self.form, timezone)
        if seconds is None:
            return np.full(len(self.cells), np.nan)
        return seconds

    @property
    def is_naive(self) -> bool:
        """Whether the time of day is that of some clock."""
        sample = _sample(self.cells)
        in_utc = seconds_of(sample, self.form, "UTC")
        in_tokyo = seconds_of(sample, self.form, "Asia/Tokyo")
        return in_utc is None or in_tokyo is None or not np.array_equal(in_utc, in_tokyo, equal_nan=True)

    @property
    def keys(self) -> dict[str, Any]:
        """Of the source."""
        name = self.names[0] if len(self.names) == 1 else list(self.names)
        keys: dict[str, Any] = {"timestamp": name}
        if self.form:
            keys["date_format"] = self.form
        if self.form in DAY_NUMBERS and any("," in str(cell) for cell in self.cells):
            keys["decimal"] = ","
        return keys


def seconds_of(cells: Sequence[Any], form: str, timezone: str = "UTC") -> Values | None:
    """Unix seconds [rows], NaN where a cell is no time; None where this form does not read them."""
    decimal = "," if form in DAY_NUMBERS else None  # reads a dot as well
    fields = TabularFields(date_format=form, timezone=timezone, decimal=decimal)
    readings = _readings(cells, fields)
    if readings is None:  # 24:00 is the end of a period
        readings = _readings(cells, fields.model_copy(update={"stamps": "end"}))
    if readings is None:
        return None
    numbers = [reading if isinstance(reading, int | float) else np.nan for reading in readings]
    return np.asarray(numbers, dtype=np.float64)


def _readings(cells: Sequence[Any], fields: TabularFields) -> list[object] | None:
    try:
        return moments.read(cells, fields)
    except UnclearError:
        return None


def find(columns: Mapping[str, Cells], answers: Answers) -> Stamps:
    """The column of times, or several that make one. Raises UnclearError and QuestionError."""
    if "timestamp" in answers:
        return _named(columns, answers)
    whole = [stamps for name, cells in columns.items() if (stamps := _stamps((name,), cells, answers))]
    if len(whole) == 1 and _is_date_alone(whole[0]):
        whole = [_with_time_of_day(whole[0], columns, answers) or whole[0]]
    if not whole:
        parts = _of_parts(columns, answers)
        whole = [parts] if parts else []
    if not whole:
        raise UnclearError(f"no column of times was found; the columns are {_described(columns)}")
    return _first_of_each_row(whole)


def _described(columns: Mapping[str, Cells]) -> str:
    return "; ".join(f"{name!r} with {examples(cells)}" for name, cells in list(columns.items())[:6])


def _named(columns: Mapping[str, Cells], answers: Answers) -> Stamps:
    """The column, or the columns with commas between, that a person named."""
    text = answers["timestamp"]
    names = (text,) if text in columns else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in columns:
            raise UnclearError(f"there is no column {name!r}; there are: {', '.join(columns)}")
    stamps = _stamps(names, _joined(columns, names), answers)
    if stamps is None:
        raise UnclearError(f"the column {text!r} holds no times: {examples(_joined(columns, names))}")
    return stamps


def _joined(columns: Mapping[str, Cells], names: Sequence[str]) -> Sequence[Any]:
    return moments.joined([columns[name] for name in names])


# How a column is written -------------------------------------------------------------------------


def _stamps(names: tuple[str, ...], cells: Sequence[Any], answers: Answers) -> Stamps | None:
    """The times of a column; None where it holds none. Raises QuestionError where two forms fit."""
    if "date_format" in answers:
        form = answers["date_format"]
        return Stamps(names, form, cells) if _reads(cells, form) else None
    possible = [form for form in _forms(_sample(cells)) if _reads(cells, form)]
    if not possible:
        return None
    return Stamps(names, _clear_form(names, cells, possible), cells)


def _sample(cells: Sequence[Any]) -> list[Any]:
    """Some of the cells, first and last among them."""
    present = [cell for cell in cells if cell not in (None, "")]
    step = max(1, len(present) // SAMPLE)
    return [*present[::step], *present[-1:]]


def _forms(sample: Sequence[Any]) -> Iterator[str]:
    """The forms that can be meant."""
    if not sample:
        return
    numeric = all(_is_number(cell) for cell in sample)
    if numeric:
        yield from _forms_of_numbers(sample)
        return
    if not all(isinstance(cell, str) for cell in sample):
        return
    if seconds_of(sample, "") is not None:
        yield ""
        return
    yield from moments.forms_of(sample)


def _is_number(cell: Any) -> bool:
    if isinstance(cell, bool):
        return False
    if isinstance(cell, int | float):
        return True
    return re.fullmatch(r"\s*\d+([.,]\d*)?\s*", str(cell)) is not None


def _forms_of_numbers(sample: Sequence[Any]) -> Iterator[str]:
    """Numbers are times only where they run on as times do: a load of 45,000 MW is no day of a spreadsheet."""
    texts = [str(cell).strip().replace(",", ".") for cell in sample]
    form = forms.of_number(texts[0])
    candidates = [form] if form else ["", "unix_ms", "unix"]
    for candidate in candidates:
        seconds = seconds_of(texts, candidate)
        if seconds is not None and _runs_on(seconds):
            yield candidate
            return


def _runs_on(seconds: Values) -> bool:
    """Whether moments lie in our time, go one way for long stretches, and are not steadily the same."""
    if np.isnan(seconds).any() or seconds.min() < YEARS[0] or seconds.max() > YEARS[1]:
        return False
    steps = np.diff(seconds)
    forward = np.count_nonzero(steps > 0)
    backward = np.count_nonzero(steps < 0)
    return bool(min(forward, backward) <= 0.1 * len(steps) and forward + backward)


def _reads(cells: Sequence[Any], form: str) -> bool:
    """Whether this form reads nearly all cells that are not empty."""
    seconds = seconds_of(cells, form)
    if seconds is None:
        return False
    present = sum(cell not in (None, "") for cell in cells)
    recognised = np.count_nonzero(np.isfinite(seconds))
    return present > 0 and bool(recognised >= LEAST_SHARE * present)


def _clear_form(names: tuple[str, ...], cells: Sequence[Any], possible: Sequence[str]) -> str:
    """The only form, or the only one in which the times are regular."""
    readings: dict[bytes, str] = {}
    coverage: dict[str, float] = {}
    for form in possible:
        seconds = seconds_of(cells, form)
        if seconds is not None and readings.setdefault(seconds.tobytes(), form) == form:
            coverage[form] = _coverage(seconds)
    if len(coverage) == 1:
        return next(iter(coverage))
    best, second = sorted(coverage, key=lambda form: coverage[form])[::-1][:2]
    if coverage[best] >= COVERED and coverage[second] <= SCATTERED:
        return best
    raise QuestionError(
        "date_format",
        f"The times of {' + '.join(names)} can be read in {len(coverage)} ways, such as {examples(_sample(cells))}: "
        "is the day or the month first?",
        list(coverage),
    )


def _coverage(seconds: Values) -> float:
    """The share of the span that the times fill at their typical step; none of less than three days."""
    times = np.unique(seconds[np.isfinite(seconds)])
    span = float(np.ptp(times)) if len(times) else 0.0
    return len(times) * float(np.median(np.diff(times))) / span if span >= FEWEST_DAYS * DAY else 0.0


def regular_share(seconds: Values) -> float:
    """The share of the steps between different times that are the commonest one."""
    times = np.unique(seconds[np.isfinite(seconds)])
    steps = np.diff(times)
    if not len(steps):
        return 1.0
    _, counts = np.unique(steps, return_counts=True)
    return float(counts.max() / len(steps))


# Several columns ---------------------------------------------------------------------------------


def _is_date_alone(stamps: Stamps) -> bool:
    """Whether each row has a date only, and dates repeat."""
    seconds = stamps.seconds()
    seconds = seconds[np.isfinite(seconds)]
    return bool((seconds % DAY == 0).all() and len(np.unique(seconds)) < len(seconds))


def _with_time_of_day(date: Stamps, columns: Mapping[str, Cells], answers: Answers) -> Stamps | None:
    """The date with the column that holds the hour, or the time of day; None where there is none."""
    for name, cells in columns.items():
        if name in date.names or not _is_time_of_day(cells):
            continue
        names = (*date.names, name)
        stamps = _stamps(names, _joined(columns, names), answers)
        if stamps is not None and regular_share(stamps.seconds()) >= REGULAR:
            return stamps
    return None


def _is_time_of_day(cells: Cells) -> bool:
    """Whether the cells can be hours, or times without a date."""
    form = re.compile(r"\D{0,3}\d{1,2}([:.]?\d{2}([:.]\d{2})?)?(\.0)?( ?[aApP]\.?[mM]\.?)?")
    texts = [str(cell).strip() for cell in _sample(cells)]
    return len(set(texts)) > 2 and all(form.fullmatch(text) for text in texts)


def _of_parts(columns: Mapping[str, Cells], answers: Answers) -> Stamps | None:
    """Year, month, day and hour in a column each; None where they are not."""
    lower = {name.strip().lower(): name for name in columns}
    names = []
    for part in PARTS:
        names += [lower[name] for name in part if name in lower][:1]
    if len(names) < len(PARTS):
        return None
    return _stamps(tuple(names), _joined(columns, names), {"date_format": "%Y %m %d %H", **answers})


def _first_of_each_row(whole: Sequence[Stamps]) -> Stamps:
    """Of several columns of times the one that a row is about.

    Of the begin and the end of a period it is the begin. Raises QuestionError where nothing says which.
    """
    if len(whole) == 1:
        return whole[0]
    for first, second in permutations(whole, 2):
        same = len(whole) == 2 and np.array_equal(first.seconds(), second.seconds(), equal_nan=True)
        is_period = len(whole) == 2 and _is_after(second, first)
        if same or is_period:
            return first
    steady = [stamps for stamps in whole if 2 * len(np.unique(stamps.seconds())) < len(stamps.cells)]
    changing = [stamps for stamps in whole if stamps not in steady]
    if len(changing) == 1:
        return changing[0]
    in_utc = [stamps for stamps in whole if IS_UTC.search(stamps.names[0]) or not stamps.is_naive]
    if len(in_utc) == 1:
        return in_utc[0]
    names = [stamps.names[0] for stamps in whole]
    raise QuestionError("timestamp", "Several columns hold times; which one is that of the value?", names)


def _is_after(second: Stamps, first: Stamps) -> bool:
    """Whether one column is the end of the period that begins in the other, as their names say."""
    is_named = BEGINS.search(first.names[0]) or ENDS.search(second.names[0])
    lengths = second.seconds() - first.seconds()
    lengths = lengths[np.isfinite(lengths)]
    steps: Flags = lengths > 0
    return bool(is_named and len(lengths) and steps.all() and lengths.max() <= DAY and np.ptp(lengths) <= HOUR)


def find_form(cells: Cells) -> bool:
    """Whether a column holds times."""
    return any(_reads(cells, form) for form in _forms(_sample(cells)))

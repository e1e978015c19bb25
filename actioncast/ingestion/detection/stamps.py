"""How the times of a column are written.

A form is certain when it reads all times and no other form reads them differently. Day before month
and month before day are told apart by a day above 12, or by times that are regular in one of the
two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.arrays import Values, np
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.sheet import Cells
from actioncast.ingestion.reading import forms, moments
from actioncast.ingestion.reading.unclear import UnclearError, examples
from actioncast.source_fields import DAY_NUMBERS, TabularFields
from actioncast.times import HOUR, HOURS_PER_DAY

DAY = HOURS_PER_DAY * HOUR
SAMPLE = 300  # cells that a form is tried on first
LEAST_SHARE = 0.98  # of the cells are times, in a column of times: a unit below the header is none
FIRST_TIME = 631_152_000  # unix seconds of 1990
LAST_TIME = 2_208_988_800  # unix seconds of 2040
MOST_TURNS = 0.1  # of the steps go the other way, in a column of times
REGULAR = 0.9  # of the steps are alike
COVERED = 0.5  # of the span is filled by times in the right order of day and month ...
SCATTERED = 0.2  # ... and hardly any of it in the wrong one
FEWEST_DAYS = 3  # to tell the two
BEGINS = re.compile(
    r"start|begin|from|von|desde|debut|début|inicio",
    re.IGNORECASE,
)
ENDS = re.compile(
    r"\bends?\b|_end|end_|ending|until|\bto\b|\bbis\b|hasta",
    re.IGNORECASE,
)
IS_UTC = re.compile(
    r"(?<![a-z])(utc|gmt|zulu)(?![a-z]| ?[+-]\d)",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\s*\d+([.,]\d*)?\s*")


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
        if in_utc is None or in_tokyo is None:
            return True
        return not np.array_equal(in_utc, in_tokyo, equal_nan=True)

    @property
    def keys(self) -> dict[str, Any]:
        """Of the source."""
        keys: dict[str, Any] = {}
        if len(self.names) == 1:
            keys["timestamp"] = self.names[0]
        else:
            keys["timestamp"] = list(self.names)
        if self.form:
            keys["date_format"] = self.form
        if self.form in DAY_NUMBERS and self._has_comma:
            keys["decimal"] = ","
        return keys

    @property
    def _has_comma(self) -> bool:
        return any("," in str(cell) for cell in self.cells)


def seconds_of(cells: Sequence[Any], form: str, timezone: str = "UTC") -> Values | None:
    """Unix seconds [rows], NaN where a cell is no time; None where this form does not read them."""
    fields = TabularFields(
        date_format=form,
        timezone=timezone,
        decimal="," if form in DAY_NUMBERS else None,  # reads a dot as well
    )
    readings = _readings(cells, fields)
    if readings is None:  # 24:00 is the end of a period
        fields_of_ends = fields.model_copy(update={"stamps": "end"})
        readings = _readings(cells, fields_of_ends)
    if readings is None:
        return None
    seconds = []
    for reading in readings:
        is_time = isinstance(reading, int | float)
        seconds.append(reading if is_time else np.nan)
    return np.asarray(seconds, dtype=np.float64)


def _readings(cells: Sequence[Any], fields: TabularFields) -> list[object] | None:
    try:
        return moments.read(cells, fields)
    except UnclearError:
        return None


def stamps_of(names: tuple[str, ...], cells: Sequence[Any], answers: Answers) -> Stamps | None:
    """The times of a column; None where it holds none.

    Raises QuestionError where two forms fit.
    """
    if "date_format" in answers:
        form = answers["date_format"]
        if not _reads(cells, form):
            return None
        return Stamps(names, form, cells)
    candidates = _forms(_sample(cells))
    possible = [form for form in candidates if _reads(cells, form)]
    if not possible:
        return None
    form = _clear_form(names, cells, possible)
    return Stamps(names, form, cells)


def are_times(cells: Cells) -> bool:
    """Whether a column holds times."""
    candidates = _forms(_sample(cells))
    return any(_reads(cells, form) for form in candidates)


def sample_texts(cells: Sequence[Any]) -> list[str]:
    """Some of the cells as texts without blanks around them."""
    return [str(cell).strip() for cell in _sample(cells)]


def _sample(cells: Sequence[Any]) -> list[Any]:
    """Some of the cells, first and last among them."""
    present = [cell for cell in cells if cell not in (None, "")]
    step = max(1, len(present) // SAMPLE)
    return [*present[::step], *present[-1:]]


# The forms that can be meant ---------------------------------------------------------------------


def _forms(sample: Sequence[Any]) -> Iterator[str]:
    """The forms that can be meant."""
    if not sample:
        return
    if all(_is_number(cell) for cell in sample):
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
    match = NUMBER.fullmatch(str(cell))
    return match is not None


def _forms_of_numbers(sample: Sequence[Any]) -> Iterator[str]:
    """The form of numbers that run on as times do.

    A load of 45,000 MW is no day of a spreadsheet.
    """
    texts = [str(cell).strip().replace(",", ".") for cell in sample]
    form = forms.of_number(texts[0])
    candidates = [form] if form else ["", "unix_ms", "unix"]
    for candidate in candidates:
        seconds = seconds_of(texts, candidate)
        if seconds is not None and _runs_on(seconds):
            yield candidate
            return


def _runs_on(seconds: Values) -> bool:
    """Whether moments lie in our time, go one way for long, and are not steadily the same."""
    if np.isnan(seconds).any():
        return False
    if seconds.min() < FIRST_TIME or seconds.max() > LAST_TIME:
        return False
    steps = np.diff(seconds)
    forward = np.count_nonzero(steps > 0)
    backward = np.count_nonzero(steps < 0)
    if not forward and not backward:
        return False
    turns = min(forward, backward)
    return bool(turns <= MOST_TURNS * len(steps))


def _reads(cells: Sequence[Any], form: str) -> bool:
    """Whether this form reads nearly all cells that are not empty."""
    seconds = seconds_of(cells, form)
    if seconds is None:
        return False
    present = sum(cell not in (None, "") for cell in cells)
    if not present:
        return False
    recognised = np.count_nonzero(np.isfinite(seconds))
    return bool(recognised >= LEAST_SHARE * present)


# Which of several forms --------------------------------------------------------------------------


def _clear_form(names: tuple[str, ...], cells: Sequence[Any], possible: Sequence[str]) -> str:
    """The only form, or the only one in which the times are regular."""
    coverage = _coverage_of_forms(cells, possible)
    if len(coverage) == 1:
        return next(iter(coverage))
    ascending = sorted(coverage, key=lambda form: coverage[form])
    best = ascending[-1]
    second = ascending[-2]
    if coverage[best] >= COVERED and coverage[second] <= SCATTERED:
        return best
    raise _day_or_month(names, cells, list(coverage))


def _day_or_month(names: Sequence[str], cells: Sequence[Any], choices: list[str]) -> QuestionError:
    columns = " + ".join(names)
    times = examples(_sample(cells))
    fact = f"The times of {columns} can be read in {len(choices)} ways, such as {times}"
    question = f"{fact}: is the day or the month first?"
    return QuestionError("date_format", question, choices)


def _coverage_of_forms(cells: Sequence[Any], possible: Sequence[str]) -> dict[str, float]:
    """Form -> coverage, for the first of the forms that read the same times."""
    readings: set[bytes] = set()
    coverage: dict[str, float] = {}
    for form in possible:
        seconds = seconds_of(cells, form)
        if seconds is None:
            continue
        reading = seconds.tobytes()
        if reading not in readings:
            readings.add(reading)
            coverage[form] = _coverage(seconds)
    return coverage


def _coverage(seconds: Values) -> float:
    """The share of the span that the times fill at their typical step.

    It is zero for a span of less than three days.
    """
    times = np.unique(seconds[np.isfinite(seconds)])
    if not len(times):
        return 0.0
    span = float(np.ptp(times))
    if span < FEWEST_DAYS * DAY:
        return 0.0
    step = float(np.median(np.diff(times)))
    return len(times) * step / span


def regular_share(seconds: Values) -> float:
    """The share of the steps between different times that are the commonest one."""
    times = np.unique(seconds[np.isfinite(seconds)])
    steps = np.diff(times)
    if not len(steps):
        return 1.0
    _, counts = np.unique(steps, return_counts=True)
    return float(counts.max() / len(steps))

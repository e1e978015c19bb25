"""Which column holds the values of a series, beside its time."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.arrays import Values, np
from actioncast.ingestion.detection import figures, rhythm, stamps
from actioncast.ingestion.detection.figures import Figures
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.sheet import Cells
from actioncast.ingestion.detection.stamps import Stamps
from actioncast.ingestion.reading.unclear import UnclearError, examples

NOT_MEASURED = re.compile(
    r"(^|_|\b)("
    r"id|lat|latitude|lon|lng|longitude|"
    r"year|month|day|hour|minute|weekday|week|"
    r"quality|flag|status|code|samples"
    r")$",
    re.IGNORECASE,
)
MOST_CODES = 31  # different ones, such as days of a month
UNIT = re.compile(
    r"[\[(]([^\])]{1,12})[\])]|"  # in brackets, or at the end
    r"(?:_|\b)([kMGT]?W(?:h)?|°C|vB/s|EUR/MWh|gCO2/kWh|m3/h|m3|%)$"
)


@dataclass(frozen=True)
class Column:
    """A column of values."""

    name: str
    cells: Cells
    figures: Figures

    @property
    def unit(self) -> str:
        """The unit that the name or the values say; otherwise the name."""
        match = UNIT.search(self.name)
        if match:
            in_brackets, at_end = match.groups()
            return str(in_brackets or at_end)
        return self.figures.keys.get("strip") or self.name

    @property
    def line(self) -> str:
        """What a person sees of the column."""
        signs = [f"{key} {value!r}" for key, value in self.figures.keys.items()]
        example = examples([self.cells[0]])
        line = f"value: {self.name}, such as {example}"
        if not signs:
            return line
        return f"{line} ({', '.join(signs)})"


def find(
    columns: Mapping[str, Cells],
    times: Stamps,
    where: Mapping[str, Any],
    answers: Answers,
) -> Column:
    """The column of values. Raises QuestionError where there are several."""
    if "value" in answers:
        return _column_of_answer(columns, answers)
    others = {*times.names, *where}
    names = [name for name in columns if name not in others]
    clock = times.seconds()
    candidates = _candidates(columns, names, clock)
    if not candidates:
        raise _no_numbers(columns, names, times)
    if len(candidates) > 1:
        rhythm.refuse_seldom(clock, columns=len(candidates))
        question = "Several columns hold numbers; which one is the series?"
        raise QuestionError("value", question, candidates)
    name = candidates[0]
    numbers = figures.find(name, columns[name], answers)
    assert numbers is not None
    return Column(name, columns[name], numbers)


def _column_of_answer(columns: Mapping[str, Cells], answers: Answers) -> Column:
    """The column that a person named."""
    name = answers["value"]
    if name not in columns:
        existing = ", ".join(columns)
        raise UnclearError(f"there is no column {name!r}; there are: {existing}")
    cells = columns[name]
    numbers = figures.find(name, cells, answers)
    if numbers is None:
        texts = examples(cells)
        raise UnclearError(f"the column {name!r} holds no numbers that can be read: {texts}")
    return Column(name, cells, numbers)


def _candidates(columns: Mapping[str, Cells], names: Sequence[str], clock: Values) -> list[str]:
    """The columns of numbers that are measured; where there are none, those of any numbers."""
    numeric = [name for name in names if _can_be_value(name, columns[name])]
    measured = [name for name in numeric if _is_measured(name, columns[name], clock)]
    return measured or numeric


def _no_numbers(
    columns: Mapping[str, Cells],
    names: Collection[str],
    times: Stamps,
) -> UnclearError:
    others = [f"{name!r} with {examples(columns[name])}" for name in names]
    fault = "no column of numbers that can be read lies beside the time"
    return UnclearError(f"{fault} {times.names[0]!r}: {'; '.join(others)}")


def _can_be_value(name: str, cells: Cells) -> bool:
    """Whether a column holds numbers that are no times and no numbers of rows."""
    try:
        numbers = figures.find(name, cells, {})
    except QuestionError:
        return True
    if numbers is None:
        return False
    if stamps.are_times(cells):
        return False
    values = [value for value in numbers.values if value is not None]
    if len(values) <= 2:
        return True
    steps = np.diff(np.asarray(values))
    return bool((steps != 1).any())


def _is_measured(name: str, cells: Cells, clock: Values) -> bool:
    """Whether the numbers are no part of the time, no constant, and no code, as its name says."""
    different = len({str(cell).strip() for cell in cells})
    if different <= 2:
        return False
    if NOT_MEASURED.search(name) and different <= MOST_CODES:
        return False
    return not _is_of_the_clock(cells, clock)


def _is_of_the_clock(cells: Cells, clock: Values) -> bool:
    """Whether whole numbers are the same at the same time of each day.

    Numbers of hours and periods are.
    """
    texts = [str(cell).strip() for cell in cells]
    if not all(text.isdecimal() for text in texts):
        return False
    numbers = np.asarray(texts, dtype=np.float64)
    times = clock % stamps.DAY
    times_of_day = len(np.unique(times))
    if times_of_day <= 1:
        return False
    if len(numbers) < 3 * times_of_day:
        return False
    rows = np.stack([times, numbers])
    pairs = np.unique(rows, axis=1)
    return int(pairs.shape[1]) == times_of_day

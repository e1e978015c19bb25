"""Which columns hold the time: one, a date beside its time of day, or year, month, day and hour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

from actioncast.arrays import np
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.sheet import Cells
from actioncast.ingestion.detection.stamps import (
    BEGINS,
    DAY,
    ENDS,
    IS_UTC,
    REGULAR,
    Stamps,
    regular_share,
    sample_texts,
    stamps_of,
)
from actioncast.ingestion.reading import moments
from actioncast.ingestion.reading.unclear import UnclearError, examples
from actioncast.times import HOUR

SHOWN_COLUMNS = 6  # in a message
PARTS = (  # names of columns that hold a part of the time each
    ("year", "yr", "yyyy", "jahr", "ano", "año", "annee", "année"),
    ("month", "mon", "mo", "mm", "monat", "mes", "mois"),
    ("day", "dy", "dd", "tag", "dia", "día", "jour"),
    ("hour", "hr", "hh", "stunde", "hora", "heure"),
)
FORM_OF_PARTS = "%Y %m %d %H"
TIME_OF_DAY = re.compile(
    r"\D{0,3}\d{1,2}"
    r"([:.]?\d{2}([:.]\d{2})?)?"
    r"(\.0)?"
    r"( ?[aApP]\.?[mM]\.?)?"
)


def find(columns: Mapping[str, Cells], answers: Answers) -> Stamps:
    """The column of times, or several that make one. Raises UnclearError and QuestionError."""
    if "timestamp" in answers:
        return _column_of_answer(columns, answers)
    candidates = _single_columns(columns, answers)
    if not candidates:
        parts = _of_parts(columns, answers)
        if parts is None:
            described = _described(columns)
            raise UnclearError(f"no column of times was found; the columns are {described}")
        return parts
    if len(candidates) > 1:
        return _first_of_each_row(candidates)
    stamps = candidates[0]
    if not _is_date_alone(stamps):
        return stamps
    return _with_time_of_day(stamps, columns, answers) or stamps


def joined(columns: Mapping[str, Cells], names: Sequence[str]) -> Sequence[Any]:
    """The cells of these columns [rows], those of one row as one text."""
    cells = [columns[name] for name in names]
    return moments.joined(cells)


def _single_columns(columns: Mapping[str, Cells], answers: Answers) -> list[Stamps]:
    """The columns that hold times by themselves."""
    candidates = []
    for name, cells in columns.items():
        stamps = stamps_of((name,), cells, answers)
        if stamps is not None:
            candidates.append(stamps)
    return candidates


def _described(columns: Mapping[str, Cells]) -> str:
    """The first columns with examples of their cells."""
    first = list(columns.items())[:SHOWN_COLUMNS]
    return "; ".join(f"{name!r} with {examples(cells)}" for name, cells in first)


def _column_of_answer(columns: Mapping[str, Cells], answers: Answers) -> Stamps:
    """The column, or the columns with commas between, that a person named."""
    text = answers["timestamp"]
    names: tuple[str, ...] = (text,)
    if text not in columns:
        names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in columns:
            existing = ", ".join(columns)
            raise UnclearError(f"there is no column {name!r}; there are: {existing}")
    cells = joined(columns, names)
    stamps = stamps_of(names, cells, answers)
    if stamps is None:
        raise UnclearError(f"the column {text!r} holds no times: {examples(cells)}")
    return stamps


# A time in several columns -----------------------------------------------------------------------


def _is_date_alone(stamps: Stamps) -> bool:
    """Whether each row has a date only, and dates repeat."""
    seconds = stamps.seconds()
    times = seconds[np.isfinite(seconds)]
    if (times % DAY != 0).any():
        return False
    return len(np.unique(times)) < len(times)


def _with_time_of_day(
    date: Stamps,
    columns: Mapping[str, Cells],
    answers: Answers,
) -> Stamps | None:
    """The date with the column that holds the hour, or the time of day; None where there is none.

    Raises QuestionError where two forms fit.
    """
    for name, cells in columns.items():
        if name in date.names:
            continue
        if not _is_time_of_day(cells):
            continue
        names = (*date.names, name)
        stamps = stamps_of(names, joined(columns, names), answers)
        if stamps is None:
            continue
        if regular_share(stamps.seconds()) >= REGULAR:
            return stamps
    return None


def _is_time_of_day(cells: Cells) -> bool:
    """Whether the cells can be hours, or times without a date."""
    texts = sample_texts(cells)
    if len(set(texts)) <= 2:
        return False
    return all(TIME_OF_DAY.fullmatch(text) for text in texts)


def _of_parts(columns: Mapping[str, Cells], answers: Answers) -> Stamps | None:
    """Year, month, day and hour in a column each; None where they are not."""
    lower = {name.strip().lower(): name for name in columns}
    names = []
    for part in PARTS:
        present = [lower[name] for name in part if name in lower]
        if not present:
            return None
        names.append(present[0])
    form = {"date_format": FORM_OF_PARTS}
    return stamps_of(tuple(names), joined(columns, names), {**form, **answers})


# Several columns with a time each ----------------------------------------------------------------


def _first_of_each_row(candidates: Sequence[Stamps]) -> Stamps:
    """Of several columns of times the one that a row is about.

    Of the begin and the end of a period it is the begin. Raises QuestionError where nothing says
    which.
    """
    if len(candidates) == 2:
        for first, second in permutations(candidates, 2):
            if _is_same(first, second) or _is_end(second, first):
                return first
    changing = [stamps for stamps in candidates if not _is_steady(stamps)]
    if len(changing) == 1:
        return changing[0]
    in_utc = [stamps for stamps in candidates if _is_in_utc(stamps)]
    if len(in_utc) == 1:
        return in_utc[0]
    names = [stamps.names[0] for stamps in candidates]
    question = "Several columns hold times; which one is that of the value?"
    raise QuestionError("timestamp", question, names)


def _is_same(first: Stamps, second: Stamps) -> bool:
    return np.array_equal(first.seconds(), second.seconds(), equal_nan=True)


def _is_steady(stamps: Stamps) -> bool:
    """Whether most rows have the time of another row."""
    different = np.unique(stamps.seconds())
    return 2 * len(different) < len(stamps.cells)


def _is_in_utc(stamps: Stamps) -> bool:
    """Whether the name of the column or its times say the zone."""
    if IS_UTC.search(stamps.names[0]):
        return True
    return not stamps.is_naive


def _is_end(second: Stamps, first: Stamps) -> bool:
    """Whether one column is the end of the period that begins in the other, as their names say."""
    is_named = BEGINS.search(first.names[0]) or ENDS.search(second.names[0])
    if not is_named:
        return False
    lengths = second.seconds() - first.seconds()
    lengths = lengths[np.isfinite(lengths)]
    if not len(lengths) or not (lengths > 0).all():
        return False
    is_short = lengths.max() <= DAY
    is_alike = np.ptp(lengths) <= HOUR
    return bool(is_short and is_alike)

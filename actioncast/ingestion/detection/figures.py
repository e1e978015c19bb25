"""How the numbers of a column are written: decimal sign, thousands, unit, words for no value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.reading import numbers
from actioncast.ingestion.reading.unclear import UnclearError
from actioncast.source_fields import TabularFields

LEAST_SHARE = 0.7  # of the cells that are not empty are numbers, in a column of numbers
MOST_UNREAD = 0.02  # of the cells that are not empty cannot be read
MOST_WORDS = 4  # that mean "no value"
LOOKED_AT = 1000  # cells that must hold a digit
UNIT_LOOKED_AT = 2000  # cells that must have the same unit
SIGNS: tuple[dict[str, str], ...] = (  # decimal and thousands, the commonest first
    {},
    {"decimal": ","},
    {"thousands": ","},
    {"decimal": ",", "thousands": "."},
    {"decimal": ",", "thousands": " "},
    {"thousands": " "},
    {"decimal": ",", "thousands": "'"},
    {"thousands": "'"},
)
POSSIBLE = ("", ".", ",", " ", "'")
EXPLICIT = (  # of 1.024
    {"decimal": "."},
    {"decimal": ",", "thousands": "."},
)
SENTINELS = (
    -99,
    -99.9,
    -99.99,
    -999,
    -999.9,
    -999.99,
    -9999,
    -9999.9,
    -99999,
    9999,
    99999,
    999999,
)
AROUND = re.compile(
    r"(?P<before>[^\d.,+-]*)"
    r"[-+\u2212]?[\d.,' \u00a0\u202f]*\d[\d.,' \u00a0\u202f]*"
    r"(?P<after>\D*)"
)
Keys = dict[str, Any]  # of the source
Readings = dict[tuple[float | None, ...], Keys]  # numbers of a column -> keys that read it so


@dataclass(frozen=True)
class Figures:
    """The numbers of a column, None where there is no value, and the keys that read them."""

    values: list[float | None]
    keys: Keys


def find(name: str, cells: Sequence[Any], answers: Answers) -> Figures | None:
    """The numbers of a column; None where it holds none.

    Raises QuestionError where a text can be two numbers.
    """
    present = [cell for cell in cells if cell not in (None, "")]
    if not _any_digit(present[:LOOKED_AT]):
        return None
    readings = _readings(cells, present, answers)
    if not readings:
        return None
    if len(readings) > 1:
        raise _two_ways(name, cells, readings)
    values, keys = next(iter(readings.items()))
    figures = Figures(list(values), keys)
    return _without_sentinels(figures)


def _any_digit(cells: Sequence[Any]) -> bool:
    return any(_has_digit(str(cell)) for cell in cells)


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _readings(cells: Sequence[Any], present: Sequence[Any], answers: Answers) -> Readings:
    """The different ways to read the cells; the plain way is the only one where it works."""
    words = _words(present)
    missing = {"missing": words} if words else {}
    readings: Readings = {}
    for keys in _possible_keys(present, answers):
        reading = _read(cells, keys | missing, len(present))
        if reading is None:
            continue
        readings.setdefault(tuple(reading.values), reading.keys)
        is_plain = not keys.keys() - {"strip"}
        if is_plain:
            break
    return readings


def _possible_keys(present: Sequence[Any], answers: Answers) -> Iterator[Keys]:
    """Keys that may read the cells."""
    unit = _unit_of_all(present)
    strip = {"strip": unit} if unit else {}
    signs_of_answers = {}
    for key in ("decimal", "thousands"):
        if key in answers:
            signs_of_answers[key] = answers[key]
    if signs_of_answers.get("thousands", "") not in POSSIBLE:
        yield signs_of_answers  # the settings say what is possible
    for signs in (*SIGNS, *EXPLICIT):
        effective = {"decimal": ".", "thousands": "", **signs}
        if signs_of_answers.items() <= effective.items():
            yield {**signs, **signs_of_answers, **strip}


def _read(cells: Sequence[Any], keys: Keys, present: int) -> Figures | None:
    """The reading with these keys; None where it does not read the cells."""
    fields = TabularFields.model_validate(keys)
    try:
        readings = numbers.read(cells, fields)
    except UnclearError:
        return None
    values = [_number(reading) for reading in readings]
    unread = sum(isinstance(reading, str) for reading in readings)
    has_value = any(value is not None for value in values)
    if not has_value or unread > MOST_UNREAD * present:
        return None
    return Figures(values, keys)


def _number(reading: object) -> float | None:
    if isinstance(reading, bool):
        return None
    if not isinstance(reading, int | float):
        return None
    if not math.isfinite(reading):
        return None
    return float(reading)


def _words(present: Sequence[Any]) -> tuple[str, ...]:
    """Words among the numbers, such as "unavailable": there is no value then."""
    texts = Counter(cell.strip() for cell in present if isinstance(cell, str))
    words = {text: count for text, count in texts.items() if not _has_digit(text)}
    unusual = [text for text in words if text.lower() not in numbers.MISSING]
    if len(unusual) > MOST_WORDS:
        return ()
    most_cells = (1 - LEAST_SHARE) * len(present)
    if sum(words.values()) > most_cells:
        return ()
    return tuple(unusual)


def _unit_of_all(present: Sequence[Any]) -> str:
    """The text before or after every number, such as a unit; empty where they differ."""
    texts = [cell.strip() for cell in present if isinstance(cell, str)]
    figures = [text for text in texts if _has_digit(text)]
    units = set()
    for text in figures[:UNIT_LOOKED_AT]:
        match = AROUND.fullmatch(text)
        if match is None:
            return ""
        before = match["before"].strip()
        after = match["after"].strip()
        units.add(before or after)
    if len(units) != 1:
        return ""
    return units.pop()


def _two_ways(name: str, cells: Sequence[Any], readings: Readings) -> QuestionError:
    """The question which of the numbers a text means."""
    first, second = list(readings)[:2]
    row = _first_difference(first, second)
    question = (
        f"In the column {name!r} the text {cells[row]!r} "
        f"can be {first[row]} or {second[row]}. "
        "Which sign is the decimal one?"
    )
    choices = [keys.get("decimal", ".") for keys in readings.values()]
    return QuestionError("decimal", question, choices)


def _first_difference(first: Sequence[float | None], second: Sequence[float | None]) -> int:
    """The first row whose numbers differ."""
    pairs = zip(first, second, strict=True)
    return next(row for row, (one, other) in enumerate(pairs) if one != other)


def _without_sentinels(figures: Figures) -> Figures:
    """Takes away numbers that stand for "no value", such as -999 far below all others."""
    values = [value for value in figures.values if value is not None]
    present = [sentinel for sentinel in SENTINELS if sentinel in values]
    sentinels = [sentinel for sentinel in present if _is_far_off(sentinel, values)]
    if not sentinels:
        return figures
    measured = [None if value in sentinels else value for value in figures.values]
    words = figures.keys.get("missing", ())
    missing = [*words, *sentinels]
    return Figures(measured, figures.keys | {"missing": missing})


def _is_far_off(sentinel: float, values: Sequence[float]) -> bool:
    """Whether all other numbers lie in a third of the way to this one."""
    sizes = [abs(value) for value in values if value not in SENTINELS]
    if not sizes:
        return False
    return max(sizes) < abs(sentinel) / 3

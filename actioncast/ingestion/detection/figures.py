"""How the numbers of a column are written: decimal sign, thousands, what stands beside them, words for no value."""

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
MOST_WORDS = 4  # that mean "no value"
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
EXPLICIT = ({"decimal": "."}, {"decimal": ",", "thousands": "."})  # of 1.024
SENTINELS = (-99, -99.9, -99.99, -999, -999.9, -999.99, -9999, -9999.9, -99999, 9999, 99999, 999999)
AROUND = re.compile(r"(?P<before>[^\d.,+-]*)[-+\u2212]?[\d.,' \u00a0\u202f]*\d[\d.,' \u00a0\u202f]*(?P<after>\D*)")
Readings = dict[tuple[float | None, ...], dict[str, Any]]  # numbers of a column -> keys that read it so


@dataclass(frozen=True)
class Figures:
    """The numbers of a column, None where there is no value, and the keys of the source that read them."""

    values: list[float | None]
    keys: dict[str, Any]


def find(name: str, cells: Sequence[Any], answers: Answers) -> Figures | None:
    """The numbers of a column; None where it holds none. Raises QuestionError where a text can be two numbers."""
    present = [cell for cell in cells if cell not in (None, "")]
    if not any(any(sign.isdigit() for sign in str(cell)) for cell in present[:1000]):
        return None
    readings: Readings = {}
    words = _words(present)
    for keys in _possible(present, answers):
        reading = _read(cells, keys | ({"missing": words} if words else {}), len(present))
        if reading is not None:
            readings.setdefault(tuple(reading.values), reading.keys)
            if not keys.keys() - {"strip"}:
                break
    if not readings:
        return None
    if len(readings) > 1:
        raise _two_ways(name, cells, readings)
    values, keys = next(iter(readings.items()))
    return _without_sentinels(Figures(list(values), keys))


def _possible(present: Sequence[Any], answers: Answers) -> Iterator[dict[str, Any]]:
    """Keys that may read the cells."""
    strip = _beside(present)
    beside = {"strip": strip} if strip else {}
    given = {key: answers[key] for key in ("decimal", "thousands") if key in answers}
    if given.get("thousands", "") not in POSSIBLE:
        yield given  # the settings say what is possible
    for signs in (*SIGNS, *EXPLICIT):
        effective = {"decimal": ".", "thousands": "", **signs}
        if all(effective[key] == sign for key, sign in given.items()):
            yield {**signs, **given, **beside}


def _read(cells: Sequence[Any], keys: dict[str, Any], present: int) -> Figures | None:
    """The reading with these keys; None where it does not read the cells."""
    try:
        readings = numbers.read(cells, TabularFields.model_validate(keys))
    except UnclearError:
        return None
    values = [_number(reading) for reading in readings]
    unread = sum(isinstance(reading, str) for reading in readings)
    if not any(value is not None for value in values) or unread > 0.02 * present:
        return None
    return Figures(values, keys)


def _number(reading: object) -> float | None:
    if not isinstance(reading, int | float) or isinstance(reading, bool) or not math.isfinite(reading):
        return None
    return float(reading)


def _words(present: Sequence[Any]) -> tuple[str, ...]:
    """Words among the numbers, such as "unavailable": there is no value then."""
    texts = Counter(cell.strip() for cell in present if isinstance(cell, str))
    words = {text: count for text, count in texts.items() if not any(sign.isdigit() for sign in text)}
    others = [text for text in words if text.lower() not in numbers.MISSING]
    if len(others) > MOST_WORDS or sum(words.values()) > (1 - LEAST_SHARE) * len(present):
        return ()
    return tuple(others)


def _beside(present: Sequence[Any]) -> str:
    """What stands before or after every number, such as a unit."""
    texts = [cell.strip() for cell in present if isinstance(cell, str) and any(sign.isdigit() for sign in cell)]
    around = set()
    for text in texts[:2000]:
        match = AROUND.fullmatch(text)
        if match is None:
            return ""
        around.add(match["before"].strip() or match["after"].strip())
    return around.pop() if len(around) == 1 else ""


def _two_ways(name: str, cells: Sequence[Any], readings: Readings) -> QuestionError:
    """The question which of the numbers a text means."""
    first, second = list(readings)[:2]
    differ = next(number for number, value in enumerate(first) if value != second[number])
    choices = [keys.get("decimal", ".") for keys in readings.values()]
    return QuestionError(
        "decimal",
        f"In the column {name!r} the text {cells[differ]!r} can be {first[differ]} or {second[differ]}. "
        "Which sign is the decimal one?",
        choices,
    )


def _without_sentinels(figures: Figures) -> Figures:
    """Numbers that stand for "no value", such as -999 far below all others."""
    values = [value for value in figures.values if value is not None]
    sentinels = [number for number in SENTINELS if number in values and _is_far_off(number, values)]
    if not sentinels:
        return figures
    kept = [None if value in sentinels else value for value in figures.values]
    missing = [*figures.keys.get("missing", ()), *sentinels]
    return Figures(kept, figures.keys | {"missing": missing})


def _is_far_off(sentinel: float, values: Sequence[float]) -> bool:
    """Whether all other numbers lie in a third of the way to this one."""
    others = [abs(value) for value in values if value not in SENTINELS]
    return bool(others) and max(others) < abs(sentinel) / 3

"""Files that hold many series one below the other: which columns say whose a row is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.arrays import Values, np
from actioncast.ingestion.detection.questions import Answers, QuestionError
from actioncast.ingestion.detection.sheet import Cells
from actioncast.ingestion.detection.stamps import REGULAR, regular_share
from actioncast.ingestion.reading.rows import selected
from actioncast.ingestion.reading.unclear import UnclearError

REPEATED_SHARE = 0.05  # of the rows have the time of another one, in a file of many series
MOST_SERIES = 2000
FEWEST = 12  # rows of a series
ROW = " row"  # a column of row numbers: a header is stripped, so no name begins with a blank
NAMES_A_SERIES = re.compile(
    r"(^|_|\b)("
    r"id|name|sensor|entity|station|zone|region|area|meter|device|"
    r"variable|parameter|metric|type|code|series|"
    r"zaehler|zähler|messstelle|estacion|ort|city|country|site|unit|channel|tag|point"
    r")(_?id)?$",
    re.IGNORECASE,
)
MEASUREMENT = re.compile(r"-?\d+[.,]\d+")


def find(
    columns: Mapping[str, Cells],
    seconds: Values,
    time_and_value: Sequence[str],
    answers: Answers,
) -> dict[str, Any]:
    """`where` of the source: which rows belong to the series.

    Raises QuestionError with the choices.
    """
    where = dict(answers.get("where", {}))
    _check_names(where, columns)
    numbers = list(range(len(seconds)))
    rows = selected({**columns, ROW: numbers}, where)
    positions = np.asarray(rows.pop(ROW), dtype=np.int64)
    free = _other_columns(rows, [*time_and_value, *where])
    name = _key(free, seconds[positions])
    if name:
        raise _which_series(name, free[name])
    return where


def _other_columns(columns: Mapping[str, Cells], names: Sequence[str]) -> dict[str, Cells]:
    """The other columns."""
    others = {}
    for name, cells in columns.items():
        if name not in names:
            others[name] = cells
    return others


def _check_names(where: Mapping[str, Any], columns: Mapping[str, Cells]) -> None:
    for name in where:
        if name not in columns:
            existing = ", ".join(columns)
            raise UnclearError(f"there is no column {name!r}; there are: {existing}")


def _which_series(name: str, cells: Cells) -> QuestionError:
    counts = Counter(str(cell).strip() for cell in cells)
    choices = [f"{name}={label}" for label, _ in counts.most_common()]
    question = f"The file holds {len(counts)} series, by its column {name!r}; which one?"
    return QuestionError("where", question, choices)


def _key(columns: Mapping[str, Cells], seconds: Values) -> str:
    """The column that tells the series apart; empty where there is only one."""
    repeated = _repeated_share(seconds)
    scores = {}
    for name, cells in columns.items():
        labels = _labels(cells)
        if labels is None:
            continue
        is_named = bool(NAMES_A_SERIES.search(name))
        repeated_in_label = _repeated_share_in_label(labels, seconds)
        is_apart = repeated_in_label < repeated / 2
        is_key = is_apart and repeated > REPEATED_SHARE
        if is_named or _are_names(cells):
            is_key = is_key or _take_turns(labels, seconds)
        if is_named:
            is_key = is_key or _overlap(labels, seconds)
        if is_key:
            scores[name] = (repeated_in_label, not is_named)
    if not scores:
        return ""
    return min(scores, key=lambda name: scores[name])


def _are_names(cells: Cells) -> bool:
    """Whether each text begins with a letter."""
    initials = [str(cell).strip()[:1] for cell in cells]
    return all(initial.isalpha() for initial in initials)


def _labels(cells: Cells) -> Values | None:
    """A number for each text [rows].

    None for a column of measurements, of one text, or of too many.
    """
    texts = [str(cell).strip() for cell in cells]
    different = dict.fromkeys(texts)
    most = min(MOST_SERIES, len(texts) / 2)
    if not 1 < len(different) <= most:
        return None
    if all(MEASUREMENT.fullmatch(text) for text in different):
        return None
    numbers = {text: number for number, text in enumerate(different)}
    labels = [numbers[text] for text in texts]
    return np.asarray(labels, dtype=np.float64)


def _repeated_share(seconds: Values) -> float:
    """The share of rows that have the time of another row."""
    times = seconds[np.isfinite(seconds)]
    count = len(times)
    if not count:
        return 0.0
    different = len(np.unique(times))
    return 1 - different / count


def _repeated_share_in_label(labels: Values, seconds: Values) -> float:
    """The share of rows that have the time of another row of the same label."""
    finite = np.isfinite(seconds)
    rows = np.stack([labels[finite], seconds[finite]])
    different_rows = np.unique(rows, axis=1)
    count = int(rows.shape[1])
    different = int(different_rows.shape[1])
    return 1 - different / max(1, count)


def _take_turns(labels: Values, seconds: Values) -> bool:
    """Whether the commonest label comes much less often than all rows do, all along."""
    finite = np.isfinite(seconds)
    different, counts = np.unique(labels, return_counts=True)
    commonest = different[counts.argmax()]
    is_commonest = labels == commonest
    times = np.unique(seconds[is_commonest & finite])
    if len(times) < FEWEST:
        return False
    all_times = np.unique(seconds[finite])
    step = np.median(np.diff(times))
    step_of_all = np.median(np.diff(all_times))
    return bool(step > 1.5 * step_of_all)


def _overlap(labels: Values, seconds: Values) -> bool:
    """Whether times are irregular, and those of one label lie among those of the others."""
    if regular_share(seconds) >= REGULAR:
        return False
    finite = np.isfinite(seconds)
    is_first = labels == labels[0]
    first = seconds[is_first & finite]
    others = seconds[~is_first & finite]
    if not len(first) or not len(others):
        return False
    begin = max(first.min(), others.min())
    end = min(first.max(), others.max())
    return bool(end > begin)

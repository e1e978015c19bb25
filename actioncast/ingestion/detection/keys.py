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
NAMES_A_SERIES = re.compile(
    r"(^|_|\b)(id|name|sensor|entity|station|zone|region|area|meter|device|variable|parameter|metric|type|code|series|"
    r"zaehler|zähler|messstelle|estacion|ort|city|country|site|unit|channel|tag|point)(_?id)?$",
    re.IGNORECASE,
)


def find(columns: Mapping[str, Cells], seconds: Values, taken: Sequence[str], answers: Answers) -> dict[str, Any]:
    """`where` of the source: which rows belong to the series. Raises QuestionError with the choices."""
    where = dict(answers.get("where", {}))
    for name in where:
        if name not in columns:
            raise UnclearError(f"there is no column {name!r}; there are: {', '.join(columns)}")
    rows = selected({**columns, " row": list(range(len(seconds)))}, where)
    chosen = np.asarray(rows.pop(" row"), dtype=np.int64)
    free = {name: cells for name, cells in rows.items() if name not in taken and name not in where}
    name = _key(free, seconds[chosen])
    if name:
        counts = Counter(str(cell).strip() for cell in free[name])
        choices = [f"{name}={value}" for value, _ in counts.most_common()]
        raise QuestionError(
            "where", f"The file holds {len(counts)} series, by its column {name!r}; which one?", choices
        )
    return where


def _key(columns: Mapping[str, Cells], seconds: Values) -> str:
    """The column that tells the series apart; empty where there is only one."""
    repeated = _repeated_share(seconds)
    scores = {}
    for name, cells in columns.items():
        labels = _labels(cells)
        if labels is None:
            continue
        within = _within(labels, seconds)
        is_named = bool(NAMES_A_SERIES.search(name))
        is_apart = repeated > REPEATED_SHARE and within < repeated / 2
        can_be_name = is_named or all(str(cell).strip()[:1].isalpha() for cell in cells)
        if is_apart or (can_be_name and _take_turns(labels, seconds)) or (is_named and _overlap(labels, seconds)):
            scores[name] = (within, not is_named)
    return min(scores, key=lambda name: scores[name]) if scores else ""


def _labels(cells: Cells) -> Values | None:
    """A number for each text [rows]; None for a column of measurements, of one text, or of too many."""
    texts = [str(cell).strip() for cell in cells]
    different = dict.fromkeys(texts)
    if not 1 < len(different) <= min(MOST_SERIES, len(texts) / 2):
        return None
    if all(re.fullmatch(r"-?\d+[.,]\d+", text) for text in different):
        return None
    numbers = {text: number for number, text in enumerate(different)}
    return np.asarray([numbers[text] for text in texts], dtype=np.float64)


def _repeated_share(seconds: Values) -> float:
    times = seconds[np.isfinite(seconds)]
    return 1 - len(np.unique(times)) / len(times) if len(times) else 0.0


def _within(labels: Values, seconds: Values) -> float:
    """The share of rows that have the time of another row of the same label."""
    finite = np.isfinite(seconds)
    pairs = np.unique(np.stack([labels[finite], seconds[finite]]), axis=1)
    return 1 - int(pairs.shape[1]) / max(1, int(np.count_nonzero(finite)))


def _take_turns(labels: Values, seconds: Values) -> bool:
    """Whether the rows of the commonest label come much less often than all rows do, all along."""
    numbers, counts = np.unique(labels, return_counts=True)
    times = np.unique(seconds[(labels == numbers[counts.argmax()]) & np.isfinite(seconds)])
    all_times = np.unique(seconds[np.isfinite(seconds)])
    if len(times) < FEWEST:
        return False
    return bool(np.median(np.diff(times)) > 1.5 * np.median(np.diff(all_times)))


def _overlap(labels: Values, seconds: Values) -> bool:
    """Whether the times are irregular, and those of one label lie among those of the others."""
    if regular_share(seconds) >= REGULAR:
        return False
    first = np.asarray([labels[0] == label for label in labels])
    spans = [seconds[first], seconds[~first]]
    spans = [span[np.isfinite(span)] for span in spans]
    if not all(len(span) for span in spans):
        return False
    begin = max(span.min() for span in spans)
    end = min(span.max() for span in spans)
    return bool(end > begin)

"""What looks wrong in a series: hours, evidence and remedy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actioncast.arrays import Flags, np
from actioncast.times import isoformat

GAP = "gap"
REPEATING_GAP = "repeating gap"
FREQUENCY = "frequency"
FUTURE = "future periods"
SILENT = "silent"
ZEROS = "zeros"
STUCK = "stuck"
UNIT = "unit"
SHIFT = "shift by one hour"
SHAPE = "changed daily shape"
REJECTED = "rejected points"
REVISIONS = "revisions"

# By kind of finding, in parts of a line each.
REMEDIES = {
    GAP: (
        "If the source has them by now, load them:",
        "python update_real_data.py --backfill START.",
    ),
    REPEATING_GAP: (
        "Read what the loads say about rejected points;",
        "the source may leave them out.",
    ),
    FREQUENCY: (
        "Hours between two values count as missing.",
        "Set `frequency` of the series to that of the values.",
    ),
    FUTURE: (
        "Look at the source's time zone:",
        "set `timezone` or `stamps` of the series, then backfill.",
    ),
    SILENT: ("Look at the runs of update_real_data and at the source.",),
    ZEROS: (
        "A source that is down should give no value.",
        "Set the periods aside if nothing was measured.",
    ),
    STUCK: (
        "Look at the sensor or at the source's cache.",
        "Set the periods aside if nothing was measured.",
    ),
    UNIT: (
        "Look at the unit of the source: set `scale`, then backfill.",
        "Set the periods aside until then.",
    ),
    SHIFT: (
        "Look at the source's labels and clock changes:",
        "set `timezone` or `stamps`, then backfill.",
    ),
    SHAPE: (
        "Did the source begin to measure something else?",
        "Then retrain once a few weeks have come.",
    ),
    REJECTED: ("Look at the rejected points in the newest runs of update_real_data.",),
    REVISIONS: (
        'With revisions = "last" in the series a correction counts in any case;',
        "forecasts see first values.",
    ),
}


@dataclass(frozen=True)
class Suspicion:
    """Periods of an array that look wrong: `first` and `last` are indices.

    With `strong` evidence nobody should learn from them.
    """

    first: int
    last: int
    evidence: str
    strong: bool = False

    def overlaps(self, other: Suspicion) -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class HealthFinding:
    """Periods that look wrong, from the start of the first to that of the last (aware UTC), and the evidence."""

    kind: str
    first: datetime
    last: datetime
    evidence: str
    periods: int  # from the first to the last
    strong: bool = False  # evidence: the periods are set aside

    def overlaps(self, other: HealthFinding) -> bool:
        return self.first <= other.last and other.first <= self.last

    @property
    def remedy(self) -> str:
        return " ".join(REMEDIES[self.kind])

    def __str__(self) -> str:
        first = isoformat(self.first)
        last = isoformat(self.last)
        return f"{self.kind}: {first} to {last}: {self.evidence}"

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "first": isoformat(self.first),
            "last": isoformat(self.last),
            "periods": self.periods,
            "evidence": self.evidence,
            "remedy": self.remedy,
        }


def runs(flags: Flags) -> list[tuple[int, int]]:
    """(first, last) index of each run of neighbours that are true."""
    padded = np.concatenate(([False], flags, [False]))
    is_edge = padded[1:] != padded[:-1]
    edges = np.flatnonzero(is_edge).tolist()
    firsts = edges[::2]
    ends = edges[1::2]
    return [(first, end - 1) for first, end in zip(firsts, ends, strict=True)]

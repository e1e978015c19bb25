"""Look at a series: the newest hours, or all of them week by week. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from actioncast.arrays import Values
from actioncast.ingestion.health import clocks, findings, gaps, profile, values
from actioncast.ingestion.health.findings import HealthFinding, Suspicion
from actioncast.periods.grid import Grid
from actioncast.times import ONE_HOUR

Detector = Callable[[Values, int], list[Suspicion]]
NEWEST = 24  # hours that a load judges
WINDOW = 24 * 7 * 6  # hours that show what is usual, those judged included
LONGEST_SET_ASIDE = 24  # hours of a finding that are set aside without a person
STRIDE = 24 * 7  # hours that each look at a long history judges

DETECTORS: dict[str, Detector] = {
    findings.FREQUENCY: gaps.frequency,
    findings.GAP: gaps.gaps,
    findings.REPEATING_GAP: gaps.repeating,
    findings.ZEROS: values.zeros,
    findings.STUCK: values.stuck,
    findings.UNIT: values.units,
    findings.SHIFT: profile.shifts,
    findings.SHAPE: profile.shapes,
}
EXPLAINED_BY_VALUES = (findings.SHIFT, findings.SHAPE, findings.STUCK)


def newest(history: Grid, judged_periods: int = NEWEST) -> list[HealthFinding]:
    """What looks wrong in the last `judged_periods` of a history.

    The hours before show what is usual.
    """
    recent = history.values[-WINDOW:]
    judged = max(len(recent) - judged_periods, 0)
    skipped = len(history) - len(recent)
    start = history.start + skipped * ONE_HOUR
    health_findings = []
    for kind, detect in DETECTORS.items():
        for suspicion in detect(recent, judged):
            finding = _finding(start, kind, suspicion)
            health_findings.append(finding)
    telling = _most_telling(health_findings)
    return [finding for finding in telling if not _is_the_clocks(finding, history)]


def periods_to_set_aside(finding: HealthFinding) -> list[datetime]:
    """The hours of a finding that no training and no score should see, for a day at most.

    What lasts longer may be the new level of the series, which must be followed, or a person's to
    set aside.
    """
    if not finding.strong:
        return []
    count = min(finding.hours, LONGEST_SET_ASIDE)
    return [finding.first + number * ONE_HOUR for number in range(count)]


def whole(history: Grid) -> list[HealthFinding]:
    """What looks wrong in a history, judged week by week as it would have been at the time."""
    merged: dict[tuple[str, datetime], HealthFinding] = {}
    lengths = range(len(history), 0, -STRIDE)
    for length in reversed(lengths):
        part = Grid(history.start, history.values[:length])
        for finding in newest(part, STRIDE):
            # The next week sees the same run again, and how it went on.
            merged[finding.kind, finding.first] = finding
    return _without_repeats(merged.values())


def _finding(start: datetime, kind: str, suspicion: Suspicion) -> HealthFinding:
    """The finding of a suspicion about an array that begins at `start`."""
    return HealthFinding(
        kind=kind,
        first=start + suspicion.first * ONE_HOUR,
        last=start + suspicion.last * ONE_HOUR,
        evidence=suspicion.evidence,
        strong=suspicion.strong,
    )


def _most_telling(health_findings: Iterable[HealthFinding]) -> list[HealthFinding]:
    """Without those of the profile where zeros, one value or another unit explain it."""
    chosen: list[HealthFinding] = []
    for finding in health_findings:
        overlapped = any(finding.overlaps(other) for other in chosen)
        if finding.kind in EXPLAINED_BY_VALUES and overlapped:
            continue
        chosen.append(finding)
    return chosen


def _is_the_clocks(finding: HealthFinding, history: Grid) -> bool:
    """Whether the profile moved because people changed their clocks: in UTC it should."""
    if finding.kind != findings.SHIFT:
        return False
    is_late = finding.evidence.endswith(profile.DIRECTIONS[1])
    return clocks.is_clock_change(
        finding.first,
        hours=1 if is_late else -1,
        start=history.start,
        end=history.end,
    )


def _without_repeats(health_findings: Iterable[HealthFinding]) -> list[HealthFinding]:
    """In the order of their hours; of one kind, one that overlaps an earlier one is the same."""
    chosen: list[HealthFinding] = []
    for finding in sorted(health_findings, key=_first_and_last):
        if not any(_is_same(finding, other) for other in chosen):
            chosen.append(finding)
    return chosen


def _first_and_last(finding: HealthFinding) -> tuple[datetime, datetime]:
    return finding.first, finding.last


def _is_same(finding: HealthFinding, other: HealthFinding) -> bool:
    return finding.kind == other.kind and finding.overlaps(other)

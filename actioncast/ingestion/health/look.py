"""Look at a series: the newest hours, or all of them week by week. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from actioncast.arrays import Values
from actioncast.ingestion.health import clocks, findings, gaps, profile, values
from actioncast.ingestion.health.findings import HealthFinding, Suspicion
from actioncast.periods.axis import Cycles
from actioncast.periods.frequency import HOURLY
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline

Detector = Callable[[Values, int, str], list[Suspicion]]
NEWEST = 24  # periods that a load judges
WINDOW = 24 * 7 * 6  # periods that show what is usual, those judged included
DAYS_SET_ASIDE = 1  # of a finding that are set aside without a person
STRIDE = 24 * 7  # periods that each look at a long history judges

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
# Those that need no day and no week of hours.
AT_ANY_FREQUENCY = (findings.GAP, findings.ZEROS, findings.STUCK)
EXPLAINED_BY_VALUES = (findings.SHIFT, findings.SHAPE, findings.STUCK)


def newest(history: Grid, judged_periods: int = NEWEST) -> list[HealthFinding]:
    """What looks wrong in the last `judged_periods` of a history.

    The hours before show what is usual.
    """
    recent = history.values[-WINDOW:]
    judged = max(len(recent) - judged_periods, 0)
    skipped = len(history) - len(recent)
    health_findings = []
    for kind, detect in _detectors(history).items():
        for suspicion in detect(recent, judged, history.timeline.frequency.plural):
            finding = _finding(history, kind, suspicion, skipped)
            health_findings.append(finding)
    telling = _most_telling(health_findings)
    return [finding for finding in telling if not _is_the_clocks(finding, history)]


def _detectors(history: Grid) -> dict[str, Detector]:
    """What is looked for at the frequency of the history."""
    timeline = history.timeline
    if timeline.frequency == HOURLY and timeline.opening is None:
        return DETECTORS
    return {kind: DETECTORS[kind] for kind in AT_ANY_FREQUENCY}


def periods_to_set_aside(finding: HealthFinding, timeline: Timeline) -> list[datetime]:
    """The periods of a finding that no training and no score should see, for a day at most; those of a
    day and longer are a person's to set aside.

    What lasts longer may be the new level of the series, which must be followed, or a person's to
    set aside.
    """
    if not finding.strong or not timeline.frequency.is_within_day:
        return []
    count = min(finding.periods, Cycles(timeline).days(DAYS_SET_ASIDE))
    first = timeline.number_of(finding.first)
    return [timeline.start_of(first + number) for number in range(count)]


def whole(history: Grid) -> list[HealthFinding]:
    """What looks wrong in a history, judged week by week as it would have been at the time."""
    merged: dict[tuple[str, datetime], HealthFinding] = {}
    lengths = range(len(history), 0, -STRIDE)
    for length in reversed(lengths):
        part = replace(history, values=history.values[:length])
        for finding in newest(part, STRIDE):
            # The next week sees the same run again, and how it went on.
            merged[finding.kind, finding.first] = finding
    return _without_repeats(merged.values())


def _finding(history: Grid, kind: str, suspicion: Suspicion, skipped: int) -> HealthFinding:
    """The finding of a suspicion about the values of a history after those skipped."""
    begin = history.first + skipped
    return HealthFinding(
        kind=kind,
        first=history.timeline.start_of(begin + suspicion.first),
        last=history.timeline.start_of(begin + suspicion.last),
        periods=suspicion.last - suspicion.first + 1,
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

"""A series by the clocks on the wall, as people live: how models see hours and shorter periods.

Where the clocks of a zone change, the same hour of the day before is not 24 hours ago. On the wall it
always is: the hour that spring leaves out is a gap, the hour that comes twice in autumn is the mean
of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from actioncast.arrays import Numbers, Seconds, Values, np
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline


def wall_of(timeline: Timeline) -> Timeline:
    """The timeline by the clocks on the wall; the same one where periods are longer or the clocks never change."""
    clocks_change = len(timeline.clocks.offsets) > 1
    if timeline.frequency.is_within_day and clocks_change:
        return replace(timeline, wall=True)
    return timeline


@dataclass(frozen=True)
class Seen:
    """A history as a timeline has it, and the places there of the periods to come.

    `ahead` counts positions after the history, from 0; an hour that comes twice has one place.
    """

    history: Grid
    ahead: Numbers


def seen_by(timeline: Timeline, history: Grid, periods_ahead: int) -> Seen:
    """The history as this timeline has it.

    Raises ValueError where the periods of the timeline are others than those of the history.
    """
    columns = [len(column) for column in history.exogenous.values()]
    longest = max(len(history) + periods_ahead, *columns, 0)
    starts = history.axis.starts(np.arange(longest))
    numbers = timeline.numbers(starts)
    is_alike = timeline.frequency == history.timeline.frequency
    if not is_alike or not _are_the_same(timeline, numbers, starts):
        raise ValueError(f"its periods are not those of {timeline}")
    positions = numbers - numbers[0]
    known = positions[: len(history)]
    ahead = positions[len(history) :][:periods_ahead]
    values = _by_position(history.values, known)
    if periods_ahead:
        # Where only the first of two like hours is known, both are still to come.
        values = values[: ahead.min()]
    exogenous = {name: _without_holes(column, positions) for name, column in history.exogenous.items()}
    grid = Grid(history.start, values, exogenous=exogenous, timeline=timeline)
    return Seen(grid, ahead - len(values))


def _are_the_same(timeline: Timeline, numbers: Numbers, starts: Seconds) -> bool:
    """Whether each number is the next one and begins where its period does; on the wall some come twice or never."""
    if not timeline.wall and (np.diff(numbers) != 1).any():
        return False
    highest_before = np.maximum.accumulate(numbers[:-1])
    is_new = numbers > np.concatenate([numbers[:1] - 1, highest_before])
    return bool((timeline.starts(numbers[is_new]) == starts[is_new]).all())


def _by_position(values: Values, positions: Numbers) -> Values:
    """[last position + 1] the mean of the values at each position, NaN where there is none."""
    if not len(positions):
        return np.empty(0)
    present = ~np.isnan(values)
    size = int(positions.max()) + 1
    counts = np.bincount(positions[present], minlength=size)
    sums = np.bincount(positions[present], values[present], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _without_holes(column: Values, positions: Numbers) -> Values:
    """The same of a column, in which an hour that never comes has the value before it."""
    positions = positions[: len(column)]
    by_position = _by_position(column, positions)
    came = np.zeros(len(by_position), dtype=np.bool_)
    came[positions] = True
    before = np.maximum.accumulate(np.where(came, np.arange(len(came)), 0))
    return by_position[before]

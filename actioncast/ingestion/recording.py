"""The bundled recording as a source without end: what a copy of the template shows until it has one of its own.

Six weeks of the recording follow each other for ever. Whole weeks, because then each hour keeps its
hour of the day and its weekday. Which recorded point stands for a moment depends on that moment
alone: an hour has the same value whenever it is asked for, and needs no network.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from actioncast.ingestion.documents import Rows
from actioncast.times import floor_hour, to_seconds

STEP = 900  # seconds between two points
# The last six weeks of the recording. Here one round follows the other without a jump: the hour after
# its end differs from the last one by less than an hour usually does from the one before.
FIRST = datetime(2022, 1, 20, 3, tzinfo=UTC)
ROUND = timedelta(weeks=6)


def replayed(recorded: Rows, since: datetime | None, until: datetime) -> Rows:
    """The recorded points, as if they were those of `since` to `until`.

    Never more than one round, so that a history holds no hour twice: a model that has seen an hour
    before would look better than it is.
    """
    begin = floor_hour(until) - ROUND
    if since is not None:
        begin = max(begin, since)
    values = dict(recorded)
    first_step = -(-to_seconds(begin) // STEP)  # rounded up
    rows: Rows = []
    for moment in range(first_step * STEP, to_seconds(until) + 1, STEP):
        recorded_at = _recorded_moment(moment)
        if recorded_at in values:
            rows.append((moment, values[recorded_at]))
    return rows


def _recorded_moment(moment: int) -> int:
    """The moment of the recording that stands for this one, both in unix seconds."""
    first = to_seconds(FIRST)
    round_seconds = int(ROUND.total_seconds())
    return first + (moment - first) % round_seconds

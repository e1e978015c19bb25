"""The clocks of a time zone: how far they are ahead of UTC, and when they change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from actioncast.arrays import Numbers, Seconds, np
from actioncast.periods.frequency import DAY

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Clocks:
    """The clocks of a time zone: their offset to UTC from each change on."""

    changes: Seconds  # [n] moments from which an offset holds, the first one before all others
    offsets: Numbers  # [n] seconds to add to UTC

    def local(self, seconds: Seconds) -> Seconds:
        """What the clocks show, in seconds since 1970 began on them."""
        if len(self.offsets) == 1:
            return np.asarray(seconds + self.offsets[0])
        regime = np.searchsorted(self.changes, seconds, side="right") - 1
        return np.asarray(seconds + self.offsets[regime])

    def utc(self, local: Seconds) -> Seconds:
        """The first moment at which the clocks show this, or more where they leave it out."""
        if len(self.offsets) == 1:
            return np.asarray(local - self.offsets[0])
        ends = self.changes[1:] + self.offsets[:-1]  # what the clocks would show at the end of each regime
        regime = np.searchsorted(ends, local, side="right")
        return np.asarray(np.maximum(local - self.offsets[regime], self.changes[regime]))

    def all_change_by(self, step: int) -> bool:
        """Whether each change of the clocks is a multiple of so many seconds."""
        return not np.any(np.diff(self.offsets) % step)


FIRST_MOMENT = -(2**62)
SCAN_FROM = 0  # 1970
SCAN_UNTIL = 4_102_444_800  # 2100
SCAN_STEP = 14 * DAY  # shorter than clocks stay the same; Ramadan in Morocco takes four weeks


@lru_cache(maxsize=32)
def clocks_of(timezone: str) -> Clocks:
    """The clocks of an IANA zone from 1970 to 2100; before and after they stay as they are then."""
    if timezone == "UTC":
        return Clocks(np.array([FIRST_MOMENT]), np.array([0]))
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(timezone)
    changes = [FIRST_MOMENT]
    offsets = [_offset(zone, SCAN_FROM)]
    for moment in range(SCAN_FROM + SCAN_STEP, SCAN_UNTIL, SCAN_STEP):
        offset = _offset(zone, moment)
        if offset != offsets[-1]:
            changes.append(_change(zone, moment - SCAN_STEP, moment))
            offsets.append(offset)
    return Clocks(np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64))


def _offset(zone: ZoneInfo, moment: int) -> int:
    """Seconds that the clocks are ahead of UTC."""
    offset = datetime.fromtimestamp(moment, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The moment between these two at which the clocks change."""
    earlier = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == earlier:
            before = middle
        else:
            after = middle
    return after

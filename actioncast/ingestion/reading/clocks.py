"""Times on the clocks of a zone -> unix seconds, through the nights when the clocks change."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from actioncast.ingestion.reading.unclear import UnclearError

UTC_NAMES = ("UTC", "GMT", "Z")
SECOND = timedelta(seconds=1)


class Clocks:
    """The clocks of one answer, whose times are asked for in their order."""

    def __init__(self, zone: ZoneInfo, *, ends: bool) -> None:
        self.zone = zone
        self.ends = ends  # whether times name the end of their period
        self.repeated: Set[datetime] = set()  # times that come more than once
        self.seen: set[datetime] = set()  # times that came already

    def seconds(self, moment: datetime, text: str, abbreviation: str = "") -> float | str:
        """Unix seconds of a time with its own offset or on these clocks.

        Where there is no such time, a sentence about the text that names it.

        Raises UnclearError for an abbreviation such as EST where no zone is set.
        """
        try:
            if moment.tzinfo is not None:
                return moment.timestamp()
            if abbreviation in UTC_NAMES or (self.zone.key == "UTC" and not abbreviation):
                return moment.replace(tzinfo=UTC).timestamp()
            if abbreviation:
                return self._with_abbreviation(moment, text, abbreviation)
            return self._local_seconds(moment, text)
        except OverflowError:
            return f"{text} lies outside the calendar"

    def _local_seconds(self, moment: datetime, text: str) -> float | str:
        """A time that the clocks show twice in autumn is the first one at its first appearance (it is
        not yet in `seen`) and the second one at the next.
        """
        local = moment.replace(tzinfo=self.zone, fold=int(moment in self.seen))
        within = (moment - SECOND).replace(tzinfo=self.zone, fold=local.fold)
        self.seen.add(moment)
        if self.ends and self._is_told_by_period(local, within):
            return (within.astimezone(UTC) + SECOND).timestamp()
        if not _exists(local):
            return f"{text} does not exist in {self.zone.key}"
        return local.timestamp()

    def _is_told_by_period(self, local: datetime, within: datetime) -> bool:
        """Whether an end is found by the last second before it.

        The hour from 1 to 2 ends at 2, though in spring clocks leave that out; and in autumn there
        are two hours from 2 to 3, which both end at 3, though clocks show that once.
        """
        if not _exists(local):
            return _exists(within)
        is_repeated = local.replace(tzinfo=None) in self.repeated
        return is_repeated and _comes_twice(within) and not _comes_twice(local)

    def _with_abbreviation(self, moment: datetime, text: str, abbreviation: str) -> float | str:
        """EST and EDT say which of the two times it is that the clocks show twice."""
        if self.zone.key == "UTC":
            raise UnclearError(
                f"the time {text!r} names its zone as {abbreviation}, which several parts of the world use; "
                'set timezone, such as "America/New_York" or "Europe/Madrid"'
            )
        for fold in (0, 1):
            local = moment.replace(tzinfo=self.zone, fold=fold)
            if local.tzname() == abbreviation and _exists(local):
                return local.timestamp()
        return f"{text} does not exist in {self.zone.key}"


def _exists(local: datetime) -> bool:
    """Whether clocks show this time; in spring they leave an hour out."""
    there_and_back = local.astimezone(UTC).astimezone(local.tzinfo)
    return there_and_back.replace(tzinfo=None) == local.replace(tzinfo=None)


def _comes_twice(local: datetime) -> bool:
    """Whether clocks show this time twice, as they go back in autumn."""
    first = local.replace(fold=0)
    second = local.replace(fold=1)
    return _exists(local) and first.utcoffset() != second.utcoffset()

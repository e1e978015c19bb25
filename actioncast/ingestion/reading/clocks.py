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
        self.is_utc = zone.key == "UTC"
        self.ends = ends  # whether times name the end of their period
        self.repeated_times: Set[datetime] = set()  # times that come more than once
        self.earlier_times: set[datetime] = set()  # times that came already

    def seconds(self, moment: datetime, text: str, abbreviation: str = "") -> float | str:
        """Unix seconds of a time with its own offset or on these clocks.

        Where there is no such time, a sentence about the text that names it.

        Raises UnclearError for an abbreviation such as EST where no zone is set.
        """
        try:
            if moment.tzinfo is not None:
                return moment.timestamp()
            if abbreviation in UTC_NAMES:
                return _utc_seconds(moment)
            if abbreviation:
                return self._seconds_by_abbreviation(moment, text, abbreviation)
            if self.is_utc:
                return _utc_seconds(moment)
            return self._local_seconds(moment, text)
        except OverflowError:
            return f"{text} lies outside the calendar"

    def _local_seconds(self, moment: datetime, text: str) -> float | str:
        """Unix seconds of a time on these clocks.

        In autumn the clocks show an hour twice. There a time that comes for the first time belongs
        to the first of the two hours, and one that comes again belongs to the second.
        """
        fold = int(moment in self.earlier_times)
        self.earlier_times.add(moment)
        local = moment.replace(tzinfo=self.zone, fold=fold)
        second_before = moment - SECOND
        last_second = second_before.replace(tzinfo=self.zone, fold=fold)
        if self.ends and self._follows_last_second(local, last_second):
            end = last_second.astimezone(UTC) + SECOND
            return end.timestamp()
        if not _exists(local):
            return f"{text} does not exist in {self.zone.key}"
        return local.timestamp()

    def _follows_last_second(self, local: datetime, last_second: datetime) -> bool:
        """Whether the end of a period must be counted from the last second of the period.

        The hour from 1 to 2 ends at 2, though in spring the clocks leave that time out. In autumn
        there are two hours from 2 to 3, which both end at 3, though the clocks show 3 only once.
        """
        if not _exists(local):
            return _exists(last_second)
        if local.replace(tzinfo=None) not in self.repeated_times:
            return False
        return _comes_twice(last_second) and not _comes_twice(local)

    def _seconds_by_abbreviation(
        self,
        moment: datetime,
        text: str,
        abbreviation: str,
    ) -> float | str:
        """EST and EDT say which of the two times it is that the clocks show twice."""
        if self.is_utc:
            raise UnclearError(
                f"the time {text!r} names its zone as {abbreviation}, "
                "which several parts of the world use; "
                'set timezone, such as "America/New_York" or "Europe/Madrid"'
            )
        for fold in (0, 1):
            local = moment.replace(tzinfo=self.zone, fold=fold)
            if local.tzname() == abbreviation and _exists(local):
                return local.timestamp()
        return f"{text} does not exist in {self.zone.key}"


def _utc_seconds(moment: datetime) -> float:
    """Unix seconds of a time on the clocks of UTC."""
    return moment.replace(tzinfo=UTC).timestamp()


def _exists(local: datetime) -> bool:
    """Whether clocks show this time; in spring they leave an hour out."""
    in_utc = local.astimezone(UTC)
    there_and_back = in_utc.astimezone(local.tzinfo)
    return there_and_back.replace(tzinfo=None) == local.replace(tzinfo=None)


def _comes_twice(local: datetime) -> bool:
    """Whether clocks show this time twice, as they go back in autumn."""
    first = local.replace(fold=0)
    second = local.replace(fold=1)
    has_two_offsets = first.utcoffset() != second.utcoffset()
    return _exists(local) and has_two_offsets

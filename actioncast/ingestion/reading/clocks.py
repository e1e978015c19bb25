"""Times on the clocks of a zone -> unix seconds, through the nights when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from actioncast.ingestion.reading.unclear import UnclearError

UTC_NAMES = ("UTC", "GMT", "Z")


class Clocks:
    """The clocks of one answer, whose times are asked for in their order."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
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
        self.seen.add(moment)
        if not _exists(local):
            return f"{text} does not exist in {self.zone.key}"
        return local.timestamp()

    def _with_abbreviation(self, moment: datetime, text: str, abbreviation: str) -> float | str:
        """EST and EDT say which of the two times it is that the clocks show twice."""
        if self.zone.key == "UTC":
            raise UnclearError(
                f"the time {text!r} names its zone as {abbreviation}, which several parts of the world use; "
                'set timezone, such as timezone = "America/New_York"'
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

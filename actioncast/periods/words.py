"""A timeline in words: how people name its periods, count them, and read their times in its zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actioncast.periods.timeline import Timeline

HOURS_OF_DAY = tuple(f"{hour:02d}:00" for hour in range(24))
# In the order of Axis.errors: 1970 began with a Thursday.
WEEKDAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
QUARTERS = ("Q1", "Q2", "Q3", "Q4")


@dataclass(frozen=True)
class Words:
    """The words of one timeline."""

    timeline: Timeline

    @property
    def noun(self) -> str:
        return self.timeline.frequency.noun

    @property
    def plural(self) -> str:
        return self.timeline.frequency.plural

    @property
    def zone(self) -> str:
        """The name of the zone, as it stands behind a time."""
        return self.timeline.timezone

    def count(self, periods: int, kind: str = "") -> str:
        """1 hour, 24 scored hours."""
        return f"{periods:,} {kind}{self.noun if periods == 1 else self.plural}"

    def moment(self, moment: datetime) -> str:
        """What the clocks of the zone show: 04 Mar 2022 03:00."""
        return f"{self._local(moment):%d %b %Y %H:%M}"

    def period(self, start: datetime) -> str:
        """The name of a period: 04 Mar 2022 03:00, 04 Mar 2022, week of 04 Mar 2022, Mar 2022, Q1 2022, 2022."""
        local = self._local(start)
        match self.timeline.frequency.unit:
            case "min" | "h":
                return f"{local:%d %b %Y %H:%M}"
            case "D":
                return f"{local:%d %b %Y}"
            case "W":
                return f"week of {local:%d %b %Y}"
            case "MS":
                return f"{local:%b %Y}"
            case "QS":
                return f"Q{(local.month + 2) // 3} {local:%Y}"
            case _:
                return f"{local:%Y}"

    @property
    def phases(self) -> tuple[str, ...]:
        """The names of the phases that errors differ by, in the order of Axis.errors."""
        frequency = self.timeline.frequency
        if frequency.is_within_day:
            return HOURS_OF_DAY
        return {"D": WEEKDAYS, "MS": MONTHS, "QS": QUARTERS}.get(frequency.unit, ("all",))

    @property
    def phase_kind(self) -> str:
        """What these phases are: hour of the day."""
        frequency = self.timeline.frequency
        if frequency.is_within_day:
            return "hour of the day"
        return {"D": "weekday", "MS": "month", "QS": "quarter"}.get(frequency.unit, self.noun)

    def _local(self, moment: datetime) -> datetime:
        from zoneinfo import ZoneInfo

        return moment.astimezone(ZoneInfo(self.timeline.timezone))

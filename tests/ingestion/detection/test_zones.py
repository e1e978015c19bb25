from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from actioncast.arrays import Values
from actioncast.ingestion.detection import zones
from actioncast.ingestion.detection.questions import QuestionError


def clock_of(zone: str, begin: datetime, days: int = 20) -> Values:
    """Hourly times on the clock of a zone, as if they were UTC."""
    moments = [(begin + timedelta(hours=hour)).astimezone(ZoneInfo(zone)) for hour in range(24 * days)]
    return np.array([moment.replace(tzinfo=UTC).timestamp() for moment in moments])


SPRING = datetime(2024, 3, 20, tzinfo=UTC)
AUTUMN = datetime(2024, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize("begin", [SPRING, AUTUMN])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/London", "Europe/Athens"])
def test_a_clock_change_tells_the_zone(zone: str, begin: datetime) -> None:
    assert zones.find(clock_of(zone, begin), ["time"], "", {})[0] == zone


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("time (UTC)", "UTC"),
        ("time UTC+2", "Etc/GMT-2"),
        ("GMT-03:00", "Etc/GMT+3"),
        ("tz: Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_a_zone_that_is_named_is_taken(text: str, zone: str) -> None:
    assert zones.find(clock_of("UTC", SPRING), [text], "", {})[0] == zone


def test_a_clock_change_beside_the_name_utc_is_a_question() -> None:
    with pytest.raises(QuestionError, match="Europe/Berlin"):
        zones.find(clock_of("Europe/Berlin", SPRING), ["time"], "Exported at 10:00 UTC", {})


def test_an_hour_that_is_missing_among_many_others_is_no_clock_change() -> None:
    clock = clock_of("Europe/Berlin", SPRING)
    with pytest.raises(QuestionError) as question:
        zones.find(clock[np.arange(len(clock)) % 11 > 0], ["time"], "", {})
    assert question.value.default == "UTC"

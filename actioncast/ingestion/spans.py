"""The span of time that a URL asks for: placeholders filled in, and long spans asked for in parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from actioncast.times import HOUR, HOURS_PER_DAY, isoformat, to_seconds

EPOCH = datetime.fromtimestamp(0, UTC)
PLACEHOLDER = re.compile(r"\{(start|end)(?::([^}]*))?\}")  # {start}, {end:%Y-%m-%d}


def days(since: datetime, until: datetime) -> int:
    """Whole days to ask for, with one to spare: an answer begins inside an hour, which is then partial."""
    seconds = to_seconds(until) - to_seconds(since)
    return math.ceil(seconds / (HOURS_PER_DAY * HOUR)) + 1


def filled(url: str, since: datetime | None, until: datetime) -> str:
    """The URL with {start}, {end} and {days} put in; `since` None is 1970."""
    start = since or EPOCH
    moments = {"start": start, "end": until}

    def written(placeholder: re.Match[str]) -> str:
        moment = moments[placeholder[1]]
        form = placeholder[2]
        return moment.strftime(form) if form else isoformat(moment)

    url = PLACEHOLDER.sub(written, url)
    return url.replace("{days}", str(days(start, until)))


def parts(
    since: datetime,
    until: datetime,
    longest_days: float,
) -> Iterator[tuple[datetime, datetime]]:
    """The span in equal parts of at most so many days; each begins where the one before ends.

    Equal, because a short last part could hold nothing but the point that is not complete yet.
    """
    count = max(1, math.ceil((until - since) / timedelta(days=longest_days)))
    length = (until - since) / count
    for number in range(count):
        begin = since + number * length
        yield begin, begin + length

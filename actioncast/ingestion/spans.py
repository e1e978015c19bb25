"""The span of time that a URL asks for: placeholders filled in, and long spans asked for in parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from actioncast.times import HOUR, HOURS_PER_DAY, isoformat, to_seconds

EPOCH = datetime.fromtimestamp(0, UTC)
PLACEHOLDER = re.compile(r"\{(start|end)(?::([^}]*))?\}")  # {start}, {end:%Y-%m-%d}
DAY = re.compile(r"\{day(?::([^}]*))?\}")  # {day}, {day:%Y%m%d}
FIRST_PAGE = {"offset": 0, "page": 1, "cursor": ""}


def days(since: datetime, until: datetime) -> int:
    """Whole days to ask for, with one to spare: an answer begins inside an hour, which is then partial."""
    seconds = to_seconds(until) - to_seconds(since)
    return math.ceil(seconds / (HOURS_PER_DAY * HOUR)) + 1


def filled(
    url: str,
    since: datetime | None,
    until: datetime,
    **counters: object,
) -> str:
    """The URL with {start}, {end} and {days} put in; `since` None is 1970.

    `counters` give what stands for {offset}, {page} and {cursor}; their beginnings are the default.
    """
    start = since or EPOCH
    moments = {"start": start, "end": until}

    def written(placeholder: re.Match[str]) -> str:
        moment = moments[placeholder[1]]
        form = placeholder[2]
        return moment.strftime(form) if form else isoformat(moment)

    url = PLACEHOLDER.sub(written, url)
    texts = {"days": days(start, until), **FIRST_PAGE, **counters}
    for name, text in texts.items():
        url = url.replace(f"{{{name}}}", str(text))
    return url


def counts_pages(url: str) -> bool:
    """Whether the URL asks for its pages by number."""
    return "{offset}" in url or "{page}" in url


def has_start(url: str) -> bool:
    """Whether the URL says from when on."""
    return any(placeholder[1] == "start" for placeholder in PLACEHOLDER.finditer(url))


def has_end(url: str) -> bool:
    """Whether the URL says up to when."""
    return any(placeholder[1] == "end" for placeholder in PLACEHOLDER.finditer(url))


def is_by_day(url: str) -> bool:
    """Whether there is one URL for each day."""
    return DAY.search(url) is not None


def with_day(url: str, day: datetime) -> str:
    """The URL of one day."""
    return DAY.sub(lambda placeholder: day.strftime(placeholder[1] or "%Y-%m-%d"), url)


def calendar_days(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The midnights, on the clocks of a zone, of the days that the span touches."""
    first = since.astimezone(zone).date()
    last = until.astimezone(zone).date()
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield datetime(day.year, day.month, day.day, tzinfo=zone)


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

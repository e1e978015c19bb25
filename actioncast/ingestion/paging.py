"""Answers that come in pages: what to ask for next, and when an answer was cut off.

A source may name the next page (`next`), count its rows or pages ({offset} and {page} in the URL), or
say nothing and cut its answer at a round number of rows. The last is noticed, and the source asked on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from urllib.parse import quote, urljoin, urlsplit

from actioncast.ingestion import spans
from actioncast.ingestion.documents import Rows, SourceError, rows_after
from actioncast.source_settings import CsvSource, JsonSource
from actioncast.text import progress
from actioncast.times import HOUR, from_seconds, isoformat, to_seconds

MOST_PAGES = 1000  # of one span: no source keeps a run for ever
SMALLEST_LIMIT = 100  # rows; fewer are a round number by chance too often
SHOWN_CHARACTERS = 80  # of what should be a link


@dataclass(frozen=True)
class Page:
    """One answer of a source."""

    rows: Rows
    records: int  # of the answer, those that gave no row too
    next: object = None  # what the answer holds at the path `next`


Ends = tuple[float, float]  # the oldest and the newest time of rows, unix seconds


@dataclass(frozen=True, kw_only=True)
class Pager:
    """Asks one source for one span, in as many pages as the source makes of it."""

    source: JsonSource | CsvSource
    source_name: str  # as an error may show it
    since: datetime | None  # None: all the source has
    until: datetime
    latest_hours: float | None  # age of a newest row that is old news; None where age says nothing
    ask: Callable[[str], Page]  # reads the page at a URL

    def rows(self) -> Rows:
        """The rows of all pages. Raises SourceError."""
        if spans.counts_pages(self.source.url):
            return self._joined(self._counted_pages())
        if isinstance(self.source, JsonSource) and self.source.next:
            return self._joined(self._linked_pages(self.source.next))
        return self._cut_rows()

    def _joined(self, pages: Iterator[Page]) -> Rows:
        """The rows of all pages in ascending order; one that slid into the next page meanwhile counts once."""
        parts: list[Rows] = []
        before: set[str] = set()
        with progress("pages", 0, "page") as advance:
            for page in pages:
                parts.append([row for row in page.rows if repr(row) not in before])
                before = {repr(row) for row in page.rows}
                advance(1)
        if self.source.newest_first:
            parts.reverse()
        return list(chain.from_iterable(parts))

    def _endless(self) -> SourceError:
        return SourceError(
            f"{self.source_name}: {MOST_PAGES:,} pages, and no end of them; ask for larger pages, "
            "or for less at a time by days_per_request of the source"
        )

    # pages that are counted -----------------------------------------------------------------------

    def _counted_pages(self) -> Iterator[Page]:
        """The pages by {offset} or {page}, up to one that is empty or shorter than a full one."""
        offset = 0
        earlier: Rows = []
        full = self.source.row_limit or 0
        for number in range(1, MOST_PAGES + 1):
            url = spans.filled(self.source.url, self.since, self.until, offset=offset, page=number)
            page = self.ask(url)
            if earlier and page.rows == earlier:
                pages = f"pages {number - 1} and {number} are the same"
                remedy = "does the source call the parameter of {offset} or {page} otherwise?"
                raise SourceError(f"{self.source_name}: {pages}; {remedy}")
            yield page
            # A source may give fewer rows a page than it was asked for.
            if number == 1 and (not full or is_round(page.records)):
                full = page.records
            if page.records < max(full, 1):
                return
            offset += page.records
            earlier = page.rows
        raise self._endless()

    # pages that name the next one -----------------------------------------------------------------

    def _linked_pages(self, path: str) -> Iterator[Page]:
        """The pages from link to link, or from cursor to cursor."""
        url = spans.filled(self.source.url, self.since, self.until)
        asked: set[str] = set()
        while len(asked) < MOST_PAGES:
            asked.add(url)
            page = self.ask(url)
            yield page
            if page.next in (None, False, ""):
                return
            url = self._next_url(path, url, str(page.next))
            if url in asked:
                fault = f"{path} of page {len(asked)} leads back to an earlier page"
                raise SourceError(f"{self.source_name}: {fault}")
        raise self._endless()

    def _next_url(self, path: str, url: str, text: str) -> str:
        """The URL of the next page.

        Raises SourceError for one on another host: the headers of the source may hold a key.
        """
        if "{cursor}" in self.source.url:
            cursor = quote(text, safe="")
            return spans.filled(self.source.url, self.since, self.until, cursor=cursor)
        if not text.startswith(("http://", "https://", "/", "?")):
            fault = f"{path} is {text[:SHOWN_CHARACTERS]!r}, which is no link"
            raise SourceError(f"{self.source_name}: {fault}; put {{cursor}} where the url takes it")
        here = urlsplit(url)
        link = urlsplit(urljoin(url, text))
        if link.hostname != here.hostname or link.port not in (None, here.port):
            fault = f"{path} leads to {link.netloc.rpartition('@')[2]}, another host"
            raise SourceError(f"{self.source_name}: {fault}; not followed, for the headers may hold a key")
        # Behind a proxy, sources often take themselves for http and write their links so.
        return link._replace(scheme=here.scheme, netloc=here.netloc).geturl()

    # answers that are cut off ---------------------------------------------------------------------

    def _cut_rows(self) -> Rows:
        """The rows of one answer; one that was cut off is asked on from its newest row, then before its oldest."""
        page = self.ask(spans.filled(self.source.url, self.since, self.until))
        if not self._is_full(page):
            return page.rows
        later = self._asked_on(page, self._gap_after)
        self._refuse_cut(later)
        return self._asked_on(Page(later.rows, page.records), self._gap_before).rows

    def _is_full(self, page: Page) -> bool:
        if self.source.row_limit:
            return page.records == self.source.row_limit
        return is_round(page.records)

    def _asked_on(
        self,
        page: Page,
        gap_beside: Callable[[Rows], tuple[datetime, datetime] | None],
    ) -> Page:
        """All rows up to the page that is not full any more, and how many records that one has."""
        rows = page.rows
        for _ in range(MOST_PAGES):
            gap = gap_beside(rows)
            if gap is None or not self._is_full(page):
                return Page(rows, page.records)
            begin, end = gap
            page = self.ask(spans.filled(self.source.url, begin, end))
            joined = _rows_before(rows, page.rows) + rows + rows_after(rows, page.rows)
            if _ends(joined) == _ends(rows):
                return Page(rows, page.records)
            rows = joined
        raise self._endless()

    def _gap_after(self, rows: Rows) -> tuple[datetime, datetime] | None:
        """From the newest row to the end; None when there is none, or the URL cannot ask for it."""
        ends = _ends(rows)
        if ends is None or not spans.has_start(self.source.url):
            return None
        _, newest = ends
        if to_seconds(self.until) - newest <= HOUR:
            return None
        return from_seconds(int(newest)), self.until

    def _gap_before(self, rows: Rows) -> tuple[datetime, datetime] | None:
        """From the start to the oldest row; None when there is none, or the URL cannot ask for it."""
        ends = _ends(rows)
        if ends is None or self.since is None or not spans.has_end(self.source.url):
            return None
        oldest, _ = ends
        if oldest - to_seconds(self.since) <= HOUR:
            return None
        return self.since, from_seconds(int(oldest))

    def _refuse_cut(self, page: Page) -> None:
        """Raise SourceError when the last answer was full and what was asked for is not there."""
        ends = _ends(page.rows)
        if ends is None or self.latest_hours is None or not self._is_full(page):
            return
        _, newest = ends
        if to_seconds(self.until) - newest <= self.latest_hours * HOUR:
            return
        remedy = "put {start} into the url (or {offset} or {page}), or set `next` of the source"
        if spans.has_start(self.source.url):
            remedy = "asking on from there gave the same rows; set days_per_request of the source"
        raise SourceError(
            f"{self.source_name}: exactly {page.records:,} rows, and the newest is from "
            f"{isoformat(from_seconds(int(newest)))} while {isoformat(self.until)} was asked for: "
            f"the source limits its rows; {remedy}"
        )


def is_round(records: int) -> bool:
    """Whether a number of rows looks like a limit: 100, 150, 200, 250, 500, 1000, 1500, 10000."""
    if records < SMALLEST_LIMIT:
        return False
    digits = str(records).rstrip("0")
    return len(digits) == 1 or (len(digits) == 2 and digits[1] == "5")


def _ends(rows: Rows) -> Ends | None:
    """The oldest and the newest time, None without any that can be read."""
    times = [time for time, _ in rows if isinstance(time, int | float)]
    if not times:
        return None
    return min(times), max(times)


def _rows_before(later: Rows, part: Rows) -> Rows:
    """The rows of a part that are older than all of the others."""
    ends = _ends(later)
    if ends is None:
        return []
    oldest, _ = ends
    return [row for row in part if isinstance(row[0], int | float) and row[0] < oldest]

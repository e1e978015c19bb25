"""An API on loopback with one record an hour that limits its rows, and hands them out in pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.clock import at
from tests.support.json_server import JsonServer, Request

Reply = tuple[int, Any]


class PagedApi(JsonServer):
    """`/hours` gives the records of ?start=&end=, the oldest `limit` of them; the other paths are kinds of pages.

    /newest gives the newest ones, /days takes dates alone, /fixed ignores its query, /pages counts by
    ?offset= or ?page=, /links and /cursor name the next page.
    """

    def __init__(self, first: float, last: float, limit: int) -> None:
        """Records for the hours from `first` to `last` after midnight; the value is that hour."""
        super().__init__(self._reply)
        self.limit = limit
        self.records = [{"time": at(hour).isoformat(), "load": hour} for hour in range(int(first), int(last) + 1)]
        self.next_host = ""  # of the links; empty for this one

    def _reply(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        query = dict(parse_qsl(parts.query))
        kinds = {
            "/hours": self._hours,
            "/newest": self._newest,
            "/fixed": self._fixed,
            "/pages": self._pages,
            "/links": self._links,
            "/cursor": self._cursor,
        }
        return 200, kinds[parts.path](query)

    def _between(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        begin = datetime.fromisoformat(query["start"])
        end = datetime.fromisoformat(query["end"])
        return [record for record in self.records if begin <= datetime.fromisoformat(str(record["time"])) <= end]

    def _hours(self, query: Mapping[str, str]) -> Any:
        return self._between(query)[: self.limit]

    def _newest(self, query: Mapping[str, str]) -> Any:
        return self._between(query)[-self.limit :]

    def _fixed(self, _query: Mapping[str, str]) -> Any:
        return self.records[: self.limit]

    def _pages(self, query: Mapping[str, str]) -> Any:
        begin = int(query.get("offset", 0)) or (int(query.get("page", 1)) - 1) * self.limit
        return self.records[begin : begin + self.limit]

    def _links(self, query: Mapping[str, str]) -> Any:
        number = int(query.get("number", 0))
        begin = number * self.limit
        following = f"{self.next_host}/links?number={number + 1}"
        is_last = begin + self.limit >= len(self.records)
        return {"data": self.records[begin : begin + self.limit], "links": {"next": None if is_last else following}}

    def _cursor(self, query: Mapping[str, str]) -> Any:
        begin = int(query.get("after", 0))
        end = begin + self.limit
        return {"data": self.records[begin:end], "next": str(end) if end < len(self.records) else ""}

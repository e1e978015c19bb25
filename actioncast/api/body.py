"""An answer's bytes, kept ready: plain, compressed, and named by an ETag."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi import Request
from fastapi.responses import Response

JSON = "application/json"
CSV = "text/csv; charset=utf-8"


def wants_csv(request: Request) -> bool:
    """Whether the caller asks for CSV instead of JSON."""
    return "text/csv" in request.headers.get("accept", "")


def csv_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Body:
    """Rows of JSON as CSV; the quantiles get a column for each level, such as q0.1. What is null is empty."""
    levels = list(dict.fromkeys(level for row in rows for level in row.get("quantiles") or {}))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, *(f"q{level}" for level in levels)])
    for row in rows:
        values = row.get("quantiles") or {}
        writer.writerow([*(row[name] for name in columns), *(values.get(level) for level in levels)])
    return Body(text.getvalue().encode())


@dataclass(frozen=True)
class Body:
    """The content of an answer.

    Its compressed form and its ETag are made when they are first needed.
    """

    plain: bytes

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.plain, 6, mtime=0)

    @cached_property
    def etag(self) -> str:
        """A weak one, because it names both forms."""
        digest = hashlib.sha256(self.plain).hexdigest()
        return f'W/"{digest[:16]}"'

    def answer(
        self,
        request: Request,
        media_type: str = JSON,
        cache_control: str = "no-cache",
    ) -> Response:
        """Status 200 with the content, or 304 when the client's If-None-Match names it already."""
        headers = {"Cache-Control": cache_control, "Vary": "Accept, Accept-Encoding"}
        if request.method == "GET":
            headers["ETag"] = self.etag
            if self.etag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(self.packed, headers=headers, media_type=media_type)
        return Response(self.plain, headers=headers, media_type=media_type)

"""An answer's bytes, kept ready: plain, compressed, and named by an ETag."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property

from fastapi import Request
from fastapi.responses import Response

JSON = "application/json"


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
        headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
        if request.method == "GET":
            headers["ETag"] = self.etag
            if self.etag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(self.packed, headers=headers, media_type=media_type)
        return Response(self.plain, headers=headers, media_type=media_type)

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
    """The same bytes twice; each form is made when it is first asked for."""

    plain: bytes

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.plain, 6, mtime=0)

    @cached_property
    def etag(self) -> str:
        """Weak, because it names both forms."""
        return f'W/"{hashlib.sha256(self.plain).hexdigest()[:16]}"'

    def answer(self, request: Request, media_type: str = JSON, cache_control: str = "no-cache") -> Response:
        """200, or 304 for who has it already."""
        headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
        if request.method == "GET":
            headers["ETag"] = self.etag
            if self.etag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
        return Response(self.plain, headers=headers, media_type=media_type)

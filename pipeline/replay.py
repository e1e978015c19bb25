"""A recorded series as the live source would have shown it at a given moment.

The live charts API publishes a point 45 to 70 minutes late, so its newest hour is always a part; it answers with the
newest `timespan`. `ReplayServer` is that API on loopback, under a clock that the caller sets: what reads it is the real
source code over real HTTP.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import threading
import zlib
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

import numpy as np

from pipeline.series import HOUR, Points, from_seconds, to_seconds
from pipeline.settings import ROOT, ActioncastError

BUNDLED = ROOT / "data" / "bitcoin_transactions_2022.json.gz"
DELAY_MINUTES = (45, 70)  # age of the newest point of the live API, as measured


class RecordingError(ActioncastError):
    """The recording cannot be replayed."""


def read_recording(path: Path = BUNDLED) -> Points:
    """The points of a recorded body of the charts API (gzip allowed), ascending in time."""
    try:
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        values = json.loads(body)["values"]
        times = np.array([point["x"] for point in values], dtype=np.int64)
        recording = Points(times, np.array([point["y"] for point in values], dtype=np.float64))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path} is no recorded body of the charts API: {type(error).__name__}: {error}") from None
    if not len(recording) or (np.diff(times) <= 0).any():
        raise RecordingError(f"{path}: expected points in ascending order of time, at least one")
    return recording


def shown_at(recording: Points, now: datetime, *, seed: int = 0, days: int | None = None) -> Points:
    """The points that the live source would have answered with at `now`: the newest `days`, all when None.

    The delay of the newest point is drawn for each hour from the seed: the same moment shows the same points.
    """
    shown = _span_shown(recording, now, seed, days)
    return Points(recording.times[shown], recording.values[shown])


def _span_shown(recording: Points, now: datetime, seed: int, days: int | None) -> slice:
    delay_minutes = random.Random(f"{seed}/{to_seconds(now) // HOUR}").uniform(*DELAY_MINUTES)
    oldest = -math.inf if days is None else to_seconds(now) - 86400 * days
    first = np.searchsorted(recording.times, oldest, side="left")
    return slice(int(first), int(np.searchsorted(recording.times, to_seconds(now) - 60 * delay_minutes, side="right")))


def first_and_last(recording: Points) -> tuple[datetime, datetime]:
    """When the recording begins and ends."""
    if not len(recording):
        raise RecordingError("the recording holds no point")
    return from_seconds(int(recording.times[0])), from_seconds(int(recording.times[-1]))


class ReplayServer:
    """The charts API on loopback. Set `now` before each request; `url` is what a blockchain source takes."""

    def __init__(self, recording: Points, now: datetime, *, seed: int = 0) -> None:
        self.recording = recording
        self.now = now
        self.seed = seed
        pairs = zip(recording.times.tolist(), recording.values.tolist(), strict=True)
        self._encoded = [b'{"x":%d,"y":%s}' % (x, repr(y).encode()) for x, y in pairs]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/charts"

    def __enter__(self) -> ReplayServer:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, timespan: str) -> bytes:
        """The body for `timespan` ("all" or "<n>days") at this moment."""
        match = re.fullmatch(r"(\d+)days", timespan)
        shown = _span_shown(self.recording, self.now, self.seed, int(match[1]) if match else None)
        return b'{"status":"ok","name":"Transaction Rate","period":"minute","values":[%s]}' % b",".join(
            self._encoded[shown]
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                body = replay.answer(query.get("timespan", ["all"])[0])
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Silent: a rehearsal makes a request per simulated hour."""

        return Handler
